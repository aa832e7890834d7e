/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the interface that an event was seen on, and counts banners by it. */
#ifndef BANNERPROBE_READER_SOURCE_H
#define BANNERPROBE_READER_SOURCE_H

#include "attach/published.h"
#include "event.h"
#include "owner_client.h"
#include "sinks/source.h"
#include "stats/interface_stats.h"

struct reader_source {
	const struct published *published;
	__u64 clock_offset;	     /* ns from CLOCK_MONOTONIC's 0 to 1970 */
	__u32 *hints;		     /* by the low bits of an index */
	struct published_name found; /* the last name found */
	__u64 *banners;		     /* by the place of their interface */
	__u32 *generations;	     /* of that interface */
	struct interface_stats stats;
	struct owner_client *owners; /* NULL: no --owner */
};

/* False without memory. */
bool reader_source_open(struct reader_source *source,
			const struct published *published);

/*
 * Called before each batch, because the wall clock may have been set. Returns
 * the time, ns.
 */
__u64 reader_source_begin(struct reader_source *source);

/* A source_finder of a struct reader_source. */
struct source reader_source_find(const struct event *event, void *source);

/* Reads the published counts into source->stats. */
void reader_source_read(struct reader_source *source);

#endif
