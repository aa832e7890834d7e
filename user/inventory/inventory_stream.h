/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The protocol between the probe and its keeper, the process that writes the
 * inventory (bannerprobe-inventory keep): a socket for datagrams, and counts in
 * memory that both have mapped. Both programs have the same version, on the
 * same machine.
 *
 *	probe:  struct stream_start, once
 *	keeper: one byte, once: the inventory is open
 *	probe:  a struct event, the bytes that are kept, its tunnels and, if the
 *		owner is known, a struct stream_owner, without gaps, each time;
 *		the times are since 1970, ns
 *	keeper: a struct stream_change, for each change, at any time
 *
 * The probe shuts down its end of the socket after the last event. The keeper
 * closes its end when everything is written.
 */
#ifndef BANNERPROBE_INVENTORY_STREAM_H
#define BANNERPROBE_INVENTORY_STREAM_H

#include "event.h"
#include "inventory.h"

#include <linux/types.h>
#include <stdbool.h>

#define KEEPER_PROGRAM "bannerprobe-inventory"
#define KEEPER_COMMAND "keep"
#define KEEPER_NAME "bannerprobe-inv" /* as ps shows it; 15 bytes at most */

/* The descriptors that a keeper is started with, besides 0, 1 and 2. */
enum keeper_descriptor {
	KEEPER_STREAM = 3,
	KEEPER_COUNTS = 4,
	KEEPER_LIFE = 5, /* the keeper is killed when the other end is closed */
};

#define STREAM_VERSION_MAX 32
#define STREAM_EVENT_MAX                                                       \
	(sizeof(struct event) + EVENT_ROOM + sizeof(struct stream_owner))

#define STREAM_NAME 256 /* bytes, with the NUL */

/* The owner of the event's service. Escaped as in the log; "": not known. */
struct stream_owner {
	char unit[STREAM_NAME];
	char container[STREAM_NAME];
	char process[STREAM_NAME];
};

struct stream_start {
	char version[STREAM_VERSION_MAX]; /* of the program; padded with 0 */
	__u32 event_size;		  /* sizeof(struct event) */
	__u32 is_live; /* 1: events of now; 0: events of captures */
};

/* One process writes each member. Numbers of events, then of changes. */
struct stream_counts {
	__u64 sent;	    /* by the probe */
	__u64 written;	    /* by the keeper: committed by a transaction */
	__u64 lost;	    /* by the keeper: received, but not written */
	__u64 lost_changes; /* by the keeper: the probe did not take them */
	__u64 changes[CHANGE_KINDS]; /* by the keeper: since the start */
	__u64 ftp_data; /* by the keeper: FTP data connections, left out */
	__u64 services; /* by the keeper: in the inventory, now */
};

#endif
