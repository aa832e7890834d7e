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
 * bucket taken, 3 % of its other connections are false positives.
 */
#define WORDS_PER_BUCKET 4

/* Connections that the largest table has room for: a word for each bucket. */
#define PENDING_MAX (PREFILTER_WORDS_MAX * BUCKET_WAYS)

/* A bucket looks for as many of its spilled connections, the latest. */
#define SPILLED_MAX 12
#define SPILLS_WRAP (255 / SPILLED_MAX * SPILLED_MAX) /* whole rounds */

/*
 * What is in a way, in the order of its worth. The two in the middle are worth
 * the same: of these the older gives way.
 */
enum table_rank {
	RANK_FREE, /* no connection */
	RANK_DECIDED,
	RANK_HALF_OPEN,
	RANK_COMPLETE, /* its handshake is, and nothing is decided */
};
#define RANK_SHIFT 30
#define ORDER_MASK ((1U << RANK_SHIFT) - 1)

#ifdef __bpf__
#define BUCKET_LOCK struct bpf_spin_lock
#else
#define BUCKET_LOCK __u32 /* of the same size; one thread only */
#endif

/* A cache line: all that is read where a connection is not found. */
struct bucket {
	BUCKET_LOCK lock; /* held while any of this, or an entry, is changed */
	__u32 begun;	  /* connections; their ages are differences to it */
	__u8 spills;	  /* connections moved to the LRU map; it wraps */
	__u8 waiting;	  /* a bit for each way: its data and ACKs may matter */
	__u16 spilled;	  /* a bit for each of the spilled that is marked */
	__u32 late_marks; /* of the spilled from the ninth on, as below */
	__u64 marks;	  /* table_mark() of each way's, in its byte */
	__u32 worth[BUCKET_WAYS]; /* rank, then `begun` when it began */
	__u64 spilled_marks; /* of the first eight spilled, likewise */
};

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
};

/* A connection's bit among those of its bucket: the word, then the bit. */
static __always_inline __u8 table_mark(const struct table_place *place,
					 __u64 hash)
{
	__u32 word = prefilter_index(&place->prefilter, hash) & place->word_mask;

	return (__u8)(word << 6 | prefilter_bit(hash));
}

static __always_inline __u64 *front_word(const struct table_place *place,
					 __u8 mark)
{
	__u32 index = place->first_word | (mark >> 6 & place->word_mask);

	return &place->prefilter.words[index & place->prefilter.mask];
}

static __always_inline __u8 mark_of_way(const struct bucket *bucket,
					int way)
{
	return (__u8)(bucket->marks >> (way * 8));
}

/*
 * Eight marks at once, a byte each; a set of ways has bit 7 of their bytes.
 * Without a branch: the verifier would follow each through all that comes.
 */
#define EACH_BYTE 0x0101010101010101ULL
#define BIT_7 0x80

/* The set of those that are this mark. */
static __always_inline __u64 ways_with(__u64 marks, __u8 mark)
{
	const __u64 low = EACH_BYTE * (BIT_7 - 1);
	const __u64 differs = marks ^ mark * EACH_BYTE;

	return ~(((differs & low) + low) | differs | low);
}

/* A set from a bit for each. */
static __always_inline __u64 ways_of_bits(__u8 bits)
{
	const __u64 each = bits * EACH_BYTE & 0x8040201008040201ULL;

	return (((each & EACH_BYTE * (BIT_7 - 1)) + EACH_BYTE * (BIT_7 - 1)) |
		each) &
	       EACH_BYTE * BIT_7;
}

/* And back. */
static __always_inline __u32 bits_of_ways(__u64 ways)
{
	return (__u32)((ways >> 7) * 0x0102040810204080ULL >> 56);
}

/* Which the lowest of a set is: a product that has each at its place. */
static __always_inline int lowest_way(__u64 ways)
{
	return (int)(((ways & -ways) >> 7) * 0x0001020304050607ULL >> 56);
}

/* The spilled that have a mark, a bit for each. */
static __always_inline __u32 spilled_with(const struct bucket *bucket,
					  __u8 mark)
{
	const __u64 first = *(const volatile __u64 *)&bucket->spilled_marks;
	const __u32 late = *(const volatile __u32 *)&bucket->late_marks;
	const __u16 used = *(const volatile __u16 *)&bucket->spilled;

	return (bits_of_ways(ways_with(first, mark)) |
		bits_of_ways(ways_with(late, mark)) << 8) &
	       used;
}

static __always_inline void prefilter_set(const struct table_place *place,
				      __u8 mark)
{
	*front_word(place, mark) |= 1ULL << (mark & 63);
}

/* Clears the bit of a mark, unless another connection waits that has it. */
static __always_inline void prefilter_clear(const struct table_place *place,
					__u8 mark)
{
	const struct bucket *bucket = place->bucket;
	const __u64 others = ways_with(bucket->marks, mark) &
			     ways_of_bits(bucket->waiting);
	__u64 clears = !(others | spilled_with(bucket, mark));

	OPAQUE(clears);
	*front_word(place, mark) &= ~(clears << (mark & 63));
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

/* The same, and mostly without a look at the entries. */
static __always_inline int table_find(const struct table_place *place,
					__u64 hash, __u64 id)
{
	__u64 ways = ways_with(place->bucket->marks, table_mark(place, hash));
	int way = lowest_way(ways) & (BUCKET_WAYS - 1);

	if (!ways)
		return -1;
	if (place->entries->ways[way].id == id)
		return way;
	/* No other has this mark: each entry is a cache line to be spared. */
	if (!(ways & (ways - 1)))
		return -1;
	return table_find_id(place->entries, id);
}

static __always_inline enum table_rank flow_rank(const struct flow *flow)
{
	__u32 seen = flow->seen;
	__u32 used = (seen / SEEN_SYN | seen / SEEN_SYNACK) & 1;
	__u32 answered = seen / SEEN_ANSWERED & 1;
	/* And nothing more is gathered. */
	__u32 decided = seen / FLOW_DECIDED & ~(seen / FLOW_GATHERING) &
			~(seen / FLOW_AWAITED) & ~(seen / FLOW_GATHERS_CLIENT) &
			1;

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

/*
 * The way of the victim, and of equals the oldest. `spared`: a way that does
 * not give way; -1: none.
 */
static __always_inline int table_victim(const struct bucket *bucket,
					  enum victim wanted, int spared)
{
	/*
	 * Which way it is stands in the lowest bits, mixed with some that the
	 * verifier cannot know, or it would follow each way by itself.
	 */
	const __u64 salt = bucket->marks & (BUCKET_WAYS - 1);
	__u64 most = 0, less;

	for (int i = 0; i < BUCKET_WAYS; i++) {
		__u32 worth = bucket->worth[i];
		__u32 age = (bucket->begun - worth) & ORDER_MASK;
		__u32 rank = worth >> RANK_SHIFT;
		/* Of the least: 2 for a free way, 1, 1, 0 for a complete one.
		 */
		__u32 fit = wanted == VICTIM_COMPLETE ? (rank + 1) / 4 :
							(4 - rank) / 2;
		__u64 key = ((__u64)fit << RANK_SHIFT | age) << 3 | (i ^ salt);
		__u64 may = (__u64)(i ^ spared);

		may = may | -may; /* its highest bit: it is another way */
		OPAQUE(may);
		key &= -(may >> 63);
		less = most - key; /* its highest bit; both are small */
		OPAQUE(less);
		most ^= (most ^ key) & -(less >> 63);
	}
	return (int)((most ^ salt) & (BUCKET_WAYS - 1));
}

/* Whether a connection in a way has to be kept elsewhere before it goes. */
static __always_inline bool
table_must_spill(const struct bucket *bucket, int way)
{
	return bucket->worth[way & (BUCKET_WAYS - 1)] >> RANK_SHIFT ==
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
	__u32 all = ~0U, complete = 0;

	for (int i = 0; i < BUCKET_WAYS; i++) {
		const __u32 worth = bucket->worth[i];

		all &= worth;
		complete += (worth >> RANK_SHIFT) / RANK_COMPLETE;
	}
	return all >> 31 && complete > COMPLETE_WAYS;
}

/*
 * Sets what a way is known by, and the prefilter. `order`: the bucket's `begun`
 * when it began.
 */
static __always_inline void table_set(const struct table_place *place,
					int way, __u64 id, __u8 mark,
					enum table_rank rank, bool waits,
					__u32 order)
{
	struct bucket *bucket = place->bucket;
	bool waited;
	__u8 old_mark;

	way &= BUCKET_WAYS - 1;
	place->entries->ways[way].id = id;
	bucket->worth[way] = (__u32)rank << RANK_SHIFT | (order & ORDER_MASK);
	waited = bucket->waiting >> way & 1;
	bucket->waiting &= (__u8)~(1U << way);
	bucket->waiting |= (__u8)(waits << way);
	old_mark = mark_of_way(bucket, way);
	bucket->marks ^= (__u64)(old_mark ^ mark) << (way * 8);
	if (waited)
		prefilter_clear(place, old_mark);
	if (waits)
		prefilter_set(place, mark);
}

static __always_inline void table_put(const struct table_place *place,
					int way, __u64 id, __u8 mark,
					const struct flow *flow, __u32 order)
{
	const enum table_rank rank = flow_rank(flow);

	place->entries->ways[way & (BUCKET_WAYS - 1)].flow = *flow;
	table_set(place, way, id, mark, rank, rank_waits(rank), order);
}

/* --- spilling ------------------------------------------------------------ */

/* Marks a spilled connection, in the place of the twelfth before it. */
static __always_inline void spilled_add(const struct table_place *place,
					__u8 mark)
{
	struct bucket *bucket = place->bucket;
	const __u32 number = bucket->spills % SPILLED_MAX;
	const __u32 shift = number % 8 * 8;
	__u8 old;

	if (number < 8) {
		old = (__u8)(bucket->spilled_marks >> shift);
		bucket->spilled_marks ^= (__u64)(old ^ mark) << shift;
	} else {
		old = (__u8)(bucket->late_marks >> shift);
		bucket->late_marks ^= (__u32)(old ^ mark) << shift;
	}
	bucket->spilled |= (__u16)(1U << number);
	prefilter_clear(place, old);
	prefilter_set(place, mark);
}

/*
 * A spilled connection is not waited for any more. Where several have its mark,
 * the oldest is removed, and the bit stays set for the others.
 */
static __always_inline void spilled_remove(const struct table_place *place,
					   __u8 mark)
{
	struct bucket *bucket = place->bucket;
	const __u32 oldest = bucket->spills % SPILLED_MAX;
	const __u32 found = spilled_with(bucket, mark);
	__u32 by_age = found >> oldest | found << (SPILLED_MAX - oldest);

	by_age &= -by_age;
	by_age = by_age << oldest | by_age >> (SPILLED_MAX - oldest);
	bucket->spilled &= (__u16)~by_age;
	prefilter_clear(place, mark);
}

/*
 * Moves a connection to `entry`, its place outside the bucket, if it is still
 * to be spilled.
 */
static __always_inline void table_spill(const struct table_place *place,
					  __u64 id, struct flow *entry)
{
	struct bucket *bucket = place->bucket;
	int way = table_find_id(place->entries, id) & (BUCKET_WAYS - 1);
	const struct table_entry *leaving = &place->entries->ways[way];
	const __u8 mark = mark_of_way(bucket, way);

	if (leaving->id != id || !table_must_spill(bucket, way))
		return;
	/*
	 * The order matters for lockless readers: the mark is set before there
	 * is an entry to find, and `spills` changes after the entry has left.
	 */
	spilled_add(place, mark);
	READ_AGAIN();
	*entry = leaving->flow;
	table_set(place, way, 0, 0, RANK_FREE, false, 0);
	READ_AGAIN();
	bucket->spills = (__u8)((bucket->spills + 1) % SPILLS_WRAP);
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
		way = table_victim(bucket, VICTIM_LEAST, sighting->way);
		if (table_must_spill(bucket, way))
			return;
	}
	place->entries->ways[way & (BUCKET_WAYS - 1)].rivals = *rivals;
	table_set(place, way, rivals->seen ? rivals_id(sighting->id) : 0,
		    table_mark(place, sighting->hash),
		    rivals->seen ? RANK_HALF_OPEN : RANK_FREE,
		    rivals_wait(rivals, &sighting->flow), ++bucket->begun);
}

/* Reads what stands beside a connection. */
static __always_inline void table_read_rivals(const struct table_place *place,
						struct sighting *sighting)
{
	const __u64 id = rivals_id(sighting->id);

	__builtin_memset(&sighting->rivals, 0, sizeof(sighting->rivals));
	sighting->rivals_way = -1;
	sighting->rivals_way = table_find_id(place->entries, id);
	if (sighting->rivals_way >= 0 && sighting->flow.seen & FLOW_RIVALS)
		sighting->rivals =
			place->entries
				->ways[sighting->rivals_way & (BUCKET_WAYS - 1)]
				.rivals;
}

/* Where a connection that begins gets its way: -1, if there is none. */
static __always_inline int table_new_way(const struct table_place *place)
{
	const int way = table_victim(place->bucket, VICTIM_LEAST, -1);

	return table_must_spill(place->bucket, way) ? -1 : way;
}

/* A spilled connection goes on, or has ended and another one begins here. */
static __always_inline void put_known(const struct table_place *place,
				      struct flow *known,
				      const struct sighting *sighting,
				      __u8 mark)
{
	bool waited;

	if (sighting->way >= 0)
		return;
	/* Of one that is decided, the mark is another connection's. */
	waited = flow_is_watched(known);
	*known = sighting->flow;
	if (sighting->verdict.began)
		known->seen = 0;
	if (waited && !flow_is_watched(known))
		spilled_remove(place, mark);
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
	const __u8 mark = table_mark(place, sighting->hash);
	struct bucket *bucket = place->bucket;
	bool may_have_rivals;
	__u32 order;

	if (sighting->way >= 0)
		sighting->flow =
			place->entries->ways[sighting->way & (BUCKET_WAYS - 1)]
				.flow;
	else if (known)
		sighting->flow = *known;
	else
		__builtin_memset(&sighting->flow, 0, sizeof(sighting->flow));
	may_have_rivals = sighting->flow.seen &&
			  (sighting->flow.seen & FLOW_RIVALS ||
			   sighting->segment.flags & TCP_SYN);
	sighting->rivals_way = -1;
	if (may_have_rivals)
		table_read_rivals(place, sighting);
	else
		__builtin_memset(&sighting->rivals, 0,
				 sizeof(sighting->rivals));
	READ_AGAIN();
	track(&sighting->flow, &sighting->rivals, &sighting->segment, &context,
	      options, &sighting->verdict);
	READ_AGAIN();
	if (sighting->verdict.asks)
		return;
	if (known)
		put_known(place, known, sighting, mark);
	if (sighting->way < 0 && sighting->verdict.began)
		sighting->way = table_new_way(place);
	/* What stood beside it has made room, and is empty. */
	if (sighting->way >= 0 && sighting->way == sighting->rivals_way)
		sighting->rivals_way = -1;
	if (sighting->way >= 0) {
		order = bucket->worth[sighting->way & (BUCKET_WAYS - 1)];
		/* A handshake that goes on is young again, unlike a flood's. */
		if (sighting->verdict.began ||
		    sighting->segment.flags & TCP_SYN)
			order = ++bucket->begun;
		table_put(place, sighting->way, sighting->id, mark,
			    &sighting->flow, order);
	}
	READ_AGAIN();
	table_put_rivals(place, sighting);
}

#endif
