/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* All values of --stats, and their names. */
#ifndef BANNERPROBE_STATS_H
#define BANNERPROBE_STATS_H

#include "counters.h"
#include "event_stats.h"
#include "sinks/sink.h"

#include <stddef.h>

extern const struct counter_text {
	const char *name, *meaning;
} counter_texts[COUNTER_MAX];

/* All values of --stats: the counters, then those of the sinks. */
enum stats_value {
	STATS_PACKETS = COUNT_NOTHING, /* this place is free for packets */
	STATS_LOGGED = COUNTER_MAX,
	STATS_LEFT_OUT,
	STATS_FTP_DATA,
	STATS_LOST_OUTPUT,
	STATS_LOST_INVENTORY,
	STATS_LOST_CHANGES,
	STATS_MAX,
};

struct stats {
	__u64 by[STATS_MAX]; /* since the start */
	struct event_stats events;
	__u64 services;		     /* in the inventory, now */
	__u64 changes[CHANGE_KINDS]; /* since the start */
};

/* The current values. */
void stats_read(struct stats *now, __u64 packets,
		const __u64 counters[COUNTER_MAX],
		const struct sink_counts *sinks);

/* Adds the fates of other event kinds, where these are asked for. */
void stats_read_events(struct stats *now, __u32 kinds,
		       const struct event_counts *counts);

/* The name and the meaning of a value. */
const struct counter_text *stats_text(int value);

/* The increase since an earlier time; 0 for a value that can also fall. */
__u64 stats_growth(const struct stats *now, const struct stats *before,
		   int value);

/* Prints every value, a line each, and the losses, to standard error. */
void stats_print_table(const struct stats *now);

/* Prints one line: the time, the values that changed, and the losses. */
void stats_print_line(const struct stats *now, const struct stats *before);

#endif
