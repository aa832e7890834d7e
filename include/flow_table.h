/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flow table: buckets (bucket.h) behind the prefilter, a bitmap with one
 * bit for each pending connection (prefilter.h). Portable C without a helper
 * call, like segment.h.
 *
 * A decided connection keeps its way until the way is needed, so a late
 * retransmission creates no new entry. An established, undecided connection
 * evicted from its bucket moves to the overflow LRU. The bucket keeps the tags
 * of the latest connections that moved, and their bits stay set in the
 * prefilter.
 *
 * A connection with a complete handshake is never evicted for one without: a
 * flood of SYNs, or of SYN-ACKs, evicts connections of its own kind, and
 * decided ones.
 */
#ifndef BANNERPROBE_FLOW_TABLE_H
#define BANNERPROBE_FLOW_TABLE_H

#include "hash.h"
#include "platform.h"
#include "segment.h"
#include "table_place.h"
#include "tracker.h"

/*
 * Prefilter words for each bucket, while there are enough. With all ways of a
 * bucket taken, 3 % of the bucket's other connections are false positives,
 * which the tags detect. Twice as many words made each connection more
 * expensive, because they take more cache.
 */
#define WORDS_PER_BUCKET 4

/*
 * Room of the largest table, in connections: one prefilter word for each
 * bucket.
 */
#define FLOWS_MAX (PREFILTER_WORDS_MAX * BUCKET_WAYS)

/* The number of buckets for `max_flows` connections; a power of two. */
static inline __u32 table_buckets(__u32 max_flows)
{
	__u32 buckets = 1;

	while (buckets < PREFILTER_WORDS_MAX &&
	       buckets * BUCKET_WAYS < max_flows)
		buckets *= 2;
	return buckets;
}

/*
 * Room in the overflow LRU, in addition: for as many complete handshakes as
 * --max-flows asks for, even where a flood fills the buckets.
 */
static inline __u32 table_overflow(__u32 max_flows)
{
	return max_flows;
}

/* The number of prefilter words for that many buckets. */
static inline __u32 table_words(__u32 buckets)
{
	return buckets < PREFILTER_WORDS_MAX / WORDS_PER_BUCKET ?
		       buckets * WORDS_PER_BUCKET :
		       PREFILTER_WORDS_MAX;
}

/*
 * A segment of a connection that may be pending, the connection's state, and
 * the verdict on the segment.
 */
struct segment_context {
	struct segment segment;
	__u64 hash;	/* of the connection: flow_hash() */
	__u64 id;	/* of the connection: flow_identify() */
	int sender;	/* the end of the connection that sent the segment */
	int way;	/* the connection's way in its bucket, or -1 */
	int rivals_way; /* the way of its rivals, or -1 */
	__u8 to_own;	/* enum own_address: of the segment's destination */
	__u8 reserved[3];
	__u64 now;	  /* ns, of the tracking; 0: the clock was not read */
	struct flow flow; /* the connection's state after the segment */
	struct rivals rivals; /* the same of its rivals */
	struct verdict verdict;
#ifndef __bpf__
	struct flow *tracked; /* that state, if it is not in `flow` yet */
#endif
};

/* Computed without branches, each of which the verifier would follow. */
static __always_inline enum rank flow_rank(const struct flow *flow)
{
	const __u32 used =
		flow_bit(flow, SEEN_SYN) | flow_bit(flow, SEEN_SYNACK);
	const __u32 answered = flow_bit(flow, SEEN_ANSWERED);
	/* All three are clear when no more of the connection is awaited. */
	const __u32 more = FLOW_DECIDED | FLOW_GATHERING | FLOW_AWAITED |
			   FLOW_GATHERS_CLIENT;
	const __u32 decided = (((flow->seen & more) ^ FLOW_DECIDED) - 1U) >> 31;

	return decided * RANK_DECIDED +
	       (decided ^ 1) * used * (RANK_HALF_OPEN + answered);
}

/* Whether a connection waits for data and ACKs. */
static __always_inline bool rank_waits(enum rank rank)
{
	return (rank >> 1) & 1;
}

/*
 * Whether rivals wait for data and ACKs. A SYN alone, beside an open
 * connection, does not: so a forged SYN does not make each packet of the
 * connection expensive.
 */
static __always_inline bool rivals_wait(const struct rivals *rivals,
					const struct flow *flow)
{
	return rivals->seen & NEXT || (rivals->seen && flow_is_closed(flow));
}

/* --- a segment ----------------------------------------------------------- */

/*
 * Stores the rivals of a connection in a way of their own. Where no way is left
 * they are forgotten, and the connection stays as it is.
 */
static __always_inline void table_put_rivals(const struct table_place *place,
					     struct segment_context *context,
					     const struct flow *flow)
{
	const struct rivals *rivals = &context->rivals;
	struct bucket *bucket = place->bucket;
	int way = context->rivals_way;

	if (way < 0) {
		if (!rivals->seen)
			return;
		/*
		 * The way may still hold the rivals of an earlier connection.
		 */
		way = table_find_tagged(place, place->tag | TAG_RIVALS,
					rivals_id(context->id));
	}
	if (way < 0) {
		way = bucket_victim(bucket, VICTIM_LEAST, place->tag);
		if (way == context->way || bucket_way_is_complete(bucket, way))
			return;
	}
	place->bucket->ways[way & (BUCKET_WAYS - 1)].rivals = *rivals;
	if (rivals->seen)
		table_set(place, way, rivals_id(context->id),
			  place->tag | TAG_RIVALS, RANK_HALF_OPEN,
			  rivals_wait(rivals, flow), ++bucket->begun);
	else
		table_set(place, way, 0, 0, RANK_FREE, false, 0);
}

/* Reads the rivals of a connection. */
static __always_inline void table_read_rivals(const struct table_place *place,
					      struct segment_context *context)
{
	const __u16 tag = place->tag | TAG_RIVALS;

	context->rivals_way =
		table_find_tagged(place, tag, rivals_id(context->id));
	if (context->rivals_way >= 0)
		context->rivals =
			place->bucket
				->ways[context->rivals_way & (BUCKET_WAYS - 1)]
				.rivals;
}

/* Stores a new connection, if there is room for it. */
static __always_inline void table_begin(const struct table_place *place,
					struct segment_context *context)
{
	const int way = bucket_victim(place->bucket, VICTIM_LEAST, 0);
	const enum rank rank = flow_rank(&context->flow);

	if (bucket_way_is_complete(place->bucket, way))
		return;
	context->way = way;
	/* The way of its rivals was the one to evict; they are empty now. */
	if (way == context->rivals_way)
		context->rivals_way = -1;
	place->bucket->ways[way].flow = context->flow;
	table_set(place, way, context->id, place->tag, rank, rank_waits(rank),
		  ++place->bucket->begun);
}

/*
 * Where the connection in a way is tracked: in a BPF program in a copy, so that
 * the verifier follows the tracking once, and not for each place where a
 * connection may lie; else in its place.
 */
static __always_inline struct flow *
tracked_flow(const struct table_place *place, struct segment_context *context)
{
	struct flow *flow =
		&place->bucket->ways[context->way & (BUCKET_WAYS - 1)].flow;

#ifdef __bpf__
	context->flow = *flow;
	return &context->flow;
#else
	context->tracked = flow;
	return flow;
#endif
}

/* Updates a connection in its bucket after a segment. */
static __always_inline void table_go_on(const struct table_place *place,
					const struct segment_context *context,
					const struct flow *flow)
{
	const int way = context->way & (BUCKET_WAYS - 1);
	const enum rank rank = flow_rank(flow);
	struct bucket *bucket = place->bucket;
	__u32 order = bucket->priorities.of[way];

	/*
	 * A handshake that makes progress becomes the newest of its bucket. The
	 * handshakes of a flood make none, so they are evicted first.
	 */
	if (context->verdict.began || context->segment.flags & TCP_SYN)
		order = ++bucket->begun;
	table_set_priority(place, way, rank, rank_waits(rank), order);
	if (flow == &context->flow)
		place->bucket->ways[way].flow = *flow;
}

/*
 * Updates a connection in the overflow. It has a new state, or it has ended and
 * another one begins in a bucket.
 */
static __always_inline void put_known(const struct table_place *place,
				      struct flow *known,
				      const struct segment_context *context)
{
	bool waited;

	if (context->way >= 0)
		return;
	/*
	 * The overflow tag of a decided connection has been removed, so an
	 * equal tag belongs to another connection.
	 */
	waited = flow_is_watched(known);
	*known = context->flow;
	if (context->verdict.began)
		__builtin_memset(known, 0, sizeof(*known));
	if (waited && !flow_is_watched(known))
		overflow_tag_remove(place, place->tag);
}

/*
 * Tracks a segment of a connection. The connection is in its bucket
 * (context->way), or elsewhere (`known`, changed in place), or unknown:
 * then it begins here if there is room, in the way of the least priority. The
 * caller holds the lock. Fills in flow and verdict.
 */
static __always_inline void table_track(const struct table_place *place,
					struct flow *known,
					struct segment_context *context,
					__u64 now,
					const struct track_options *options)
{
	const struct arrival arrival = { .sender = context->sender & 1,
					 .now = now,
					 .to_own = context->to_own };
	struct flow *flow = &context->flow;

	if (context->way >= 0) {
		flow = tracked_flow(place, context);
	} else {
		if (known)
			*flow = *known;
		/* Another CPU that reuses an entry may have zeroed a part. */
		if (!known || !flow->seen)
			__builtin_memset(flow, 0, sizeof(*flow));
	}
	context->rivals_way = -1;
	context->rivals.seen = 0;
	if (flow->seen & FLOW_RIVALS)
		table_read_rivals(place, context);
	READ_AGAIN();
	track(flow, &context->rivals, &context->segment, &arrival, options,
	      &context->verdict);
	READ_AGAIN();
	if (context->verdict.asks)
		return;
	if (known)
		put_known(place, known, context);
	if (context->way >= 0)
		table_go_on(place, context, flow);
	else if (context->verdict.began)
		table_begin(place, context);
	READ_AGAIN();
	table_put_rivals(place, context, flow);
}

#endif
