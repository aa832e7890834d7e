/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "interface_list.h"

#include "system/message.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

struct interface *interfaces_by_index(const struct interfaces *interfaces,
				      unsigned int index)
{
	struct interface *interface;

	HASH_FIND(by_index, interfaces->by_index, &index, sizeof(index),
		  interface);
	return interface;
}

struct interface *interfaces_add(struct interfaces *interfaces)
{
	struct interface *new = calloc(1, sizeof(*new));
	struct interface **list =
		reallocarray(interfaces->list, (size_t)interfaces->count + 1,
			     sizeof(void *));

	if (list)
		interfaces->list = list;
	if (!new || !list) {
		message("out of memory");
		free(new);
		return NULL;
	}
	new->gone = true; /* until attaching */
	new->published = publish_place(interfaces->publisher);
	new->published_name = NO_PLACE;
	new->place = interfaces->count;
	list[interfaces->count++] = new;
	return new;
}

static struct interface **queue_of(struct interfaces *interfaces,
				   const struct interface *interface)
{
	return interface->asked_name ? &interfaces->named : &interfaces->others;
}

struct interface *interfaces_next(const struct interfaces *interfaces)
{
	return interfaces->named ? interfaces->named : interfaces->others;
}

void interfaces_dequeue(struct interfaces *interfaces,
			struct interface *interface)
{
	if (!interface->is_queued)
		return;
	DL_DELETE(*queue_of(interfaces, interface), interface);
	interface->is_queued = false;
	interfaces->queued--;
}

void interfaces_enqueue(struct interfaces *interfaces,
			struct interface *interface)
{
	if (interface->is_queued)
		return;
	interface->is_queued = true;
	interfaces->queued++;
	DL_APPEND(*queue_of(interfaces, interface), interface);
}

/* Makes the interface findable by its index. */
bool interfaces_list_index(struct interfaces *interfaces,
			   struct interface *interface)
{
	interface->failed = false;
	HASH_ADD(by_index, interfaces->by_index, index,
		 sizeof(interface->index), interface);
	if (!interface->failed)
		return true;
	interface->index = 0;
	message("out of memory");
	return false;
}

void interfaces_forget(struct interfaces *interfaces,
		       struct interface *interface)
{
	struct interface *last = interfaces->list[--interfaces->count];

	interfaces_dequeue(interfaces, interface);
	if (interface->index)
		HASH_DELETE(by_index, interfaces->by_index, interface);
	interfaces->list[interface->place] = last;
	last->place = interface->place;
	publish_leave(interfaces->publisher, interface->published);
	free(interface->counted);
	free(interface);
}

struct interface *interfaces_find_waiting(const struct interfaces *interfaces,
					  const char *name)
{
	for (int i = 0; interfaces->waiting && i < interfaces->count; i++) {
		struct interface *interface = interfaces->list[i];

		if (!interface->index && interface->asked_name &&
		    !strcmp(interface->asked_name, name))
			return interface;
	}
	return NULL;
}
