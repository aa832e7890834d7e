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

/* All that --stats tells: the counters, and those of the sinks behind them. */
enum stats_value {
	STATS_PACKETS = COUNT_NOTHING, /* which counts nothing */
	STATS_LOGGED = COUNTER_MAX,
	STATS_LEFT_OUT,
	STATS_LOST_OUTPUT,
	STATS_LOST_INVENTORY,
	STATS_LOST_CHANGES,
	STATS_MAX,
};

struct stats {
	__u64 by[STATS_MAX]; /* since the start */
	struct event_stats events;
	__u64 services; /* in the inventory */
	__u64 changes[CHANGE_KINDS];
};

/* The current values. */
void stats_read(struct stats *now, __u64 packets,
		const __u64 counters[COUNTER_MAX],
		const struct sink_counts *sinks);

/* And, where more than banners are asked for, of the other kinds. */
void stats_read_events(struct stats *now, __u32 kinds,
		       const struct event_counts *counts);

/* What a value is called, and what it counts. */
const struct counter_text *stats_text(int value);

/* The increase since another time; 0 for a value that does not only grow. */
__u64 stats_growth(const struct stats *now, const struct stats *before,
		   int value);

/* Every value, in a line of its own, to standard error, and the verdict. */
void stats_print_table(const struct stats *now);

/* In one line the time, what has changed since another time, and the losses. */
void stats_print_line(const struct stats *now, const struct stats *before);

#endif
