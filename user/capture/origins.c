/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "origins.h"

#include <stdlib.h>
#include <string.h>

__u32 origins_add(struct origins *origins, const char *path,
		  const char *interface)
{
	struct origin *list = origins->list;
	struct origin origin = { .path = path };

	if (origins->count == origins->room) {
		const __u32 room = origins->room * 2 + 1;

		list = reallocarray(list, room, sizeof(*list));
		if (!list)
			return 0;
		origins->list = list;
		origins->room = room;
	}
	if (interface) {
		origin.interface = strdup(interface);
		if (!origin.interface)
			return 0;
	}
	list[origins->count++] = origin;
	return origins->count;
}

struct origin origins_get(const struct origins *origins, __u32 number)
{
	if (!number || number > origins->count)
		return (struct origin){};
	return origins->list[number - 1];
}

void origins_clear(struct origins *origins)
{
	for (__u32 i = 0; i < origins->count; i++)
		free(origins->list[i].interface);
	free(origins->list);
	*origins = (struct origins){};
}
