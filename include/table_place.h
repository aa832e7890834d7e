/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The place of a connection in the flow table: its bucket and its
 * prefilter words. The functions that change them are here; the caller
 * holds the bucket's lock. Portable C without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_TABLE_PLACE_H
#define BANNERPROBE_TABLE_PLACE_H

#include "bucket.h"

/* Where a connection belongs. */
struct table_place {
	struct bucket *bucket;
	struct prefilter prefilter;
	__u32 first_word; /* the bucket's own words of the prefilter */
	__u32 word_mask;  /* how many words, a power of two, less one */
	__u16 tag;	  /* of the connection: tag_of() */
};

static __always_inline __u64 *prefilter_word(const struct table_place *place,
					     __u16 tag)
{
	__u32 word = (tag & TAG_BIT) >> TAG_WORD_SHIFT & place->word_mask;

	return &place->prefilter.words[(place->first_word | word) &
				       place->prefilter.mask];
}

static __always_inline void prefilter_set(const struct table_place *place,
					  __u16 tag)
{
	__u64 *word = prefilter_word(place, tag);
	const __u64 bit = 1ULL << (tag & 63);

	if (!(*word & bit)) /* all CPUs read it: write only on a change */
		*word |= bit;
}

/*
 * Clears the bit of a tag, unless another pending connection has the same bit.
 */
static __always_inline void prefilter_clear(const struct table_place *place,
					    __u16 tag)
{
	const struct bucket *bucket = place->bucket;
	const __u16 mask = TAG_USED | TAG_BIT;
	const __u64 *tags = bucket->tags.four;
	/* PRIORITY_WAITS, bit 13, is shifted by 2 to the lanes' bit 15. */
	const __u64 *waits = bucket->priorities.four;
	const __u64 here = (lanes_equal(tags[0], tag, mask) & waits[0] << 2) |
			   (lanes_equal(tags[1], tag, mask) & waits[1] << 2);
	__u64 clears = !(here | overflow_like(bucket, tag, mask));

	clears &= tag / TAG_USED;
	OPAQUE(clears);
	*prefilter_word(place, tag) &= ~(clears << (tag & 63));
}

/*
 * The way of a connection, or -1. Ways with another tag are not read: each
 * entry is a cache line.
 */
static __always_inline int table_find_tagged(const struct table_place *place,
					     __u16 tag, __u64 id)
{
	__u64 ways = ways_with(place->bucket, tag);
	int way = lowest_way(ways) & (BUCKET_WAYS - 1);

	if (!ways)
		return -1;
	if (place->bucket->ways[way].id == id)
		return way;
	/* No other way has this tag. */
	if (!(ways & (ways - 1)))
		return -1;
	return table_find_id(place->bucket, id);
}

static __always_inline int table_find(const struct table_place *place, __u64 id)
{
	return table_find_tagged(place, place->tag, id);
}

static __always_inline bool table_has_id(const struct table_place *place,
					 int way, __u64 id)
{
	return place->bucket->ways[way & (BUCKET_WAYS - 1)].id == id;
}

static __always_inline __u16 priority_of(enum rank rank, bool waits,
					 __u32 order)
{
	return (__u16)((__u32)rank << RANK_SHIFT |
		       (waits ? PRIORITY_WAITS : 0) | (order & ORDER_MASK));
}

/*
 * Sets the priority of a way, and its bit of the prefilter. `order`: the
 * bucket's `begun` when the connection began.
 */
static __always_inline void table_set_priority(const struct table_place *place,
					       int way, enum rank rank,
					       bool waits, __u32 order)
{
	struct bucket *bucket = place->bucket;
	const __u16 tag = bucket->tags.of[way & (BUCKET_WAYS - 1)];
	__u16 *priority = &bucket->priorities.of[way & (BUCKET_WAYS - 1)];
	const bool waited = *priority & PRIORITY_WAITS;

	*priority = priority_of(rank, waits, order);
	if (waits == waited)
		return;
	if (waits)
		prefilter_set(place, tag);
	else
		prefilter_clear(place, tag);
}

/* Stores another connection than the way held before: id, tag and priority. */
static __always_inline void table_set(const struct table_place *place, int way,
				      __u64 id, __u16 tag, enum rank rank,
				      bool waits, __u32 order)
{
	struct bucket *bucket = place->bucket;
	__u16 old_tag, old_priority;

	way &= BUCKET_WAYS - 1;
	place->bucket->ways[way].id = id;
	old_priority = bucket->priorities.of[way];
	old_tag = bucket->tags.of[way];
	bucket->priorities.of[way] = priority_of(rank, waits, order);
	bucket->tags.of[way] = tag;
	/* For lockless readers the tag is written before its bit. */
	READ_AGAIN();
	if (waits)
		prefilter_set(place, tag);
	if (old_priority & PRIORITY_WAITS && !(waits && tag == old_tag))
		prefilter_clear(place, old_tag);
}

/* --- the overflow -------------------------------------------------------- */

/*
 * Adds the tag of a connection that moves to the overflow, in place of the
 * oldest.
 */
static __always_inline void overflow_tag_add(const struct table_place *place,
					     __u16 tag)
{
	struct bucket *bucket = place->bucket;
	const __u32 next = bucket->next_overflow;
	__u16 old;

	if (next >= OVERFLOW_TAGS)
		return; /* never true; the verifier needs the check */
	old = bucket->overflow_tags.of[next];
	bucket->overflow_tags.of[next] = tag;
	bucket->next_overflow = (__u8)(next + 1 < OVERFLOW_TAGS ? next + 1 : 0);
	READ_AGAIN();
	prefilter_set(place, tag);
	prefilter_clear(place, old);
}

/*
 * Removes the tag of a connection in the overflow that is not pending any more.
 * Where several connections have the tag, one tag is removed, and the bit stays
 * set for the others.
 */
static __always_inline void overflow_tag_remove(const struct table_place *place,
						__u16 tag)
{
	__u64 *four = place->bucket->overflow_tags.four;
	__u64 found = overflow_with(place->bucket, tag);

	found = (found & -found) >> (15 - 2);
	four[0] &= ~((found >> 2 & EACH_LANE) * 0xffff);
	four[1] &= ~((found >> 1 & EACH_LANE) * 0xffff);
	four[2] &= ~((found & EACH_LANE) * 0xffff);
	prefilter_clear(place, tag);
}

/*
 * Moves the connection of a way to `entry`, its place outside of the bucket, if
 * the way still holds it and its handshake is complete.
 */
static __always_inline void
table_move_to_overflow(const struct table_place *place, int way, __u64 id,
		       struct flow *entry)
{
	struct bucket *bucket = place->bucket;
	const struct table_entry *leaving;

	way &= BUCKET_WAYS - 1;
	leaving = &place->bucket->ways[way];
	if (leaving->id != id || !bucket_way_is_complete(bucket, way))
		return;
	/*
	 * The order matters for lockless readers: the tag is set before there
	 * is an entry to find and before the way is free, and `moves` changes
	 * after the entry has left.
	 */
	overflow_tag_add(place, bucket->tags.of[way]);
	READ_AGAIN();
	*entry = leaving->flow;
	table_set(place, way, 0, 0, RANK_FREE, false, 0);
	READ_AGAIN();
	bucket->moves++;
}

#endif
