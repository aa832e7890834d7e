/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What passes between the probe and its keeper, the process that writes the
 * inventory (bannerprobe-inventory keep): a socket of datagrams, and counts in
 * memory that both have mapped. Both are of one version and of one machine.
 *
 *	probe:  struct stream_start, once
 *	keeper: one byte, once: the inventory is open
 *	probe:  a struct event, the bytes that are kept, its tunnels and, where
 *		it is known, a struct stream_owner, without a gap, each time;
 *		the times are since 1970, ns
 *
 * The probe shuts its end down behind the last event. The keeper closes its own
 * when all is written.
 */
#ifndef BANNERPROBE_INVENTORY_STREAM_H
#define BANNERPROBE_INVENTORY_STREAM_H

#include "event.h"

#include <linux/types.h>
#include <stdbool.h>

#define KEEPER_PROGRAM "bannerprobe-inventory"
#define KEEPER_COMMAND "keep"
#define KEEPER_NAME "bannerprobe-inv" /* as ps shows it; 15 bytes at most */

/* The descriptors that a keeper is started with, beside 0, 1 and 2. */
enum keeper_descriptor {
	KEEPER_STREAM = 3,
	KEEPER_COUNTS = 4,
	KEEPER_LIFE = 5, /* a keeper is killed when the other end is closed */
};

#define STREAM_VERSION_MAX 32
#define STREAM_EVENT_MAX                                                       \
	(sizeof(struct event) + EVENT_ROOM + sizeof(struct stream_owner))

/* Whose the event's server is, behind all else, where that is known. */
#define STREAM_NAME 256
struct stream_owner {
	char unit[STREAM_NAME]; /* escaped as in the log; "": not known */
	char container[STREAM_NAME];
	char process[STREAM_NAME];
};

struct stream_start {
	char version[STREAM_VERSION_MAX]; /* of the program; padded with 0 */
	__u32 event_size;		  /* sizeof(struct event) */
	__u32 is_live; /* 1: the events are of now; 0: of captures */
};

/* In events; each is written by one process. */
struct stream_counts {
	__u64 sent;    /* by the probe */
	__u64 written; /* by the keeper: what a transaction holds */
	__u64 lost;    /* by the keeper: taken, and not to be written */
};

#endif
