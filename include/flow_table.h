/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The table of connections: buckets of a few ways, like a processor's cache,
 * and in front of them one bit for each connection that is waited for
 * (prefilter.h). Portable C without a helper call, like segment.h.
 *
 * A decided connection keeps its way until the way is needed, so a late
 * retransmission creates no new entry. An established, undecided connection
 * that has to leave its bucket moves to the LRU map behind (it is spilled). The
 * bucket keeps the marks of the latest of these, and so their bits in front.
 *
 * A connection with a complete handshake never gives way to one without: a
 * flood of SYNs, or of SYN-ACKs, pushes out connections of its own kind, and
 * decided ones.
 */
#ifndef BANNERPROBE_FLOW_TABLE_H
#define BANNERPROBE_FLOW_TABLE_H

#include "prefilter.h"
#include "hash.h"
#include "platform.h"
#include "segment.h"
#include "tracker.h"

#define BUCKET_WAYS 8 /* a power of two */

/*
 * Ways that connections with a complete handshake may keep when new ones need
 * room. A flood of silent connections must not leave new connections a single
 * way: each would have no more time than until the next SYN.
 */
#define COMPLETE_WAYS 2

/*
 * Words of the prefilter for a bucket, where there are enough. With all ways of a
 * bucket taken, 3 % of its other connections are false positives, which the tags
 * tell. Twice as many words made a connection dearer: they take more cache.
 */
#define WORDS_PER_BUCKET 4

/* Connections that the largest table has room for: a word for each bucket. */
#define PENDING_MAX (PREFILTER_WORDS_MAX * BUCKET_WAYS)

/* A bucket looks for as many of its spilled connections, the latest. */
#define SPILLED_MAX 12

/* What is in a way, in the order of its priority. The two in the middle are
 * equal: of these the older gives way.
 */
enum table_rank {
	RANK_FREE, /* no connection */
	RANK_DECIDED,
	RANK_HALF_OPEN,
	RANK_COMPLETE, /* its handshake is, and nothing is decided */
};

/*
 * A tag: bits of a connection's hash. Its bit in the prefilter (the word of the
 * bucket, then the bit), and some more to tell false positives by.
 */
#define TAG_BIT 0x00ff
#define TAG_WORD_SHIFT 6
#define TAG_MORE 0x3f00
#define TAG_RIVALS 0x4000 /* of what stands beside a connection */
#define TAG_USED 0x8000	  /* in each, so 0 is none */

/* A priority: the rank, whether data and ACKs may matter, when it began. */
#define RANK_SHIFT 14
#define PRIORITY_WAITS (1U << 13)
#define ORDER_MASK (PRIORITY_WAITS - 1)

#ifdef __bpf__
#define BUCKET_LOCK struct bpf_spin_lock
#else
#define BUCKET_LOCK __u32 /* of the same size; one thread only */
#endif

/* A cache line: all that is read where a connection is not found. */
struct bucket {
	BUCKET_LOCK lock; /* held while any of this, or an entry, is changed */
	union {
		struct {
			__u16 begun; /* connections; ages are differences to it */
			__u8 spills; /* connections moved to the LRU map */
			__u8 next_spilled; /* where the tag of the next goes */
		};
		__u32 version; /* of all these: they wrap */
	};
	union {
		__u16 of[BUCKET_WAYS];
		__u64 four[BUCKET_WAYS / 4];
	} tags; /* table_mark() of each way */
	union {
		__u16 of[SPILLED_MAX];
		__u64 four[SPILLED_MAX / 4];
	} spilled_tags; /* likewise, of the latest spilled */
	union {
		__u16 of[BUCKET_WAYS];
		__u64 four[BUCKET_WAYS / 4];
	} priorities;
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

/* The connections of a bucket: each way is a cache line. */
struct bucket_entries {
	struct table_entry {
		__u64 id; /* flow_identify(), rivals_id(); 0: free */
		union {
			struct flow flow;
			struct rivals rivals;
		};
	} ways[BUCKET_WAYS];
};

/* The id of what stands beside a connection. */
static __always_inline __u64 rivals_id(__u64 flow_id)
{
	return flow_id | 1;
}

/* Whether an entry is a connection's: not free, nor of what stands beside one.
 */
static __always_inline bool entry_is_flow(const struct table_entry *entry)
{
	return entry->id && !(entry->id & 1);
}

/* How many buckets make room for `max_flows`; a power of two. */
static inline __u32 table_buckets(__u32 max_flows)
{
	__u32 buckets = 1;

	while (buckets < PREFILTER_WORDS_MAX && buckets * BUCKET_WAYS < max_flows)
		buckets *= 2;
	return buckets;
}

/*
 * Room for spilled connections, besides: for as many complete handshakes as are
 * asked for, also where a flood fills the buckets.
 */
static inline __u32 table_spilled(__u32 max_flows)
{
	return max_flows;
}

/* How many words of the prefilter that many buckets have. */
static inline __u32 table_words(__u32 buckets)
{
	return buckets < PREFILTER_WORDS_MAX / WORDS_PER_BUCKET ?
		       buckets * WORDS_PER_BUCKET :
		       PREFILTER_WORDS_MAX;
}

/* A segment of a connection that may be undecided, and what comes of it. */
struct sighting {
	struct segment segment;
	__u64 hash;	  /* of the connection: flow_hash() */
	__u64 id;	  /* likewise: flow_identify() */
	int sender;	  /* which end of it sent the segment: 0 or 1 */
	int way;	  /* where it was found in its bucket, or -1 */
	int rivals_way;	  /* likewise, what stands beside it */
	__u8 to_own;	  /* enum own_address: of the segment's destination */
	__u8 reserved[3];
	struct flow flow; /* its state after the segment */
	struct rivals rivals; /* likewise */
	struct verdict verdict;
};

/* Where a connection belongs. */
struct table_place {
	struct bucket *bucket;
	struct bucket_entries *entries;
	struct prefilter prefilter;
	__u32 first_word; /* of the prefilter's, those that are the bucket's own */
	__u32 word_mask;  /* how many they are, a power of two, less one */
	__u16 tag;	  /* of the connection: tag_of() */
};

/* The tag of a hash. `word_mask`: as in struct table_place. */
static __always_inline __u16 tag_of(__u64 hash, __u32 word_mask)
{
	const __u32 word = (__u32)(hash >> 32) & word_mask;

	return (__u16)(TAG_USED | (hash >> 42 & TAG_MORE) |
		       (word << TAG_WORD_SHIFT & TAG_BIT) | prefilter_bit(hash));
}

static __always_inline __u64 *front_word(const struct table_place *place,
					 __u16 tag)
{
	__u32 word = (tag & TAG_BIT) >> TAG_WORD_SHIFT & place->word_mask;

	return &place->prefilter
			.words[(place->first_word | word) & place->prefilter.mask];
}

/*
 * Four numbers of 16 bits at once, in the lanes of a word. A set of lanes has
 * bit 15 of each. Without a branch: the verifier would follow each through all
 * that comes.
 */
#define EACH_LANE 0x0001000100010001ULL
#define LANE_TOP (EACH_LANE << 15)
#define LANE_REST (LANE_TOP - EACH_LANE)

/* The set of those that are this tag, in the bits of the mask. */
static __always_inline __u64 lanes_like(__u64 four, __u16 tag, __u16 mask)
{
	const __u64 differs = (four ^ tag * EACH_LANE) & mask * EACH_LANE;

	return ~(((differs & LANE_REST) + LANE_REST) | differs | LANE_REST);
}

/* A set of ways, from those of two words: see lowest_way(). */
static __always_inline __u64 ways_of_lanes(__u64 first, __u64 second)
{
	return first >> 8 | second;
}

/* The lowest of a set of ways: a product that has each at its place. */
static __always_inline int lowest_way(__u64 ways)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const __u64 way_of_byte = 0x0004010502060307ULL;
#else
	const __u64 way_of_byte = 0x0307020601050004ULL;
#endif

	return (int)(((ways & -ways) >> 7) * way_of_byte >> 56);
}

/* The ways that have a tag. */
static __always_inline __u64 ways_with(const struct bucket *bucket, __u16 tag)
{
	const volatile __u64 *four = bucket->tags.four;

	return ways_of_lanes(lanes_like(four[0], tag, 0xffff),
			     lanes_like(four[1], tag, 0xffff));
}

/* The spilled that have a tag, as a set: of each word its own bits. */
static __always_inline __u64 spilled_like(const struct bucket *bucket,
					  __u16 tag, __u16 mask)
{
	const volatile __u64 *four = bucket->spilled_tags.four;

	return lanes_like(four[0], tag, mask) |
	       lanes_like(four[1], tag, mask) >> 1 |
	       lanes_like(four[2], tag, mask) >> 2;
}

static __always_inline __u64 spilled_with(const struct bucket *bucket,
					  __u16 tag)
{
	return spilled_like(bucket, tag, 0xffff);
}

/*
 * Whether a bucket has a connection with this tag, or what stands beside one:
 * without the lock. The ways are looked at first: a connection that is spilled
 * meanwhile is among the spilled before it leaves its way.
 */
static __always_inline bool bucket_may_have(const struct bucket *bucket,
					    __u16 tag)
{
	const volatile __u64 *four = bucket->tags.four;
	const __u16 mask = 0xffff ^ TAG_RIVALS;
	const __u64 here = lanes_like(four[0], tag, mask) |
			   lanes_like(four[1], tag, mask);

	return here | spilled_like(bucket, tag, mask);
}

static __always_inline void prefilter_set(const struct table_place *place,
					  __u16 tag)
{
	__u64 *word = front_word(place, tag);
	const __u64 bit = 1ULL << (tag & 63);

	if (!(*word & bit)) /* all CPUs read it */
		*word |= bit;
}

/* Clears the bit of a tag, unless another connection waits that has it. */
static __always_inline void prefilter_clear(const struct table_place *place,
					    __u16 tag)
{
	const struct bucket *bucket = place->bucket;
	const __u16 mask = TAG_USED | TAG_BIT;
	const __u64 *tags = bucket->tags.four;
	/* Bit 13 of the priorities, in its place. */
	const __u64 *waits = bucket->priorities.four;
	const __u64 here = (lanes_like(tags[0], tag, mask) & waits[0] << 2) |
			   (lanes_like(tags[1], tag, mask) & waits[1] << 2);
	__u64 clears = !(here | spilled_like(bucket, tag, mask));

	clears &= tag / TAG_USED;
	OPAQUE(clears);
	*front_word(place, tag) &= ~(clears << (tag & 63));
}

/*
 * The way of a connection, or -1. Without a branch: the verifier would follow
 * each through all that comes.
 */
static __always_inline int
table_find_id(const struct bucket_entries *entries, __u64 id)
{
	__u64 found = 0;

	for (int i = 0; i < BUCKET_WAYS; i++) {
		__u64 differs = entries->ways[i].id ^ id;

		differs |= -differs; /* its highest bit: differs at all */
		OPAQUE(differs);
		found |= (~differs >> 63) * (i + 1);
	}
	return (int)found - 1;
}

/* The same by the tag, and mostly without a look at the entries. */
static __always_inline int table_find_tagged(const struct table_place *place,
					     __u16 tag, __u64 id)
{
	__u64 ways = ways_with(place->bucket, tag);
	int way = lowest_way(ways) & (BUCKET_WAYS - 1);

	if (!ways)
		return -1;
	if (place->entries->ways[way].id == id)
		return way;
	/* No other has this tag: each entry is a cache line to be spared. */
	if (!(ways & (ways - 1)))
		return -1;
	return table_find_id(place->entries, id);
}

static __always_inline int table_find(const struct table_place *place,
				      __u64 id)
{
	return table_find_tagged(place, place->tag, id);
}

static __always_inline bool table_has_id(const struct table_place *place,
					 int way, __u64 id)
{
	return place->entries->ways[way & (BUCKET_WAYS - 1)].id == id;
}

static __always_inline enum table_rank flow_rank(const struct flow *flow)
{
	const __u32 seen = flow->seen;
	const __u32 used = (seen / SEEN_SYN | seen / SEEN_SYNACK) & 1;
	const __u32 answered = seen / SEEN_ANSWERED & 1;
	/* And nothing more is gathered: then nothing is left of these. */
	const __u32 more = FLOW_DECIDED | FLOW_GATHERING | FLOW_AWAITED |
			   FLOW_GATHERS_CLIENT;
	const __u32 decided = (((seen & more) ^ FLOW_DECIDED) - 1U) >> 31;

	return decided * RANK_DECIDED +
	       (decided ^ 1) * used * (RANK_HALF_OPEN + answered);
}

/* Whether data and ACKs of a connection may matter. */
static __always_inline bool rank_waits(enum table_rank rank)
{
	return (rank >> 1) & 1;
}

/*
 * Likewise of what stands beside a connection. A SYN alone, beside an open
 * connection, waits for no data: so a forged SYN does not make each packet of
 * the connection expensive.
 */
static __always_inline bool rivals_wait(const struct rivals *rivals,
					const struct flow *flow)
{
	return rivals->seen & NEXT ||
	       (rivals->seen && flow_is_closed(flow));
}

/* What gives way: the least worth, or one with a complete handshake. */
enum victim {
	VICTIM_LEAST,
	VICTIM_COMPLETE,
};

/* In each lane, how soon it gives way: how fit it is, then its age. */
static __always_inline __u64 victim_keys(__u64 priorities, __u16 begun,
					 enum victim wanted)
{
	const __u64 orders = priorities & EACH_LANE * ORDER_MASK;
	const __u64 ages = ((begun * EACH_LANE | LANE_TOP) - orders) &
			   EACH_LANE * ORDER_MASK;
	const __u64 one = EACH_LANE << 13, worse = ~priorities;

	if (wanted == VICTIM_COMPLETE)
		return ages | (priorities >> 1 & priorities >> 2 & one);
	/* 2 for a free way, 1, 1, 0 for a complete one. */
	return ages + (worse >> 1 & one) + (worse >> 2 & one);
}

/* The greater of each lane; bit 15 is clear in all of them. */
static __always_inline __u64 lanes_max(__u64 a, __u64 b)
{
	const __u64 a_is = ((a | LANE_TOP) - b) & LANE_TOP;

	return b ^ ((a ^ b) & (a_is - (a_is >> 15)));
}

/* Likewise, but 0 where a way has the tag `spared`. */
static __always_inline __u64 victim_keys_but(const struct bucket *bucket,
					     int word, enum victim wanted,
					     __u16 spared)
{
	const __u64 keys = victim_keys(bucket->priorities.four[word],
				       bucket->begun, wanted);
	__u64 are_spared;

	if (!spared)
		return keys;
	are_spared = lanes_like(bucket->tags.four[word], spared, 0xffff);
	return keys & ~(are_spared - (are_spared >> 15));
}

/*
 * The way of the victim, and of equals the oldest. `spared`: the tag of ways
 * that give way last; 0: none.
 */
static __always_inline int table_victim(const struct bucket *bucket,
					enum victim wanted, __u16 spared)
{
	const __u64 first = victim_keys_but(bucket, 0, wanted, spared);
	const __u64 second = victim_keys_but(bucket, 1, wanted, spared);
	__u64 most = lanes_max(first, second);
	__u16 key;

	most = lanes_max(most, most >> 32);
	most = lanes_max(most, most >> 16);
	key = (__u16)most;
	return lowest_way(ways_of_lanes(lanes_like(first, key, 0xffff),
					lanes_like(second, key, 0xffff))) &
	       (BUCKET_WAYS - 1);
}

/* Whether a connection in a way has to be kept elsewhere before it goes. */
static __always_inline bool
table_must_spill(const struct bucket *bucket, int way)
{
	return bucket->priorities.of[way & (BUCKET_WAYS - 1)] >> RANK_SHIFT ==
	       RANK_COMPLETE;
}

/*
 * Whether a connection with a complete handshake is to be spilled before
 * another begins: no way holds a decided connection, and more than
 * COMPLETE_WAYS hold one with a complete handshake.
 */
static __always_inline bool
table_is_crowded(const struct bucket *bucket)
{
	const __u64 *four = bucket->priorities.four;
	const __u64 complete = ((four[0] & four[0] << 1 & LANE_TOP) >> 15) +
			       ((four[1] & four[1] << 1 & LANE_TOP) >> 15);

	/* Bit 15 is set in those that are half open or complete. */
	return (four[0] & four[1] & LANE_TOP) == LANE_TOP &&
	       complete * EACH_LANE >> 48 > COMPLETE_WAYS;
}

static __always_inline __u16 priority_of(enum table_rank rank, bool waits,
					 __u32 order)
{
	return (__u16)((__u32)rank << RANK_SHIFT | (waits ? PRIORITY_WAITS : 0) |
		       (order & ORDER_MASK));
}

/*
 * Sets the priority of a way, and its bit of the prefilter. `order`: the
 * bucket's `begun` when it began.
 */
static __always_inline void table_set_priority(const struct table_place *place,
					       int way, enum table_rank rank,
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

/* Likewise, of another connection than was there. */
static __always_inline void table_set(const struct table_place *place,
				      int way, __u64 id, __u16 tag,
				      enum table_rank rank, bool waits,
				      __u32 order)
{
	struct bucket *bucket = place->bucket;
	__u16 old_tag, old_priority;

	way &= BUCKET_WAYS - 1;
	place->entries->ways[way].id = id;
	old_priority = bucket->priorities.of[way];
	old_tag = bucket->tags.of[way];
	bucket->priorities.of[way] = priority_of(rank, waits, order);
	bucket->tags.of[way] = tag;
	/* For lockless readers: the tag before its bit. */
	READ_AGAIN();
	if (waits)
		prefilter_set(place, tag);
	if (old_priority & PRIORITY_WAITS && !(waits && tag == old_tag))
		prefilter_clear(place, old_tag);
}

/* --- spilling ------------------------------------------------------------ */

/* Tags a spilled connection, in the place of the twelfth before it. */
static __always_inline void spilled_add(const struct table_place *place,
					__u16 tag)
{
	struct bucket *bucket = place->bucket;
	const __u32 next = bucket->next_spilled;
	__u16 old;

	if (next >= SPILLED_MAX)
		return; /* never: the verifier asks for it */
	old = bucket->spilled_tags.of[next];
	bucket->spilled_tags.of[next] = tag;
	bucket->next_spilled = (__u8)(next + 1 < SPILLED_MAX ? next + 1 : 0);
	READ_AGAIN();
	prefilter_set(place, tag);
	prefilter_clear(place, old);
}

/*
 * A spilled connection is not waited for any more. Where several have its tag,
 * one is removed, and the bit stays set for the others.
 */
static __always_inline void spilled_remove(const struct table_place *place,
					   __u16 tag)
{
	__u64 *four = place->bucket->spilled_tags.four;
	__u64 found = spilled_with(place->bucket, tag);

	found = (found & -found) >> (15 - 2);
	four[0] &= ~((found >> 2 & EACH_LANE) * 0xffff);
	four[1] &= ~((found >> 1 & EACH_LANE) * 0xffff);
	four[2] &= ~((found & EACH_LANE) * 0xffff);
	prefilter_clear(place, tag);
}

/*
 * Moves the connection of a way to `entry`, its place outside the bucket, if it
 * is still there and to be spilled.
 */
static __always_inline void table_spill(const struct table_place *place,
					int way, __u64 id, struct flow *entry)
{
	struct bucket *bucket = place->bucket;
	const struct table_entry *leaving;

	way &= BUCKET_WAYS - 1;
	leaving = &place->entries->ways[way];
	if (leaving->id != id || !table_must_spill(bucket, way))
		return;
	/*
	 * The order matters for lockless readers: the tag is set before there
	 * is an entry to find and before the way is free, and `spills` changes
	 * after the entry has left.
	 */
	spilled_add(place, bucket->tags.of[way]);
	READ_AGAIN();
	*entry = leaving->flow;
	table_set(place, way, 0, 0, RANK_FREE, false, 0);
	READ_AGAIN();
	bucket->spills++;
}

/* --- a segment ----------------------------------------------------------- */

/*
 * Stores what stands beside a connection, in a way of its own. Where no way can
 * be had it is forgotten, and the connection stays as it is.
 */
static __always_inline void table_put_rivals(const struct table_place *place,
					       struct sighting *sighting)
{
	const struct rivals *rivals = &sighting->rivals;
	struct bucket *bucket = place->bucket;
	int way = sighting->rivals_way;

	if (way < 0) {
		if (!rivals->seen)
			return;
		/* What stood beside an earlier one, perhaps. */
		way = table_find_tagged(place, place->tag | TAG_RIVALS,
					rivals_id(sighting->id));
	}
	if (way < 0) {
		way = table_victim(bucket, VICTIM_LEAST, place->tag);
		if (way == sighting->way || table_must_spill(bucket, way))
			return;
	}
	place->entries->ways[way & (BUCKET_WAYS - 1)].rivals = *rivals;
	if (rivals->seen)
		table_set(place, way, rivals_id(sighting->id),
			  place->tag | TAG_RIVALS,
			  RANK_HALF_OPEN, rivals_wait(rivals, &sighting->flow),
			  ++bucket->begun);
	else
		table_set(place, way, 0, 0, RANK_FREE, false, 0);
}

/* Reads what stands beside a connection. */
static __always_inline void table_read_rivals(const struct table_place *place,
					      struct sighting *sighting)
{
	const __u16 tag = place->tag | TAG_RIVALS;

	sighting->rivals_way =
		table_find_tagged(place, tag, rivals_id(sighting->id));
	if (sighting->rivals_way >= 0)
		sighting->rivals =
			place->entries
				->ways[sighting->rivals_way & (BUCKET_WAYS - 1)]
				.rivals;
}

/* A connection begins, where it can. */
static __always_inline void table_begin(const struct table_place *place,
					struct sighting *sighting)
{
	const int way = table_victim(place->bucket, VICTIM_LEAST, 0);
	const enum table_rank rank = flow_rank(&sighting->flow);

	if (table_must_spill(place->bucket, way))
		return;
	sighting->way = way;
	/* What stood beside it has made room, and is empty. */
	if (way == sighting->rivals_way)
		sighting->rivals_way = -1;
	place->entries->ways[way].flow = sighting->flow;
	table_set(place, way, sighting->id, place->tag, rank, rank_waits(rank), ++place->bucket->begun);
}

/* A connection of the bucket, after a segment. */
static __always_inline void table_go_on(const struct table_place *place,
					struct sighting *sighting,
					const struct flow *flow)
{
	const int way = sighting->way & (BUCKET_WAYS - 1);
	const enum table_rank rank = flow_rank(flow);
	struct bucket *bucket = place->bucket;
	__u32 order = bucket->priorities.of[way];

	/* A handshake that goes on is young again, unlike a flood's. */
	if (sighting->verdict.began || sighting->segment.flags & TCP_SYN)
		order = ++bucket->begun;
	table_set_priority(place, way, rank, rank_waits(rank), order);
	/* For the record, and for what stands beside. */
	if (verdict_is_logged(&sighting->verdict) || sighting->rivals.seen)
		sighting->flow = *flow;
}

/* A spilled connection goes on, or has ended and another one begins here. */
static __always_inline void put_known(const struct table_place *place,
				      struct flow *known,
				      const struct sighting *sighting)
{
	bool waited;

	if (sighting->way >= 0)
		return;
	/* Of one that is decided, the tag is another connection's. */
	waited = flow_is_watched(known);
	*known = sighting->flow;
	if (sighting->verdict.began)
		known->seen = 0;
	if (waited && !flow_is_watched(known))
		spilled_remove(place, place->tag);
}

/*
 * Takes a segment into account for its connection. That is in its bucket
 * (sighting->way), or known elsewhere (`known`, changed in place), or neither:
 * then it begins here if it can, in the way of the least worth. The lock is
 * held. Fills in flow and verdict.
 */
static __always_inline void table_track(const struct table_place *place,
					  struct flow *known,
					  struct sighting *sighting, __u64 now,
					  const struct track_options *options)
{
	const struct context context = { .sender = sighting->sender & 1,
					 .now = now,
					 .to_own = sighting->to_own };
	struct flow *flow = &sighting->flow;

	/* The flow is changed where it stands, which spares copies. */
	if (sighting->way >= 0)
		flow = &place->entries->ways[sighting->way & (BUCKET_WAYS - 1)]
				.flow;
	else if (known)
		sighting->flow = *known;
	else
		__builtin_memset(flow, 0, sizeof(*flow));
	sighting->rivals_way = -1;
	if (sighting->segment.flags & TCP_SYN || flow->seen & FLOW_RIVALS)
		__builtin_memset(&sighting->rivals, 0,
				 sizeof(sighting->rivals));
	else
		sighting->rivals.seen = 0;
	if (flow->seen & FLOW_RIVALS)
		table_read_rivals(place, sighting);
	READ_AGAIN();
	track(flow, &sighting->rivals, &sighting->segment, &context, options,
	      &sighting->verdict);
	READ_AGAIN();
	if (sighting->verdict.asks)
		return;
	if (known)
		put_known(place, known, sighting);
	if (sighting->way >= 0)
		table_go_on(place, sighting, flow);
	else if (sighting->verdict.began)
		table_begin(place, sighting);
	READ_AGAIN();
	table_put_rivals(place, sighting);
}

#endif
