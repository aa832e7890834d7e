/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file and interface of events that are logged after their file was closed.
 * Such an event holds a number in its ifindex, which is looked up here.
 */
#ifndef BANNERPROBE_ORIGINS_H
#define BANNERPROBE_ORIGINS_H

#include <linux/types.h>

struct origin {
	const char *path; /* as it was given; the caller keeps it valid */
	char *interface;  /* name, or NULL */
};

struct origins {
	struct origin *list;
	__u32 count, room;
};

/* Adds an origin. Returns its number, 1 or more; 0 without memory. */
__u32 origins_add(struct origins *origins, const char *path,
		  const char *interface);

/* The origin of a number; for 0 an empty one. */
struct origin origins_get(const struct origins *origins, __u32 number);

/* Forgets all origins; numbers start at 1 again. */
void origins_clear(struct origins *origins);

#endif
