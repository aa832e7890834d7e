/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "reader_source.h"
#include "system/clock.h"

#include <stdlib.h>
#include <time.h>

#define HINTS (1U << 16)

bool reader_source_open(struct reader_source *source,
			const struct published *published)
{
	/* Only the used part of these arrays takes memory. */
	*source = (struct reader_source){
		.published = published,
		.hints = calloc(HINTS, sizeof(*source->hints)),
		.banners =
			calloc(PUBLISHED_INTERFACES, sizeof(*source->banners)),
		.generations = calloc(PUBLISHED_INTERFACES,
				      sizeof(*source->generations)),
	};
	source->stats.banners = source->banners;
	return source->hints && source->banners && source->generations;
}

__u64 reader_source_begin(struct reader_source *source)
{
	const __u64 now = monotonic_ns();

	source->clock_offset = clock_ns(CLOCK_REALTIME) - now;
	return now;
}

/*
 * Begins to count at 0 where another interface has taken the place of one that
 * has gone. False: the count belongs to a later interface already.
 */
static bool begin_count(struct reader_source *source, __u32 place,
			__u32 generation)
{
	if ((__s32)(generation - source->generations[place]) < 0)
		return false;
	if (source->generations[place] == generation)
		return true;
	source->generations[place] = generation;
	source->banners[place] = 0;
	return true;
}

struct source reader_source_find(const struct event *event, void *context)
{
	struct reader_source *source = context;
	struct published_name *found = &source->found;

	if (!published_find(source->published, event->ifindex, event->time,
			    &source->hints[event->ifindex % HINTS], found))
		*found = (struct published_name){ .interface = NO_PLACE };
	if (event->kind == EVENT_BANNER &&
	    found->interface < PUBLISHED_INTERFACES &&
	    begin_count(source, found->interface, found->generation))
		source->banners[found->interface]++;
	return (struct source){
		.name = found->name,
		.clock_offset = source->clock_offset,
		.owner = source->owners ?
				 owner_client_find(source->owners, event) :
				 NULL,
	};
}

void reader_source_read(struct reader_source *source)
{
	struct published_counts *counts = &source->stats.published;

	published_read(counts, source->published);
	for (__u32 i = 0; i < counts->count; i++)
		begin_count(source, i, counts->interfaces[i].generation);
}
