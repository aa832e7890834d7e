/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the attacher publishes for the reader: the counters, and the names of
 * interfaces. It is memory that both have mapped. The attacher writes it and
 * trusts nothing that it reads there; the reader only reads it.
 */
#ifndef BANNERPROBE_PUBLISHED_H
#define BANNERPROBE_PUBLISHED_H

#include "counters.h"
#include "event_kind.h"
#include "links.h"

#include <linux/if.h>
#include <linux/types.h>
#include <stdbool.h>

/* Room, of which only the part that is used takes memory. */
#define PUBLISHED_INTERFACES (1U << 16)
#define PUBLISHED_NAMES (1U << 17)
#define NO_PLACE (~0U) /* there was no room */

/*
 * Names of vanished interfaces are kept for events that still wait in the ring;
 * of more than these, the oldest are dropped.
 */
#define NAMES_KEPT 4096

/* An interface that is asked for, at the moment of publishing. */
struct published_interface {
	char name[IFNAMSIZ];
	__u32 generation; /* another interface has this place: another one */
	bool is_watched;
	bool has_counters;
	struct packet_counts packets;
	__u64 counters[COUNTER_MAX];
};

/* Which interface an index stood for, and its name. */
struct published_name {
	__u32 serial;		     /* odd while this is changed */
	__u32 ifindex;		     /* 0: none */
	__u32 interface, generation; /* its place, or NO_PLACE */
	/* ns of CLOCK_MONOTONIC; `to` is past that, or 0: it is so still. */
	__u64 from, to;
	char name[IFNAMSIZ];
};

struct published {
	__u32 serial;	       /* odd while the counts are changed */
	__u32 interface_count; /* of the places used so far */
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

/* A place for an interface, or NO_PLACE; and gives it back. */
__u32 publish_place(struct publisher *publisher);
void publish_leave(struct publisher *publisher, __u32 place);

/*
 * From now on an index stands for an interface (its place). Called before its
 * first event. The number of the name, or NO_PLACE.
 */
__u32 publish_name(struct publisher *publisher, __u32 ifindex, __u32 place,
		   const char *name);

/* Ends that, after the interface's last event. */
void publish_end_of_name(struct publisher *publisher, __u32 number);

/* All of an interface but its generation. */
void publish_interface(struct publisher *publisher, __u32 place,
		       const struct published_interface *interface);

/* `events`: what became of those other than banners. */
void publish_totals(struct publisher *publisher, __u64 packets,
		    const __u64 counters[COUNTER_MAX],
		    const struct event_counts *events, int not_watched);

/* --- the reader ---------------------------------------------------------- */

/*
 * Copies what an index stood for at a time. False: nothing is known about it,
 * or not any more. `hint`: where it was found the last time, or any.
 */
bool published_find(const struct published *page, __u32 ifindex, __u64 time,
		    __u32 *hint, struct published_name *found);

/*
 * Calls `ended` with the index of each name that has ended since `*since`,
 * which it sets to the latest end.
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

/* Reads them anew. */
void published_read(struct published_counts *counts,
		    const struct published *page);

#endif
