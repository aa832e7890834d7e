/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the attacher publishes for the reader, in memory that both have mapped:
 * the counters, and the names of interfaces. The attacher writes it, and trusts
 * nothing that it reads there. The reader only reads it.
 */
#ifndef BANNERPROBE_PUBLISHED_H
#define BANNERPROBE_PUBLISHED_H

#include "counters.h"
#include "event_kind.h"
#include "links.h"

#include <linux/if.h>
#include <linux/types.h>
#include <stdbool.h>

/* Room for interfaces and names. Only the part that is used takes memory. */
#define PUBLISHED_INTERFACES (1U << 16)
#define PUBLISHED_NAMES (1U << 17)
#define NO_PLACE (~0U) /* no room was left */

/*
 * How many names of vanished interfaces are kept, for events that still wait in
 * the ring buffer. Beyond these the oldest are dropped.
 */
#define NAMES_KEPT 4096

/* An interface that the user asked for, as it was last published. */
struct published_interface {
	char name[IFNAMSIZ];
	__u32 generation; /* changes when another interface gets this place */
	bool is_watched;
	bool has_counters;
	struct packet_counts packets;
	__u64 counters[COUNTER_MAX];
};

/* The interface that an index stood for during some time, and its name. */
struct published_name {
	__u32 serial;		     /* odd while this is changed */
	__u32 ifindex;		     /* 0: none */
	__u32 interface, generation; /* the interface's place, or NO_PLACE */
	/* ns of CLOCK_MONOTONIC. `to`: the first ns after it; 0: not ended. */
	__u64 from, to;
	char name[IFNAMSIZ];
};

struct published {
	__u32 serial;	       /* odd while the counts are changed */
	__u32 interface_count; /* how many places have been used */
	__u32 name_count;
	int not_watched;
	__u64 packets;
	__u64 counters[COUNTER_MAX];
	struct event_counts events;
	struct published_interface interfaces[PUBLISHED_INTERFACES];
	struct published_name names[PUBLISHED_NAMES];
};

/* --- the attacher -------------------------------------------------------- */

struct publisher;

/* NULL without memory. `page` is all 0. */
struct publisher *publisher_new(struct published *page);
void publisher_free(struct publisher *publisher);

/* Takes a place for an interface, or NO_PLACE; and releases it. */
__u32 publish_place(struct publisher *publisher);
void publish_leave(struct publisher *publisher, __u32 place);

/*
 * Notes that from now on an index stands for the interface at a place. Called
 * before the interface's first event. Returns the number of the name, or
 * NO_PLACE.
 */
__u32 publish_name(struct publisher *publisher, __u32 ifindex, __u32 place,
		   const char *name);

/* Ends a name. Called after the interface's last event. */
void publish_end_of_name(struct publisher *publisher, __u32 number);

/* Publishes an interface's values, except for its generation. */
void publish_interface(struct publisher *publisher, __u32 place,
		       const struct published_interface *interface);

/* Publishes the sums. `events`: the fates of events other than banners. */
void publish_totals(struct publisher *publisher, __u64 packets,
		    const __u64 counters[COUNTER_MAX],
		    const struct event_counts *events, int not_watched);

/* --- the reader ---------------------------------------------------------- */

/*
 * Finds what an index stood for at a time, and copies that. False: nothing is
 * known about the index, or not any more. `hint`: where an earlier call found
 * it, or any number.
 */
bool published_find(const struct published *page, __u32 ifindex, __u64 time,
		    __u32 *hint, struct published_name *found);

/*
 * Calls `ended` with the index of each name that has ended since *since. Sets
 * *since to the latest end.
 */
void published_each_ended(const struct published *page, __u64 *since,
			  void (*ended)(__u32 ifindex, void *context),
			  void *context);

/* The counts of one moment. */
struct published_counts {
	__u64 packets;
	__u64 counters[COUNTER_MAX];
	struct event_counts events;
	int not_watched;
	struct published_interface *interfaces; /* room for `room`, by place */
	__u32 count, room;
};

/* Reads all counts anew. */
void published_read(struct published_counts *counts,
		    const struct published *page);

#endif
