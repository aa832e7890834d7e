/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The table of connections: buckets of a few ways, like a processor's cache,
 * and in front of them one bit for each connection that is waited for
 * (front.h). Portable C without a helper call, like segment.h.
 *
 * Who is decided stays in its way as long as nobody needs that, so that a late
 * repetition begins nothing. Who has to give way though its handshake is
 * complete and nothing is decided goes to the LRU map behind (it is spilled).
 * A bucket that has spilled says "perhaps" to every packet, for as long as the
 * spilled ones are waited for.
 *
 * A connection whose handshake is complete never gives way to one whose
 * handshake is not: a flood of SYNs, or of SYN-ACKs, pushes out its own kind,
 * and what is decided.
 */
#ifndef BANNERPROBE_PENDING_H
#define BANNERPROBE_PENDING_H

#include "front.h"
#include "hash.h"
#include "platform.h"
#include "segment.h"
#include "tracker.h"

#define PENDING_WAYS 8 /* a power of two */

/*
 * Ways that connections with a complete handshake may keep when others need
 * room for theirs: a flood of connections that never speak must not leave each
 * new one a single way, and with it no more time than until the next SYN.
 */
#define COMPLETE_WAYS 2

/*
 * Words of the front for a bucket, where there are enough: with all ways of a
 * bucket taken, 3 % of the others are a "perhaps".
 */
#define WORDS_PER_BUCKET 4

/* Connections that the largest table has room for: a word for each bucket. */
#define PENDING_MAX (FRONT_WORDS_MAX * PENDING_WAYS)

/*
 * How long a bucket remembers that it has spilled, in units of 2^30 ns: an
 * hour. Who says nothing for longer, in a bucket that spilled, is given up.
 */
#define SPILL_LIFETIME 3353
#define SPILL_CLOCK(now) ((__u32)((now) >> 30) | 1) /* never 0 */

/*
 * What is in a way, by how much it is worth keeping: the two in the middle are
 * worth the same, and the older gives way.
 */
enum pending_rank {
	RANK_FREE, /* no connection */
	RANK_DECIDED,
	RANK_HALF_OPEN,
	RANK_COMPLETE, /* its handshake is, and nothing is decided */
};
#define RANK_SHIFT 30
#define WAITING_SHIFT 31 /* not decided: the upper bit of the two */
#define ORDER_MASK ((1U << RANK_SHIFT) - 1)

#ifdef __bpf__
#define BUCKET_LOCK struct bpf_spin_lock
#else
#define BUCKET_LOCK __u32 /* of the same size; nobody to share with */
#endif

/* A cache line: all that is read where a connection is not found. */
struct pending_bucket {
	BUCKET_LOCK lock; /* held while any of this, or an entry, is changed */
	__u32 begun;	  /* their ages are told by it; it wraps */
	__u32 spills;	  /* that have left for the LRU map; it wraps */
	__u32 spill_time; /* SPILL_CLOCK of the last; 0: none is out */
	__u64 marks;	  /* pending_mark() of each way's, in its byte */
	__u32 worth[PENDING_WAYS]; /* rank, then `begun` when it began */
	__u64 reserved;
};

/* The connections of a bucket, each in its way. */
struct pending_entries {
	struct pending_entry {
		__u64 id; /* flow_identify(); 0: free */
		struct flow flow;
	} ways[PENDING_WAYS];
};

/* How many buckets make room for `max_flows`; a power of two. */
static inline __u32 pending_buckets(__u32 max_flows)
{
	__u32 buckets = 1;

	while (buckets < FRONT_WORDS_MAX && buckets * PENDING_WAYS < max_flows)
		buckets *= 2;
	return buckets;
}

/*
 * How many spilled connections there is room for, besides: as many complete
 * handshakes as are asked for, whatever flood of others takes the buckets.
 */
static inline __u32 pending_spilled(__u32 max_flows)
{
	return max_flows;
}

/* How many words of the front that many buckets have. */
static inline __u32 pending_words(__u32 buckets)
{
	return buckets < FRONT_WORDS_MAX / WORDS_PER_BUCKET ?
		       buckets * WORDS_PER_BUCKET :
		       FRONT_WORDS_MAX;
}

/* A segment of a connection that may be undecided, and what comes of it. */
struct sighting {
	struct segment segment;
	__u64 hash;	  /* of the connection: flow_hash() */
	__u64 id;	  /* likewise: flow_identify() */
	int sender;	  /* which end of it sent the segment: 0 or 1 */
	int way;	  /* where it was found in its bucket, or -1 */
	struct flow flow; /* its state after the segment */
	struct verdict verdict;
};

/* Where a connection belongs. */
struct pending_place {
	struct pending_bucket *bucket;
	struct pending_entries *entries;
	struct front front;
	__u32 first_word; /* of the front's, those that are the bucket's own */
	__u32 word_mask;  /* how many they are, a power of two, less one */
};

/* A connection's bit among those of its bucket: the word, then the bit. */
static __always_inline __u8 pending_mark(const struct pending_place *place,
					 __u64 hash)
{
	__u32 word = front_index(&place->front, hash) & place->word_mask;

	return (__u8)(word << 6 | front_bit(hash));
}

static __always_inline __u64 *front_word(const struct pending_place *place,
					 __u8 mark)
{
	__u32 index = place->first_word | (mark >> 6 & place->word_mask);

	return &place->front.words[index & place->front.mask];
}

static __always_inline __u8 mark_of_way(const struct pending_bucket *bucket,
					int way)
{
	return (__u8)(bucket->marks >> (way * 8));
}

/*
 * The ways that have a mark: bit 7 of a byte for each. Those above the lowest
 * may be mistaken.
 */
static __always_inline __u64 ways_with(const struct pending_bucket *bucket,
				       __u8 mark)
{
	__u64 differs = bucket->marks ^ mark * 0x0101010101010101ULL;

	return (differs - 0x0101010101010101ULL) & ~differs &
	       0x8080808080808080ULL;
}

/* Which the lowest of such ways is: a product that has each at its place. */
static __always_inline int lowest_way(__u64 ways)
{
	return (int)(((ways & -ways) >> 7) * 0x0001020304050607ULL >> 56);
}

/* Sets the word that a mark is in to what the bucket holds. */
static __always_inline void front_refresh(const struct pending_place *place,
					  __u8 mark)
{
	const struct pending_bucket *bucket = place->bucket;
	__u64 word = 0, waits;

	for (int i = 0; i < PENDING_WAYS; i++) {
		const __u8 other = mark_of_way(bucket, i);

		waits = (__u64)(__u8)(other ^ mark) >> 6 & place->word_mask;
		waits = waits - 1; /* its highest bit: it is in this word */
		waits = waits >> 63 & bucket->worth[i] >> WAITING_SHIFT;
		OPAQUE(waits); /* or clang makes a branch of it */
		word |= waits << (other & 63);
	}
	if (bucket->spill_time)
		word = ~0ULL;
	*front_word(place, mark) = word;
}

/* All words of the bucket anew. */
static __always_inline void front_refresh_all(const struct pending_place *place)
{
	for (__u32 i = 0; i < WORDS_PER_BUCKET; i++)
		front_refresh(place, (__u8)(i << 6));
}

/* Nobody waits any more for the connection that had this mark in this way. */
static __always_inline void front_clear(const struct pending_place *place,
					__u8 mark, int way)
{
	__u64 others = ways_with(place->bucket, mark) & ~(0x80ULL << (way * 8));

	if (others || place->bucket->spill_time)
		front_refresh(place, mark);
	else
		*front_word(place, mark) &= ~(1ULL << (mark & 63));
}

/*
 * The way of a connection, or -1. Without a branch: the verifier would follow
 * each through all that comes.
 */
static __always_inline int
pending_find_id(const struct pending_entries *entries, __u64 id)
{
	__u64 found = 0;

	for (int i = 0; i < PENDING_WAYS; i++) {
		__u64 differs = entries->ways[i].id ^ id;

		differs |= -differs; /* its highest bit: differs at all */
		OPAQUE(differs);
		found |= (~differs >> 63) * (i + 1);
	}
	return (int)found - 1;
}

/* The same, and mostly without a look at the entries. */
static __always_inline int pending_find(const struct pending_place *place,
					__u64 hash, __u64 id)
{
	__u64 ways = ways_with(place->bucket, pending_mark(place, hash));
	int way = lowest_way(ways) & (PENDING_WAYS - 1);

	if (!ways)
		return -1;
	if (place->entries->ways[way].id == id)
		return way;
	return pending_find_id(place->entries, id);
}

static __always_inline __u32 pending_rank(const struct flow *flow)
{
	__u32 seen = flow->seen;
	__u32 used = (seen / SEEN_SYN | seen / SEEN_SYNACK) & 1;
	__u32 answered = seen / SEEN_ANSWERED & 1;
	/* And nothing more is gathered. */
	__u32 decided = seen / FLOW_DECIDED & ~(seen / FLOW_GATHERING) & 1;

	return decided * RANK_DECIDED +
	       (decided ^ 1) * used * (RANK_HALF_OPEN + answered);
}

/* Who gives way: the least worth of all, or one whose handshake is complete. */
enum victim {
	VICTIM_LEAST,
	VICTIM_COMPLETE,
};

/* The way of the victim, and of equals the oldest. */
static __always_inline int pending_victim(const struct pending_bucket *bucket,
					  enum victim wanted)
{
	/*
	 * Which way it is stands in the lowest bits, mixed with some that the
	 * verifier cannot know, or it would follow each way by itself.
	 */
	const __u64 salt = bucket->marks & (PENDING_WAYS - 1);
	__u64 most = 0, less;

	for (int i = 0; i < PENDING_WAYS; i++) {
		__u32 worth = bucket->worth[i];
		__u32 age = (bucket->begun - worth) & ORDER_MASK;
		__u32 rank = worth >> RANK_SHIFT;
		/* Of the least: 2 for a free way, 1, 1, 0 for a complete one.
		 */
		__u32 fit = wanted == VICTIM_COMPLETE ? (rank + 1) / 4 :
							(4 - rank) / 2;
		__u64 key = ((__u64)fit << RANK_SHIFT | age) << 3 | (i ^ salt);

		less = most - key; /* its highest bit; both are small */
		OPAQUE(less);
		most ^= (most ^ key) & -(less >> 63);
	}
	return (int)((most ^ salt) & (PENDING_WAYS - 1));
}

/* Whether a connection in a way has to be kept elsewhere before it goes. */
static __always_inline bool
pending_must_spill(const struct pending_bucket *bucket, int way)
{
	return bucket->worth[way & (PENDING_WAYS - 1)] >> RANK_SHIFT ==
	       RANK_COMPLETE;
}

/*
 * Whether one whose handshake is complete is to be spilled before another
 * connection begins: nobody here is decided, and those whose handshakes go on
 * have not the room that is kept for them.
 */
static __always_inline bool
pending_is_crowded(const struct pending_bucket *bucket)
{
	__u32 all = ~0U, complete = 0;

	for (int i = 0; i < PENDING_WAYS; i++) {
		const __u32 worth = bucket->worth[i];

		all &= worth;
		complete += worth >> WAITING_SHIFT & worth >> RANK_SHIFT & 1;
	}
	return all >> WAITING_SHIFT && complete > COMPLETE_WAYS;
}

/* Sets a way and the front. `order`: the bucket's `begun` when it began. */
static __always_inline void pending_put(const struct pending_place *place,
					int way, __u64 id, __u8 mark,
					const struct flow *flow, __u32 order)
{
	struct pending_bucket *bucket = place->bucket;
	struct pending_entry *entry;
	__u32 worth = pending_rank(flow) << RANK_SHIFT | (order & ORDER_MASK);
	__u32 waited;
	__u8 old_mark;

	way &= PENDING_WAYS - 1;
	entry = &place->entries->ways[way];
	entry->id = id;
	entry->flow = *flow;
	waited = bucket->worth[way] >> WAITING_SHIFT;
	bucket->worth[way] = worth;
	old_mark = mark_of_way(bucket, way);
	bucket->marks ^= (__u64)(old_mark ^ mark) << (way * 8);
	if (waited && (mark != old_mark || !(worth >> WAITING_SHIFT)))
		front_clear(place, old_mark, way);
	if (worth >> WAITING_SHIFT)
		*front_word(place, mark) |= 1ULL << (mark & 63);
}

/* Whether all that a bucket has spilled is to be given up. Needs no lock. */
static __always_inline bool
pending_is_stale(const struct pending_bucket *bucket, __u64 now)
{
	__u32 since = bucket->spill_time;

	/* Signed: another CPU's clock, or a capture's, may be behind. */
	return since && (__s32)(SPILL_CLOCK(now) - since) >= SPILL_LIFETIME;
}

/* No longer "perhaps" to every packet, if that is so. */
static __always_inline void pending_give_up(const struct pending_place *place,
					    __u64 now)
{
	if (!pending_is_stale(place->bucket, now))
		return;
	place->bucket->spill_time = 0;
	front_refresh_all(place);
}

/*
 * Moves a connection to `entry`, its place outside the bucket, if it is still
 * to be spilled.
 */
static __always_inline void pending_spill(const struct pending_place *place,
					  __u64 id, struct flow *entry,
					  __u64 now)
{
	const struct flow none = {};
	struct pending_bucket *bucket = place->bucket;
	int way = pending_find_id(place->entries, id) & (PENDING_WAYS - 1);
	const struct pending_entry *leaving = &place->entries->ways[way];

	if (leaving->id != id || !pending_must_spill(bucket, way))
		return;
	/*
	 * In this order for who looks without the lock: told to look elsewhere
	 * before there is anything, and that it has moved when it is gone.
	 */
	bucket->spill_time = SPILL_CLOCK(now);
	front_refresh_all(place);
	*entry = leaving->flow;
	pending_put(place, way, 0, 0, &none, 0);
	asm volatile("" ::: "memory");
	bucket->spills++;
}

/*
 * Takes a segment into account for its connection, which is in its bucket
 * (sighting->way), or known elsewhere (`known`, changed in place), or neither:
 * then it begins here if it can, in the way of the least worth. The lock is
 * held. Fills in flow and verdict.
 */
static __always_inline void pending_track(const struct pending_place *place,
					  struct flow *known,
					  struct sighting *sighting, __u64 now,
					  const struct track_options *options)
{
	const struct flow none = {};
	struct pending_bucket *bucket = place->bucket;
	int way = sighting->way;
	__u32 order;

	if (way >= 0)
		sighting->flow =
			place->entries->ways[way & (PENDING_WAYS - 1)].flow;
	else
		sighting->flow = known ? *known : none;
	/* What is read back from memory is all alike to the verifier. */
	sighting->verdict = track(&sighting->flow, &sighting->segment,
				  sighting->sender & 1, now, options);

	if (way < 0) {
		if (!sighting->verdict.began) {
			if (known)
				*known = sighting->flow;
			return;
		}
		if (known) /* spilled, and replaced: that one has ended */
			*known = none;
		way = pending_victim(bucket, VICTIM_LEAST);
		if (pending_must_spill(bucket, way))
			return;
	}
	order = bucket->worth[way & (PENDING_WAYS - 1)];
	/* A handshake that goes on is young again: a flood of SYNs does not. */
	if (sighting->verdict.began || sighting->segment.flags & TCP_SYN)
		order = ++bucket->begun;
	pending_put(place, way, sighting->id,
		    pending_mark(place, sighting->hash), &sighting->flow,
		    order);
}

#endif
