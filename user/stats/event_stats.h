/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The fates of each event kind, where more than banners are asked for. */
#ifndef BANNERPROBE_EVENT_STATS_H
#define BANNERPROBE_EVENT_STATS_H

#include "event_kind.h"

#include <stdio.h>

struct event_stats {
	__u32 kinds; /* kinds asked for: EVENT_BIT(); 0: nothing is reported */
	struct event_counts counts;
};

/* Whether these statistics have a kind. Banners are in the counters instead. */
bool event_stats_tell(const struct event_stats *stats, int kind);

/* The name of a fate: "data_unseen". */
const char *event_fate_name(int fate);

/* ,"events":{"request":{"logged":1,...},...}; nothing if there are none. */
void event_stats_write_json(FILE *file, const struct event_stats *stats);

/* Writes ", request_logged 3 (+1)" for each kind that had new ones. */
void event_stats_write_changes(FILE *line, const struct event_stats *now,
			       const struct event_stats *before);

/* A line for each kind and fate, to standard error. */
void event_stats_print(const struct event_stats *stats);

#endif
