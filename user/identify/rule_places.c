/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rule_places.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RULES_OF_PACKAGE "/usr/share/bannerprobe/rules"

static bool is_there(char path[PATH_MAX], const char *folder, int len,
		     const char *below)
{
	return snprintf(path, PATH_MAX, "%.*s%s", len, folder, below) <
		       PATH_MAX &&
	       !access(path, F_OK);
}

/* False: there is no folder of rules near the program. */
static bool find_near(char path[PATH_MAX])
{
	char program[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", program, PATH_MAX);
	const char *slash = len > 0 ? memrchr(program, '/', (size_t)len) : NULL;

	return slash && (is_there(path, program, (int)(slash - program),
				  "/../share/bannerprobe/rules") ||
			 is_there(path, program, (int)(slash - program),
				  "/packaging/rules"));
}

const char *const *rule_places(void)
{
	static char near[PATH_MAX];
	static const char *places[] = { RULES_OF_USER, RULES_OF_PACKAGE, NULL };

	if (find_near(near))
		places[1] = near;
	return places;
}
