/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What SYNs and SYN-ACKs mean: a connection begins, or stands beside another
 * one until that is proven. Portable C without a helper call, like segment.h.
 *
 * A SYN with other numbers on the four-tuple of a known connection may be the
 * next connection's, or a forger's. It is remembered beside the known one
 * (struct rivals). The SYN-ACK that answers it is remembered, too. Only a
 * segment that carries the new numbers proves that the four-tuple has a new
 * owner (compare RFC 5961, 4).
 */
#ifndef BANNERPROBE_HANDSHAKE_H
#define BANNERPROBE_HANDSHAKE_H

#include "flow.h"
#include "segment.h"
#include "stream.h"
#include "verdict.h"

/*
 * A SYN or SYN-ACK that comes again after less than this is a copy (two
 * interfaces, a mirror port), not a retransmission: RFC 6298, 2.1 has a sender
 * wait for a second.
 */
#define RETRANSMISSION_NS 500000000ULL

#define RIVAL_SYNS 2 /* remembered of each end */

/* Bits of each end, shifted by RIVAL_SHIFT times the end. */
enum rival_seen {
	RIVAL_SYN = 1 << 0, /* of isns[end][0]; the next bit: of [1] */
	RIVAL_DATA = 1 << 2, /* it carried data; likewise */
	RIVAL_NEWEST = 1 << 4, /* which of the two is the newer */
	RIVAL_MORE = 1 << 5, /* more SYNs came than are remembered */
	RIVAL_EARLY = 1 << 6, /* a client segment came; likewise */
	RIVAL_SHIFT = 8,

	/* Of the SYN-ACK that may begin the next connection. */
	NEXT = 1 << 16,
	NEXT_CLIENT = 1 << 17, /* which end is its client */
	NEXT_SYN = 1 << 18,    /* its SYN was seen, too */
	NEXT_DATA = 1 << 19,   /* and carried data */
	NEXT_RETRANSMISSION = 1 << 20,
	NEXT_MORE = 1 << 21, /* its SYN may be one that is not remembered */
	NEXT_CLIENT_FIRST = 1 << 22, /* its client's data came before it */
	NEXT_ALL = (1 << 23) - NEXT,
};

/*
 * What may begin the next connection of a four-tuple. It has an entry of its
 * own in the table, of the size of a flow.
 */
struct rivals {
	/* Of SYNs, by the end that sent them. */
	__u32 isns[2][RIVAL_SYNS];
	__u32 newest_us[2];  /* when the newer one came: the lower 32 bits of
			      * the time in microseconds */
	__u16 newest_len[2]; /* payload bytes that it carried */
	__u32 early_ack;     /* of the client segment, if RIVAL_EARLY */
	/* Of the next connection, if NEXT. */
	__u32 cisn, sisn;
	__u32 syn_us, synack_us; /* when they came, as above */
	__u32 ack;		 /* of its SYN-ACK */
	__u32 seen;		 /* enum rival_seen */
};
_Static_assert(sizeof(struct rivals) == sizeof(struct flow),
	       "either stands in an entry of the table");

/* What the tracker has to know of a segment besides its bytes. */
struct context {
	int sender;    /* the end that sent it: 0 or 1 (flow_identify) */
	__u64 now;     /* ns, on one clock for all segments */
	__u8 to_own;   /* enum own_address: of its destination */
};

enum own_address {
	OWN_UNKNOWN, /* not looked up yet */
	OWN_NO,
	OWN_YES,
};

/* --- beginning ----------------------------------------------------------- */

/* A new connection; one that was pending on the same four-tuple has ended. */
static __always_inline void begin(struct flow *flow, struct verdict *verdict,
				  int client, __u32 cisn, __u64 start_time)
{
	if (flow_is_pending(flow))
		verdict->ended = unfinished_outcome(flow);
	verdict->began = COUNT_CONNECTIONS;
	__builtin_memset(flow, 0, sizeof(*flow));
	flow->start_time = start_time;
	flow->cisn = cisn;
	flow->client = (__u8)client;
}

/* The SYN carried data: the client spoke first, accepted or not. */
static __always_inline void note_syn_data(struct flow *flow, __u32 len,
					  struct verdict *verdict)
{
	if (!len)
		return;
	if (len > 0xffff)
		len = 0xffff;
	if (flow->syn_len < len)
		flow->syn_len = (__u16)len;
	if (flow_is_pending(flow))
		decide(flow, verdict, COUNT_CLIENT_FIRST_SYN);
}

/*
 * The SYN-ACK carries both numbers; what passed before it is judged now.
 * `said`: the bytes that it carries.
 */
static __always_inline void note_synack(struct flow *flow, __u32 sisn,
					__u32 ack, __u32 said, __u64 now,
					struct verdict *verdict)
{
	const __u32 cisn = flow->cisn;
	const __u32 count = flow->seen & SEEN_SYNACK ?
				    0 :
				    (flow->seen & EARLY_MASK) >> EARLY_SHIFT;
	const struct early first = flow->early[0], second = flow->early[1];

	flow->sides[CLIENT] = (struct side){ cisn, ack, ack };
	flow->sides[SERVER] = (struct side){ sisn, sisn + 1 + said, sisn + 1 };
	flow->synack_time = now;
	flow->seen |= SEEN_SYNACK;
	flow->seen &= ~(SEEN_SERVER_AHEAD | SEEN_SERVER_FIN | EARLY_MASK);
	READ_AGAIN();
	if (count > 0)
		take_early(flow, &first, verdict);
	READ_AGAIN();
	if (count > 1)
		take_early(flow, &second, verdict);
}

/* Whether two packets are so far apart that one is no copy of the other. */
static __always_inline bool is_retransmission(__u64 then, __u64 now)
{
	return (__s64)(now - then) >= (__s64)RETRANSMISSION_NS;
}

/* --- what is remembered beside a connection ------------------------------- */

static __always_inline __u32 rival_bits(const struct rivals *rivals, int end)
{
	return rivals->seen >> (end ? RIVAL_SHIFT : 0);
}

static __always_inline void set_rival_bits(struct rivals *rivals, int end,
					   __u32 bits, bool on)
{
	const __u32 shifted = end ? bits << RIVAL_SHIFT : bits;

	if (on)
		rivals->seen |= shifted;
	else
		rivals->seen &= ~shifted;
}

/* Which SYN of an end has this number; -1: none. */
static __always_inline int find_rival_syn(const struct rivals *rivals, int end,
					  __u32 isn)
{
	const __u32 *isns = rivals->isns[end & 1];
	const __u32 bits = rival_bits(rivals, end);

	if (bits & RIVAL_SYN && isns[0] == isn)
		return 0;
	if (bits & RIVAL_SYN << 1 && isns[1] == isn)
		return 1;
	return -1;
}

/*
 * Which SYN of an end has a number that is at most so far before this one; -1:
 * none. Of the newer one, `more` far.
 */
static __always_inline int find_rival_before(const struct rivals *rivals,
					     int end, __u32 number, __u32 far,
					     __u32 more)
{
	const __u32 bits = rival_bits(rivals, end);
	const __u32 newest = !!(bits & RIVAL_NEWEST);

	for (__u32 i = 0; i < RIVAL_SYNS; i++) {
		const __u32 behind = number - rivals->isns[end & 1][i];

		if (bits & RIVAL_SYN << i &&
		    behind <= far + (i == newest ? more : 0))
			return (int)i;
	}
	return -1;
}

/* Which SYN of an end an acknowledgement answers; -1: none. */
static __always_inline int find_answered(const struct rivals *rivals, int end,
					 __u32 ack)
{
	return find_rival_before(rivals, end, ack - 1, 0,
				 rivals->newest_len[end & 1]);
}

static __always_inline int next_client(const struct rivals *rivals)
{
	return !!(rivals->seen & NEXT_CLIENT);
}

/* Remembers a SYN beside a connection: the latest of each end. */
static __always_inline void remember_syn(struct rivals *rivals,
					 const struct segment *segment, int end,
					 __u64 now)
{
	const __u32 bits = rival_bits(rivals, end);
	int place = find_rival_syn(rivals, end, segment->seq);
	__u32 len = segment->payload_len;

	if (place < 0) {
		if (!(bits & RIVAL_SYN))
			place = 0;
		else if (!(bits & RIVAL_SYN << 1))
			place = 1;
		else
			place = !(bits & RIVAL_NEWEST);
		if (bits & RIVAL_SYN << place)
			set_rival_bits(rivals, end, RIVAL_MORE, true);
		rivals->isns[end & 1][place & 1] = segment->seq;
		rivals->newest_us[end & 1] = (__u32)(now / NS_PER_US);
		rivals->newest_len[end & 1] = 0;
		set_rival_bits(rivals, end,
			       RIVAL_DATA << place | RIVAL_EARLY << place,
			       false);
		set_rival_bits(rivals, end, RIVAL_SYN << place, true);
		set_rival_bits(rivals, end, RIVAL_NEWEST, place);
	}
	if (rivals->seen & NEXT && next_client(rivals) == end &&
	    rivals->cisn == segment->seq) {
		if (!(rivals->seen & NEXT_SYN)) /* its time is not its own */
			rivals->seen |= NEXT_SYN | NEXT_RETRANSMISSION;
		if (len)
			rivals->seen |= NEXT_DATA;
	}
	if (!len)
		return;
	set_rival_bits(rivals, end, RIVAL_DATA << place, true);
	if (place == !!(rival_bits(rivals, end) & RIVAL_NEWEST) &&
	    rivals->newest_len[end & 1] < len)
		rivals->newest_len[end & 1] =
			(__u16)(len > 0xffff ? 0xffff : len);
}

/*
 * Remembers client data that passes between its SYN and its SYN-ACK: of the
 * first segment, that it came and what it acknowledges.
 */
static __always_inline void remember_rival_early(struct rivals *rivals,
						 const struct segment *segment,
						 int end)
{
	const __u32 last = segment->seq + segment->payload_len - 1;
	const __u32 far = FIRST_WINDOW_MAX + segment->payload_len - 1;
	int syn;

	if (!segment->payload_len || !(segment->flags & TCP_ACK) ||
	    rivals->seen & (RIVAL_EARLY * 3 | RIVAL_EARLY * 3 << RIVAL_SHIFT))
		return;
	/* It begins within a window, and ends behind the SYN. */
	syn = find_rival_before(rivals, end, last - 1, far, 0);
	if (syn < 0)
		return;
	rivals->early_ack = segment->ack;
	set_rival_bits(rivals, end, RIVAL_EARLY << syn, true);
}

/* Whether more SYNs of this end came than are remembered. */
static __always_inline bool had_more_syns(const struct rivals *rivals, int end)
{
	return rival_bits(rivals, end) & RIVAL_MORE;
}

/*
 * The time before `now` of which the lower 32 bits of microseconds are known:
 * right to the microsecond, within 71 minutes.
 */
static __always_inline __u64 full_time(__u32 time_us, __u64 now)
{
	const __u32 since_us = (__u32)(now / NS_PER_US) - time_us;

	return now - (__u64)since_us * NS_PER_US;
}

/* Whether a SYN-ACK is the one that is remembered already. */
static __always_inline bool is_next(const struct rivals *rivals,
				    const struct segment *segment, int sender)
{
	return rivals->seen & NEXT && next_client(rivals) == !sender &&
	       rivals->sisn == segment->seq && rivals->ack == segment->ack;
}

/* The latest SYN-ACK counts. `syn`: which SYN it answers; -1: one not seen. */
static __always_inline void remember_synack(struct rivals *rivals,
					    const struct segment *segment,
					    int sender, int syn, __u64 now)
{
	const int client = !sender;
	__u32 seen = NEXT | (client ? NEXT_CLIENT : 0);

	rivals->ack = segment->ack;
	rivals->cisn = segment->ack - 1;
	rivals->synack_us = rivals->syn_us = (__u32)(now / NS_PER_US);
	if (syn >= 0) {
		const __u32 bits = rival_bits(rivals, client);

		seen |= NEXT_SYN;
		if (bits & RIVAL_DATA << syn)
			seen |= NEXT_DATA;
		if (bits & RIVAL_EARLY << syn &&
		    rivals->early_ack - (segment->seq + 1) <=
			    FIRST_WINDOW_MAX + segment->payload_len)
			seen |= NEXT_CLIENT_FIRST;
		rivals->cisn = rivals->isns[client & 1][syn & 1];
		/* Of an older SYN the time is not known. */
		if (syn == !!(bits & RIVAL_NEWEST))
			rivals->syn_us = rivals->newest_us[client & 1];
		else
			seen |= NEXT_RETRANSMISSION;
	} else if (had_more_syns(rivals, client)) {
		seen |= NEXT_MORE;
	}
	rivals->sisn = segment->seq;
	rivals->seen = (rivals->seen & ~NEXT_ALL) | seen;
}

/*
 * The next connection begins, with nothing beside it. Its SYN-ACK is for
 * note_synack().
 */
static __always_inline void begin_next(struct flow *flow, struct rivals *rivals,
				       __u64 now, struct verdict *verdict)
{
	/* Counted back from the SYN-ACK: however long ago, it came first. */
	begin(flow, verdict, next_client(rivals), rivals->cisn,
	      full_time(rivals->syn_us, full_time(rivals->synack_us, now)));
	if (rivals->seen & NEXT_SYN)
		flow->seen |= SEEN_SYN;
	if (rivals->seen & NEXT_MORE)
		flow->seen |= SEEN_MORE_SYNS;
	if (rivals->seen & NEXT_RETRANSMISSION)
		flow->seen |= SEEN_RETRANSMISSION;
	if (rivals->seen & NEXT_DATA) {
		flow->syn_len = (__u16)(rivals->ack - (rivals->cisn + 1));
		decide(flow, verdict, COUNT_CLIENT_FIRST_SYN);
	} else if (rivals->seen & NEXT_CLIENT_FIRST) {
		decide(flow, verdict, COUNT_CLIENT_FIRST);
	}
	__builtin_memset(rivals, 0, sizeof(*rivals));
}

/*
 * Whether a segment carries the numbers of the next connection: a valid one of
 * its client, or what would be its banner.
 */
static __always_inline bool proves_next(const struct rivals *rivals,
					const struct segment *segment,
					int sender)
{
	const __u32 acked_sisn = segment->ack - (rivals->sisn + 1);
	__s32 from;

	if (!(rivals->seen & NEXT) || !(segment->flags & TCP_ACK))
		return false;
	if (sender == next_client(rivals)) {
		from = seq_distance(rivals->cisn + 1, segment->seq);
		return acked_sisn <= FIRST_WINDOW_MAX &&
		       from <= FIRST_WINDOW_MAX &&
		       (from >= -1 ||
			(__s64)from + segment->payload_len +
					!!(segment->flags & TCP_FIN) >
				0);
	}
	from = seq_distance(rivals->sisn + 1,
			    segment->seq + !!(segment->flags & TCP_SYN));
	return !(rivals->seen & (NEXT_DATA | NEXT_CLIENT_FIRST)) &&
	       segment->ack == rivals->cisn + 1 &&
	       from <= 0 && (__s64)from + segment->payload_len > 0;
}

/*
 * A RST that ends or refuses what stands beside a connection: nothing will be
 * logged of that. False: it is about something else.
 */
static __always_inline bool reset_rival(struct rivals *rivals,
					const struct segment *segment,
					int sender)
{
	const int client = next_client(rivals);
	const __u32 number = sender == client ? rivals->ack : rivals->sisn + 1;
	int end = sender, syn, of_next = -1;

	if (rivals->seen & NEXT)
		of_next = find_rival_syn(rivals, client, rivals->cisn);
	if (rivals->seen & NEXT && segment->seq == number) {
		rivals->seen &= ~NEXT_ALL;
		end = client;
		syn = of_next;
	} else {
		syn = find_rival_syn(rivals, sender, segment->seq - 1);
		if (syn < 0 && segment->flags & TCP_ACK) {
			end = !sender;
			syn = find_answered(rivals, end, segment->ack);
		}
		/* What has its SYN-ACK goes by the numbers of that. */
		if (syn < 0 || (end == client && syn == of_next))
			return false;
	}
	if (syn >= 0)
		set_rival_bits(rivals, end, RIVAL_SYN << syn, false);
	return true;
}

/* --- SYN ----------------------------------------------------------------- */

static __always_inline void repeat_syn(struct flow *flow,
				       const struct segment *segment, __u64 now,
				       struct verdict *verdict)
{
	/*
	 * Sent again, or overtaken by the SYN-ACK: then the start is not its
	 * own time, and no round trip is known either.
	 */
	if (!(flow->seen & SEEN_SYN) || is_retransmission(flow->start_time, now))
		flow->seen |= SEEN_RETRANSMISSION;
	flow->seen |= SEEN_SYN;
	note_syn_data(flow, segment->payload_len, verdict);
}

static __always_inline void track_syn(struct flow *flow, struct rivals *rivals,
				      const struct segment *segment,
				      const struct context *context,
				      struct verdict *verdict)
{
	const bool from_client = context->sender == flow->client;
	const bool open = !flow_is_closed(flow);

	if (!flow->seen) {
		begin(flow, verdict, context->sender, segment->seq,
		      context->now);
		flow->seen = SEEN_SYN;
		note_syn_data(flow, segment->payload_len, verdict);
	} else if (open && from_client && segment->seq == flow->cisn) {
		repeat_syn(flow, segment, context->now, verdict);
	} else if (open && !from_client && flow->seen & SEEN_SYNACK &&
		   segment->seq == flow->sides[SERVER].isn) {
		/* The server's SYN, after or between its SYN-ACKs. */
		if (flow_is_pending(flow))
			decide(flow, verdict, COUNT_NO_SERVER);
	} else {
		remember_syn(rivals, segment, context->sender, context->now);
		if (flow_is_pending(flow))
			verdict->ignored = COUNT_SYN_IN_CONNECTION;
	}
}

/* --- SYN-ACK ------------------------------------------------------------- */

/* Whether a SYN-ACK answers the flow's SYN, or the SYN that it had. */
static __always_inline bool answers_flow(const struct flow *flow,
					 const struct segment *segment,
					 int sender)
{
	return flow->seen && sender != flow->client &&
	       segment->ack - (flow->cisn + 1) <= flow->syn_len;
}

/* What a SYN-ACK, or another segment, is to its connection. */
enum handshake {
	HANDSHAKE_OTHER,   /* nothing, or the connection is another one */
	HANDSHAKE_GOES_ON, /* its SYN-ACK is known */
	HANDSHAKE_ANSWERED, /* this is its SYN-ACK, or the latest of several */
	HANDSHAKE_NEXT,	   /* it is the one that was remembered beside */
};

static __always_inline enum handshake
repeat_synack(struct flow *flow, __u64 now)
{
	if (flow_is_pending(flow) && is_retransmission(flow->synack_time, now))
		flow->seen |= SEEN_RETRANSMISSION;
	return HANDSHAKE_GOES_ON;
}

/* A SYN-ACK that answers the SYN of an open connection, with a new number. */
static __always_inline enum handshake
answer_flow(struct flow *flow, const struct rivals *rivals,
	    struct verdict *verdict)
{
	/* Of a SYN that was not seen, while another one is remembered. */
	if (!(flow->seen & SEEN_SYN) &&
	    rival_bits(rivals, flow->client) & (RIVAL_SYN | RIVAL_SYN << 1)) {
		verdict->ignored = COUNT_STALE_SYNACK;
		return HANDSHAKE_OTHER;
	}
	if (!(flow->seen & SEEN_SYNACK))
		return HANDSHAKE_ANSWERED;
	if (!flow_is_pending(flow))
		return HANDSHAKE_OTHER;
	if (flow->seen & SEEN_ANSWERED) {
		verdict->ignored = COUNT_STALE_SYNACK;
		return HANDSHAKE_OTHER;
	}
	flow->seen |= SEEN_RETRANSMISSION;
	return HANDSHAKE_ANSWERED;
}

/* Whether a SYN of this end is remembered that a SYN-ACK may answer. */
static __always_inline bool has_syn_of(const struct flow *flow,
				       const struct rivals *rivals, int end)
{
	if (rival_bits(rivals, end) & (RIVAL_SYN | RIVAL_SYN << 1))
		return true;
	return end == flow->client && flow->seen & SEEN_SYN &&
	       !flow_is_closed(flow);
}

/* Whether a SYN-ACK has the number of a SYN that its own sender sent. */
static __always_inline bool is_own_syn(const struct flow *flow,
				       const struct rivals *rivals,
				       const struct segment *segment,
				       int sender)
{
	if (sender == flow->client && flow->seen & SEEN_SYN &&
	    segment->seq == flow->cisn)
		return true;
	return find_rival_syn(rivals, sender, segment->seq) >= 0;
}

/*
 * Simultaneous open or split handshake: there is no server. Where the SYN-ACK
 * is about another connection than the flow, the flow goes on.
 */
static __always_inline void refuse_own_syn(struct flow *flow,
					   const struct segment *segment,
					   int sender, struct verdict *verdict)
{
	if (flow_is_pending(flow) && (sender == flow->client ||
				      answers_flow(flow, segment, sender))) {
		decide(flow, verdict, COUNT_NO_SERVER);
		flow->seen |= SEEN_ANSWERED; /* no other SYN-ACK counts */
	} else if (flow_is_pending(flow)) {
		verdict->ignored = COUNT_STALE_SYNACK;
	}
}

/*
 * What becomes of a SYN-ACK that answers no remembered SYN. False: it may begin
 * a connection, of which the SYN was not seen.
 */
static __always_inline bool
refuse_synack(const struct flow *flow, const struct rivals *rivals,
	      const struct context *context,
	      const struct track_options *options, struct verdict *verdict)
{
	const int client = !context->sender;
	/* Nothing is decided of a connection before its client answers. */
	const __u32 decided = SEEN_SYNACK | FLOW_DECIDED;
	const bool answered = (flow->seen & SEEN_ANSWERED ||
			       (flow->seen & decided) == decided) &&
			      !flow_is_closed(flow);
	/* A SYN that is not remembered may be answered. */
	const bool more = had_more_syns(rivals, client) &&
			  !(answered && flow_is_pending(flow));
	const bool asked = has_syn_of(flow, rivals, client);

	if (!asked && options->need != NEED_NONE &&
	    context->to_own != OWN_NO) {
		if (context->to_own == OWN_UNKNOWN)
			verdict->asks = true;
		else
			verdict->ignored = COUNT_UNSOLICITED;
		return true;
	}
	/* What answers a SYN that was seen does not give way to this. */
	if ((more || (!answered && !asked)) && !(rivals->seen & NEXT_SYN))
		return false;
	verdict->ignored = COUNT_STALE_SYNACK;
	return true;
}

/* A SYN-ACK of another connection than the flow's, which may be the next. */
static __always_inline enum handshake
track_next_synack(struct flow *flow, struct rivals *rivals,
		  const struct segment *segment, int syn,
		  const struct context *context,
		  const struct track_options *options, struct verdict *verdict)
{
	const bool open = flow->seen && !flow_is_closed(flow);
	const __u64 now = context->now;

	if (is_next(rivals, segment, context->sender)) {
		if (is_retransmission(full_time(rivals->synack_us, now), now))
			rivals->seen |= NEXT_RETRANSMISSION;
	} else if (syn < 0 &&
		   refuse_synack(flow, rivals, context, options, verdict)) {
		return HANDSHAKE_OTHER;
	} else {
		remember_synack(rivals, segment, context->sender, syn, now);
	}
	if (open && !(rivals->seen & NEXT_CLIENT_FIRST) &&
	    !proves_next(rivals, segment, context->sender))
		return HANDSHAKE_OTHER;
	return HANDSHAKE_NEXT;
}

static __always_inline enum handshake
track_synack(struct flow *flow, struct rivals *rivals,
	     const struct segment *segment, const struct context *context,
	     const struct track_options *options, struct verdict *verdict)
{
	const int sender = context->sender;
	const int syn = find_answered(rivals, !sender, segment->ack);
	const bool answers = answers_flow(flow, segment, sender);
	const bool closed = flow_is_closed(flow);

	if (answers && flow->seen & SEEN_SYNACK &&
	    segment->seq == flow->sides[SERVER].isn && !(closed && syn >= 0))
		return repeat_synack(flow, context->now);
	if (is_own_syn(flow, rivals, segment, sender)) {
		refuse_own_syn(flow, segment, sender, verdict);
		return HANDSHAKE_OTHER;
	}
	/* The flow's SYN, if seen, goes before one that is remembered. */
	if (answers && !closed && (flow->seen & SEEN_SYN || syn < 0))
		return answer_flow(flow, rivals, verdict);
	/* Of a connection that is over. */
	if (answers && syn < 0 && flow->seen & SEEN_SYN) {
		verdict->ignored = COUNT_STALE_SYNACK;
		return HANDSHAKE_OTHER;
	}
	return track_next_synack(flow, rivals, segment, syn, context, options,
				 verdict);
}

#endif
