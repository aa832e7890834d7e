/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The front of the connection table: the connections about which nothing is
 * decided yet, in buckets of a few ways, like a processor's cache. Nearly
 * every packet of a server belongs to none of them, and one look at the tags
 * of one bucket, a few bytes in one cache line, says so. Portable C without a
 * helper call, like segment.h.
 *
 * Whoever is not here is in the LRU map behind it, or forgotten. There are
 * the connections that are decided, so that a late repetition begins nothing,
 * and those that had to give way here though their handshake is complete
 * (spilled). A bucket that has spilled says "maybe" to every packet, for as
 * long as the spilled ones are waited for.
 *
 * A connection whose handshake is complete never gives way to one whose
 * handshake is not: a flood of SYNs, or of SYN-ACKs, pushes out its own kind.
 */
#ifndef BANNERPROBE_PENDING_H
#define BANNERPROBE_PENDING_H

#include "platform.h"
#include "segment.h"
#include "tracker.h"

#define PENDING_WAYS 8 /* a power of two */

/* ns: how long a bucket remembers that it has spilled. A server that says
 * nothing for longer, in a bucket that spilled, is given up. */
#define SPILL_LIFETIME (3600ULL * 1000000000)

#ifdef __bpf__
#define BUCKET_LOCK struct bpf_spin_lock
#else
#define BUCKET_LOCK __u32 /* of the same size; nobody to share with */
#endif

/* One connection. */
struct pending_way {
	__u64 id; /* flow_identify(); 0: free */
	struct flow flow;
};

/* The first 64 bytes are all that most packets look at. */
struct pending_bucket {
	BUCKET_LOCK lock; /* held while a way is read or changed */
	__u32 departures; /* connections that have left; it wraps */
	__u64 spill_time; /* ns, of the last one spilled; 0: none is out */
	union {
		__u16 tags[PENDING_WAYS]; /* of each way's id; 0: free */
		__u64 tag_words[PENDING_WAYS / 4];
	};
	__u64 padding[4];
	struct pending_way ways[PENDING_WAYS];
};

/*
 * Random odd numbers that make the hash a secret of this run. Volatile, since
 * in a BPF program they are set after the compiler has seen them as 0.
 */
#define HASH_SECRETS 6

/* How many buckets make room for `max_flows`; a power of two. */
static inline __u32 pending_buckets(__u32 max_flows)
{
	__u32 buckets = 1;

	while (buckets < max_flows / PENDING_WAYS && buckets < 1U << 28)
		buckets *= 2;
	return buckets;
}

/*
 * One end of a connection as a number: an IPv4 address and port as they are,
 * an IPv6 address hashed.
 */
static __always_inline __u64
fold_end(const __u32 address[4], __u16 port, __u8 family,
	 const volatile __u64 secrets[HASH_SECRETS])
{
	__u64 high, low;

	if (family == 4)
		return (__u64)address[0] << 16 | port;
	high = (__u64)address[0] << 32 | address[1];
	low = (__u64)address[2] << 32 | address[3];
	/* Not linear: what flips in both ends must not cancel out. */
	high = (high ^ high >> 29) * secrets[3] + low;
	high = (high ^ high >> 32) * secrets[4] + port;
	return (high ^ high >> 29) * secrets[5];
}

/*
 * A connection is known by 64 bits of a keyed hash of its addresses and ports,
 * the same in both directions. Two that share them are as likely as a guess
 * of 64 bits, and even then their sequence numbers keep them apart. Returns
 * this id, never 0, and sets *sender to the end that sent the segment: 0 or
 * 1, or -1 where both ends are the same.
 */
static __always_inline __u64
flow_identify(const struct segment *segment,
	      const volatile __u64 secrets[HASH_SECRETS], int *sender)
{
	__u64 source = fold_end(segment->source, segment->source_port,
				segment->family, secrets);
	__u64 destination =
		fold_end(segment->destination, segment->destination_port,
			 segment->family, secrets);
	const bool from_upper = source > destination;
	__u64 lower = from_upper ? destination : source;
	__u64 upper = from_upper ? source : destination;
	__u64 hash = lower * secrets[0] + upper * secrets[1];

	*sender = source == destination ? -1 : from_upper;
	hash = (hash ^ hash >> 32) * secrets[2];
	return hash | !hash;
}

/* The bucket's number; `buckets` is a power of two. */
static __always_inline __u32 pending_index(__u64 id, __u32 buckets)
{
	return (__u32)(id >> 24) & (buckets - 1);
}

static __always_inline __u16 pending_tag(__u64 id)
{
	__u16 tag = (__u16)id ^ (__u16)(id >> 48);

	return tag | !tag;
}

/* Not 0 if one of four 16-bit lanes is 0. */
static __always_inline __u64 zero_lanes(__u64 word)
{
	return (word - 0x0001000100010001ULL) & ~word & 0x8000800080008000ULL;
}

/* Whether the bucket holds the tag. Needs no lock: a maybe is looked at again.
 */
static __always_inline bool pending_has_tag(const struct pending_bucket *bucket,
					    __u64 id)
{
	__u64 tag = pending_tag(id) * 0x0001000100010001ULL;

	return zero_lanes(bucket->tag_words[0] ^ tag) |
	       zero_lanes(bucket->tag_words[1] ^ tag);
}

/*
 * The way of a connection, or -1. The lock is held, as for all that follow.
 * Without a branch: the verifier would follow each through all that comes.
 */
static __always_inline int pending_find(const struct pending_bucket *bucket,
					__u64 id)
{
	__u64 found = 0;

	for (int i = 0; i < PENDING_WAYS; i++) {
		__u64 differs = bucket->ways[i].id ^ id;

		differs |= -differs; /* its highest bit: differs at all */
		OPAQUE(differs);     /* or clang makes a branch of it */
		found |= (~differs >> 63) * (i + 1);
	}
	return (int)found - 1;
}

/*
 * How much a connection is worth keeping: 0 is a free way, 2 half open, 3 with
 * a complete handshake, or decided and about to leave by itself.
 */
static __always_inline __u64 pending_rank(const struct flow *flow)
{
	__u64 seen = flow->seen;
	__u64 used = (seen / SEEN_SYN | seen / SEEN_SYNACK) & 1;
	__u64 settled = (seen / SEEN_ANSWERED | seen / FLOW_DECIDED) & 1;

	return used * (2 + settled);
}

/* The way that the next connection takes: the least worth, then the oldest. */
static __always_inline int pending_victim(const struct pending_bucket *bucket)
{
	/*
	 * Which way it is stands in the lowest bits, mixed with some that the
	 * verifier cannot know, or it would follow each way by itself.
	 */
	const __u64 salt = bucket->tag_words[0] & (PENDING_WAYS - 1);
	__u64 least = ~0ULL >> 1, smaller;

	for (int i = 0; i < PENDING_WAYS; i++) {
		const struct flow *flow = &bucket->ways[i].flow;
		/* Rank, time (wraps in nine years) and way in one number. */
		__u64 worth = pending_rank(flow) << 61 |
			      (flow->start_time & ((1ULL << 58) - 1)) << 3 |
			      (i ^ salt);

		smaller = worth - least; /* its highest bit; both have 63 */
		OPAQUE(smaller);
		least ^= (least ^ worth) & -(smaller >> 63);
	}
	return (int)((least ^ salt) & (PENDING_WAYS - 1));
}

/* Whether a victim's connection has to be kept elsewhere before it goes. */
static __always_inline bool pending_must_spill(const struct pending_way *way)
{
	return pending_rank(&way->flow) == 3;
}

static __always_inline void pending_put(struct pending_bucket *bucket, int way,
					__u64 id, const struct flow *flow)
{
	way &= PENDING_WAYS - 1;
	bucket->departures += !!bucket->ways[way].id;
	bucket->tags[way] = id ? pending_tag(id) : 0;
	bucket->ways[way].id = id;
	bucket->ways[way].flow = *flow;
}

static __always_inline void pending_free(struct pending_bucket *bucket, int way)
{
	const struct flow none = {};

	pending_put(bucket, way, 0, &none);
}

/* Whether a bucket still waits for spilled connections; needs no lock. */
static __always_inline bool
pending_has_spilled(const struct pending_bucket *bucket, __u64 now)
{
	__u64 spill_time = bucket->spill_time;

	/* Signed: another CPU's clock, or a capture's, may be behind. */
	return spill_time && (__s64)(now - spill_time) < (__s64)SPILL_LIFETIME;
}

/* No longer "maybe" to every packet, if all that was spilled is given up. */
static __always_inline void pending_give_up(struct pending_bucket *bucket,
					    __u64 now)
{
	if (!pending_has_spilled(bucket, now))
		bucket->spill_time = 0;
}

/*
 * Moves a connection to `entry`, its place outside the bucket, if it is to
 * go: decided, or spilled because there is no room for it.
 */
static __always_inline void pending_depart(struct pending_bucket *bucket,
					   __u64 id, struct flow *entry,
					   __u64 now)
{
	int way = pending_find(bucket, id) & (PENDING_WAYS - 1);
	const struct pending_way *place = &bucket->ways[way];

	if (place->id != id || !pending_must_spill(place))
		return;
	if (flow_is_pending(&place->flow) && now > bucket->spill_time)
		bucket->spill_time = now; /* first: who finds no tag asks */
	*entry = place->flow;
	pending_free(bucket, way);
}

/* A segment of a connection that may be undecided, and what comes of it. */
struct sighting {
	struct segment segment;
	__u64 id;	  /* of the connection: flow_identify() */
	int sender;	  /* which end of it sent the segment: 0 or 1 */
	int way;	  /* where it was found in the bucket, or -1 */
	struct flow flow; /* its state after the segment */
	struct verdict verdict;
};

/*
 * Takes a segment into account for its connection, which is in the bucket, or
 * known elsewhere (`known`, changed in place), or neither: then it begins here
 * if it can, in the place of the least worth. Fills in way, flow and verdict.
 */
static __always_inline void pending_track(struct pending_bucket *bucket,
					  struct flow *known,
					  struct sighting *sighting, __u64 now)
{
	const struct flow none = {};

	sighting->way = pending_find(bucket, sighting->id);
	if (sighting->way >= 0)
		sighting->flow =
			bucket->ways[sighting->way & (PENDING_WAYS - 1)].flow;
	else
		sighting->flow = known ? *known : none;
	/* What is read back from memory is all alike to the verifier. */
	sighting->verdict = track(&sighting->flow, &sighting->segment,
				  sighting->sender & 1, now);

	if (sighting->way >= 0) {
		bucket->ways[sighting->way & (PENDING_WAYS - 1)].flow =
			sighting->flow;
	} else if (known && !sighting->verdict.began) {
		*known = sighting->flow;
	} else if (sighting->verdict.began) { /* decided at once or not */
		int way = pending_victim(bucket);

		if (known) /* spilled, and replaced: that one has ended */
			known->seen |= FLOW_DECIDED;

		if (!pending_must_spill(&bucket->ways[way]))
			pending_put(bucket, way, sighting->id, &sighting->flow);
	}
}

/* Whether the connection is decided, in its bucket, and to pending_depart(). */
static __always_inline bool pending_must_retire(const struct sighting *sighting,
						const struct flow *known)
{
	return sighting->verdict.outcome && (!known || sighting->verdict.began);
}

#endif
