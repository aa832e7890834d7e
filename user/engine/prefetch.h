/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Prefetches into the CPU's cache what the engine will read of a connection:
 * its word of the prefilter, its bucket, then its entry. Inline: they are
 * called for each packet of a capture.
 */
#ifndef BANNERPROBE_PREFETCH_H
#define BANNERPROBE_PREFETCH_H

#include "packet_engine.h"

static inline void engine_prefetch_bit(const struct engine *engine, __u64 hash)
{
	__builtin_prefetch(
		&engine->prefilter
			 .words[prefilter_index(&engine->prefilter, hash)]);
}

static inline void engine_prefetch_bucket(const struct engine *engine,
					  __u64 hash)
{
	__builtin_prefetch(&engine->buckets[engine_bucket_of(engine, hash)]);
}

/* The bucket has to be in the cache already. */
static inline void engine_prefetch_entry(const struct engine *engine,
					 __u64 hash)
{
	const __u32 index = engine_bucket_of(engine, hash);
	const struct bucket *bucket = &engine->buckets[index];
	const __u64 ways =
		ways_with(bucket, tag_of(hash, engine->words_per_bucket - 1));
	int way = ways ? lowest_way(ways) & (BUCKET_WAYS - 1) :
			 bucket_victim(bucket, VICTIM_LEAST, 0);

	/* The compiler would leave out a loop that only prefetches. */
	OPAQUE(way);
	__builtin_prefetch(&bucket->ways[way]);
}

#endif
