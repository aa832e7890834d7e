/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The statistics of each interface. */
#ifndef BANNERPROBE_INTERFACE_STATS_H
#define BANNERPROBE_INTERFACE_STATS_H

#include "attach/published.h"

#include <stdio.h>

struct interface_stats {
	struct published_counts published;
	const __u64 *banners; /* seen on each interface, by its place */
};

/* ,"interfaces":[...] of a struct interface_stats; a stats_writer. */
void interface_stats_write_json(FILE *file, const void *stats);

/* A line for each interface, to standard error. */
void interface_stats_print(const void *stats);

#endif
