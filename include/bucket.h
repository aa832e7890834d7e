/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A bucket of the flow table: a few ways, like those of a processor cache, with
 * a tag and a priority each; and the tags of connections that moved to the
 * overflow LRU. Searching a bucket and choosing a way to evict handle four
 * 16-bit lanes of a word at a time. Portable C without a helper call, like
 * segment.h.
 */
#ifndef BANNERPROBE_BUCKET_H
#define BANNERPROBE_BUCKET_H

#include "flow.h"
#include "platform.h"
#include "prefilter.h"
#include "rivals.h"

#define BUCKET_WAYS 8 /* a power of two */

/*
 * How many ways established connections may keep when a new connection needs
 * room. Without this limit a flood of silent connections would leave one way
 * for all new connections, and each SYN would evict the connection before it.
 */
#define COMPLETE_WAYS 2

/* How many tags of connections in the overflow a bucket keeps. */
#define OVERFLOW_TAGS 12

/*
 * What a way holds, the lowest priority first. RANK_DECIDED and RANK_HALF_OPEN
 * have the same priority: the older connection is evicted.
 */
enum rank {
	RANK_FREE, /* no connection */
	RANK_DECIDED,
	RANK_HALF_OPEN,
	RANK_COMPLETE, /* handshake complete, not decided */
};

/*
 * A tag: bits of a connection's hash. The low eight name its bit in the
 * prefilter (the word of the bucket, then the bit in the word); TAG_MORE
 * detects false positives.
 */
#define TAG_BIT 0x00ff
#define TAG_WORD_SHIFT 6
#define TAG_MORE 0x3f00
#define TAG_RIVALS 0x4000 /* the way holds rivals, not a connection */
#define TAG_USED 0x8000	  /* set in every tag, so that 0 means a free way */

/*
 * A priority, from the highest bit: the rank, whether the connection waits for
 * data and ACKs, and when it began.
 */
#define RANK_SHIFT 14
#define PRIORITY_WAITS (1U << 13)
#define ORDER_MASK (PRIORITY_WAITS - 1)

#ifdef __bpf__
#define BUCKET_LOCK struct bpf_spin_lock
#else
#define BUCKET_LOCK __u32 /* the same size; user space has one thread */
#endif

/*
 * The first cache line is all that is read if the connection is not in the
 * bucket; each way is another one.
 */
struct bucket {
	BUCKET_LOCK lock; /* held while the bucket is changed */
	union {
		struct {
			__u16 begun; /* counts connections; an age is a
				      * difference to it */
			__u8 moves;  /* connections moved to the overflow */
			__u8 next_overflow; /* the slot for the next overflow
					     * tag */
		};
		__u32 version; /* of these three, each of which wraps */
	};
	union {
		__u16 of[BUCKET_WAYS];
		__u64 four[BUCKET_WAYS / 4];
	} tags; /* one for each way: tag_of() */
	union {
		__u16 of[OVERFLOW_TAGS];
		__u64 four[OVERFLOW_TAGS / 4];
	} overflow_tags; /* of the latest connections that moved there */
	union {
		__u16 of[BUCKET_WAYS];
		__u64 four[BUCKET_WAYS / 4];
	} priorities;
	struct table_entry {
		__u64 id; /* flow_identify(), rivals_id(); 0: free */
		union {
			struct flow flow;
			struct rivals rivals;
		};
	} ways[BUCKET_WAYS];
};
_Static_assert(offsetof(struct bucket, ways) == 64, "a cache line");
_Static_assert(sizeof(struct table_entry) == 64, "a cache line");

/* The id of the rivals of a connection. */
static __always_inline __u64 rivals_id(__u64 flow_id)
{
	return flow_id | 1;
}

/* Whether an entry holds a connection, and is neither free nor holds rivals. */
static __always_inline bool entry_is_flow(const struct table_entry *entry)
{
	return entry->id && !(entry->id & 1);
}

/* The tag of a hash. `word_mask`: as in struct table_place. */
static __always_inline __u16 tag_of(__u64 hash, __u32 word_mask)
{
	const __u32 word = (__u32)(hash >> 32) & word_mask;

	return (__u16)(TAG_USED | (hash >> 42 & TAG_MORE) |
		       (word << TAG_WORD_SHIFT & TAG_BIT) |
		       prefilter_bit(hash));
}

/*
 * Arithmetic on four 16-bit lanes of a word at once. A set of lanes has bit 15
 * of each member set. There are no branches, because the verifier would follow
 * each of them through all that comes later.
 */
#define EACH_LANE 0x0001000100010001ULL
#define LANE_TOP (EACH_LANE << 15)
#define LANE_REST (LANE_TOP - EACH_LANE)

/* The set of lanes that equal the tag in the bits of the mask. */
static __always_inline __u64 lanes_equal(__u64 four, __u16 tag, __u16 mask)
{
	const __u64 differs = (four ^ tag * EACH_LANE) & mask * EACH_LANE;

	return ~(((differs & LANE_REST) + LANE_REST) | differs | LANE_REST);
}

/* Joins the sets of two words to a set of ways: see lowest_way(). */
static __always_inline __u64 ways_of_lanes(__u64 first, __u64 second)
{
	return first >> 8 | second;
}

/*
 * The lowest way of a set: a multiplication moves each way's bit to its place.
 */
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
#ifdef __bpf__
	const volatile __u64 *four = bucket->tags.four;

	return ways_of_lanes(lanes_equal(four[0], tag, 0xffff),
			     lanes_equal(four[1], tag, 0xffff));
#else
	typedef __u16 lanes __attribute__((vector_size(16)));
	typedef __u64 words __attribute__((vector_size(16)));
	const __u64 four = tag * EACH_LANE;
	lanes tags;
	__u64 equal[2];

	memcpy(&tags, bucket->tags.of, sizeof(tags));
	tags = (lanes)(tags == (lanes)(words){ four, four });
	memcpy(equal, &tags, sizeof(equal));
	return ways_of_lanes(equal[0] & LANE_TOP, equal[1] & LANE_TOP);
#endif
}

/*
 * The overflow tags that equal this one, as a set; each word contributes its
 * own bits. Most buckets have no overflow tag.
 */
static __always_inline __u64 overflow_like(const struct bucket *bucket,
					   __u16 tag, __u16 mask)
{
	const volatile __u64 *four = bucket->overflow_tags.four;
	const __u64 first = four[0], second = four[1], third = four[2];

	if (!(first | second | third))
		return 0;
	return lanes_equal(first, tag, mask) |
	       lanes_equal(second, tag, mask) >> 1 |
	       lanes_equal(third, tag, mask) >> 2;
}

static __always_inline __u64 overflow_with(const struct bucket *bucket,
					   __u16 tag)
{
	return overflow_like(bucket, tag, 0xffff);
}

/*
 * Whether a bucket has a connection with this tag, or its rivals. May be called
 * without the lock. The ways are looked at first: a connection that moves to
 * the overflow meanwhile gets its overflow tag before it leaves its way.
 */
static __always_inline bool bucket_may_have(const struct bucket *bucket,
					    __u16 tag)
{
	const volatile __u64 *four = bucket->tags.four;
	const __u16 mask = 0xffff ^ TAG_RIVALS;
	const __u64 here = lanes_equal(four[0], tag, mask) |
			   lanes_equal(four[1], tag, mask);

	return here || overflow_like(bucket, tag, mask);
}

/*
 * The way of a connection, or -1. There are no branches, because the verifier
 * would follow each of them through all that comes later.
 */
static __always_inline int table_find_id(const struct bucket *bucket, __u64 id)
{
	__u64 found = 0;

	for (int i = 0; i < BUCKET_WAYS; i++) {
		__u64 differs = bucket->ways[i].id ^ id, is_same;

		differs |= -differs; /* its highest bit: differs at all */
		is_same = ~differs >> 63;
		OPAQUE(is_same); /* so that the compiler makes no branch */
		found |= is_same * (i + 1);
	}
	return (int)found - 1;
}

/* Which way to evict: of the least priority, or with a complete handshake. */
enum victim {
	VICTIM_LEAST,
	VICTIM_COMPLETE,
};

/*
 * A key for each lane: the way with the greatest key is evicted. From bit 14
 * down it has: the rank, 2 for the first to be evicted; the age, in connections
 * of the bucket; and the way, so that the greatest key tells it. Ages beyond
 * AGE_MASK are taken for less: a way is evicted long before, unless its rank
 * keeps it, or nothing but SYNs of connections in the bucket makes it older.
 */
#define KEY_RANK_SHIFT 13
#define KEY_AGE_SHIFT 3
#define AGE_MASK 0x3ffULL

/* What the key has for the way, 7 for way 0: by the word's lanes. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KEY_WAYS 0x0000000100020003ULL
#else
#define KEY_WAYS 0x0003000200010000ULL
#endif
#define KEY_WAYS_OF(word) (KEY_WAYS + ((word) ? 0 : 4) * EACH_LANE)

static __always_inline __u64 victim_keys(__u64 priorities, __u16 begun,
					 enum victim wanted)
{
	const __u64 orders = priorities & EACH_LANE * AGE_MASK;
	const __u64 ages = ((begun * EACH_LANE | LANE_TOP) - orders) &
			   EACH_LANE * AGE_MASK;
	const __u64 one = EACH_LANE << KEY_RANK_SHIFT, worse = ~priorities;

	if (wanted == VICTIM_COMPLETE)
		return ages << KEY_AGE_SHIFT |
		       (priorities >> 1 & priorities >> 2 & one);
	/* 2 for a free way, 1 for decided and half open, 0 for complete. */
	return (ages << KEY_AGE_SHIFT) + (worse >> 1 & one) +
	       (worse >> 2 & one);
}

/* The greater value in each lane; bit 15 is clear in all of them. */
static __always_inline __u64 lanes_max(__u64 a, __u64 b)
{
	const __u64 a_is = ((a | LANE_TOP) - b) & LANE_TOP;

	return b ^ ((a ^ b) & (a_is - (a_is >> 15)));
}

/* victim_keys() for a word of the bucket, but 0 for ways tagged `spared`. */
static __always_inline __u64 victim_keys_but(const struct bucket *bucket,
					     int word, enum victim wanted,
					     __u16 spared)
{
	const __u64 keys = victim_keys(bucket->priorities.four[word],
				       bucket->begun, wanted) |
			   KEY_WAYS_OF(word);
	__u64 are_spared;

	if (!spared)
		return keys;
	are_spared = lanes_equal(bucket->tags.four[word], spared, 0xffff);
	return keys & ~(are_spared - (are_spared >> 15));
}

/*
 * The way to evict; of equal ones, the oldest. Ways with the tag `spared` are
 * evicted last; 0: none is spared.
 */
static __always_inline int bucket_victim(const struct bucket *bucket,
					 enum victim wanted, __u16 spared)
{
	const __u64 first = victim_keys_but(bucket, 0, wanted, spared);
	const __u64 second = victim_keys_but(bucket, 1, wanted, spared);
	__u64 most = lanes_max(first, second);

	most = lanes_max(most, most >> 32);
	most = lanes_max(most, most >> 16);
	return (int)~most & (BUCKET_WAYS - 1);
}

/*
 * Whether the connection in a way has to move to the overflow before it is
 * evicted.
 */
static __always_inline bool bucket_way_is_complete(const struct bucket *bucket,
						   int way)
{
	return bucket->priorities.of[way & (BUCKET_WAYS - 1)] >> RANK_SHIFT ==
	       RANK_COMPLETE;
}

/*
 * Whether a connection with a complete handshake has to be evicted before
 * another begins: no way holds a decided connection, and more than
 * COMPLETE_WAYS hold one with a complete handshake.
 */
static __always_inline bool bucket_is_crowded(const struct bucket *bucket)
{
	const __u64 *four = bucket->priorities.four;
	const __u64 complete = ((four[0] & four[0] << 1 & LANE_TOP) >> 15) +
			       ((four[1] & four[1] << 1 & LANE_TOP) >> 15);

	/* Bit 15 is set for half open and complete. */
	return (four[0] & four[1] & LANE_TOP) == LANE_TOP &&
	       complete * EACH_LANE >> 48 > COMPLETE_WAYS;
}

#endif
