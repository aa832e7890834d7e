/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What SYNs and SYN-ACKs mean: a connection begins, or rivals stand beside a
 * known one until a segment proves the new connection. Portable C without a
 * helper call, like segment.h.
 *
 * A SYN with other numbers on the four-tuple of a known connection may be the
 * next connection's, or a forger's. It is remembered beside the known
 * connection (struct rivals), and so is the SYN-ACK that answers it. Only a
 * segment that carries the new numbers proves that the four-tuple has a new
 * connection (compare RFC 5961, 4).
 */
#ifndef BANNERPROBE_HANDSHAKE_H
#define BANNERPROBE_HANDSHAKE_H

#include "first_bytes.h"
#include "flow.h"
#include "rivals.h"
#include "segment.h"
#include "stream.h"
#include "verdict.h"

/*
 * In ns. A SYN or SYN-ACK that is repeated sooner is a copy, from a second
 * interface or a mirror port. A retransmission comes after a second or later
 * (RFC 6298, 2.1).
 */
#define RETRANSMISSION_NS 500000000ULL

/* What the tracker needs to know about a segment besides its bytes. */
struct arrival {
	int sender;  /* the end that sent it: 0 or 1, by flow_identify() */
	__u64 now;   /* ns, on one clock for all segments */
	__u8 to_own; /* enum own_address: of its destination */
};

enum own_address {
	OWN_UNKNOWN, /* not looked up yet */
	OWN_NO,
	OWN_YES,
};

/* --- beginning ----------------------------------------------------------- */

/* Begins a new connection; a pending one on the same four-tuple has ended. */
static __always_inline void begin(struct flow *flow, struct verdict *verdict,
				  int client, __u32 cisn, __u64 start_time,
				  const struct track_options *options)
{
	if (flow_is_pending(flow))
		verdict->ended = unfinished_outcome(flow);
	if (wants_more_events(options) && flow->seen & FLOW_AWAITED)
		verdict->ended_fates =
			unfinished_fates(flow, options, FATE_NO_DATA);
	verdict->began = COUNT_CONNECTIONS;
	if (flow->seen) /* else all of it is zero */
		__builtin_memset(flow, 0, sizeof(*flow));
	flow->start_time = start_time;
	flow->cisn = cisn;
	flow->client = (__u8)client;
	if (wants_more_events(options))
		flow->seen = FLOW_AWAITED;
}

/*
 * The SYN carried data: the client spoke first, whether or not the server
 * accepted the data.
 */
static __always_inline void note_syn_data(struct flow *flow, __u32 len,
					  const struct track_options *options,
					  struct verdict *verdict)
{
	if (!len)
		return;
	if (len > 0xffff)
		len = 0xffff;
	if (wants_more_events(options) && !(flow->seen & SEEN_SYNACK)) {
		flow->seen |= (SIDE_SIGN | SIDE_SILENT) << CLIENT;
		verdict->keeps_data = flow->syn_len < len;
	}
	if (flow->syn_len < len)
		flow->syn_len = (__u16)len;
	if (flow_is_pending(flow))
		decide(flow, verdict, COUNT_CLIENT_FIRST_SYN);
}

/*
 * The SYN-ACK accepts data of the SYN: the data is the request. More of it may
 * follow, unless the server spoke at once. `said`: the payload bytes of the
 * SYN-ACK.
 */
static __always_inline void take_syn_data(struct flow *flow, __u32 accepted,
					  __u32 said,
					  const struct track_options *options,
					  struct verdict *verdict)
{
	if (!accepted || side_has(flow, CLIENT, SIDE_DONE) ||
	    !wants_more_events(options))
		return;
	flow->seen |= SIDE_DATA << CLIENT;
	flow->spoke_us = SPOKE_IN_SYN;
	log_first_bytes(flow, CLIENT, 0, options, verdict);
	if (verdict->logs & EVENT_BIT(EVENT_REQUEST)) {
		verdict->syn_len = (__u16)accepted;
		if (options->gather && !said)
			flow->seen |= FLOW_GATHERS_CLIENT;
	}
	verdict->logs &= (__u8)~EVENT_BIT(EVENT_REQUEST);
	note_left(flow, options);
}

/*
 * The SYN-ACK carries both numbers, so it judges the client segments that
 * passed before it. `said`: the payload bytes of the SYN-ACK.
 */
static __always_inline void note_synack(struct flow *flow, __u32 sisn,
					__u32 ack, __u32 said, __u64 now,
					const struct track_options *options,
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
	flow->seen &= ~(SEEN_SERVER_AHEAD | SEEN_SERVER_FIN | EARLY_MASK |
			(SIDE_DATA | SIDE_SIGN | SIDE_SILENT | SIDE_BY_SEQ)
				<< SERVER);
	READ_AGAIN();
	take_syn_data(flow, ack - (cisn + 1), said, options, verdict);
	READ_AGAIN();
	if (count > 0)
		take_early(flow, &first, now, options, verdict);
	READ_AGAIN();
	if (count > 1)
		take_early(flow, &second, now, options, verdict);
}

/*
 * Whether so much time lies between two packets that the later one is no copy
 * of the earlier.
 */
static __always_inline bool is_retransmission(__u64 then, __u64 now)
{
	return (__s64)(now - then) >= (__s64)RETRANSMISSION_NS;
}

/*
 * Begins the next connection, without rivals. note_synack() notes its SYN-ACK.
 */
static __always_inline void begin_next(struct flow *flow, struct rivals *rivals,
				       __u64 now,
				       const struct track_options *options,
				       struct verdict *verdict)
{
	/* Counted back from the SYN-ACK, because the SYN came before it. */
	begin(flow, verdict, next_client(rivals), rivals->cisn,
	      full_time(rivals->syn_us, full_time(rivals->synack_us, now)),
	      options);
	if (rivals->seen & NEXT_SYN)
		flow->seen |= SEEN_SYN;
	if (rivals->seen & NEXT_MORE)
		flow->seen |= SEEN_MORE_SYNS;
	if (rivals->seen & NEXT_RETRANSMISSION)
		flow->seen |= SEEN_RETRANSMISSION;
	if (rivals->seen & NEXT_DATA) {
		flow->syn_len = (__u16)(rivals->ack - (rivals->cisn + 1));
		decide(flow, verdict, COUNT_CLIENT_FIRST_SYN);
		flow->seen |= (SIDE_SIGN | SIDE_SILENT) << CLIENT;
	} else if (rivals->seen & NEXT_CLIENT_FIRST) {
		decide(flow, verdict, COUNT_CLIENT_FIRST);
		flow->seen |= (SIDE_SIGN | SIDE_DATA) << CLIENT;
		if (wants_more_events(options))
			flow->seen |= SEEN_ANSWERED;
		if (rivals->early_ack == rivals->sisn + 1)
			flow->seen |= SIDE_SILENT << CLIENT;
	}
	rivals->seen = 0;
}

/* --- SYN ----------------------------------------------------------------- */

static __always_inline void repeat_syn(struct flow *flow,
				       const struct segment *segment, __u64 now,
				       const struct track_options *options,
				       struct verdict *verdict)
{
	/*
	 * The SYN was sent again, or the SYN-ACK overtook it: then its time is
	 * not the connection's start, and the round trip is not known either.
	 */
	if (!(flow->seen & SEEN_SYN) ||
	    is_retransmission(flow->start_time, now))
		flow->seen |= SEEN_RETRANSMISSION;
	flow->seen |= SEEN_SYN;
	note_syn_data(flow, segment->payload_len, options, verdict);
}

static __always_inline void track_syn(struct flow *flow, struct rivals *rivals,
				      const struct segment *segment,
				      const struct arrival *arrival,
				      const struct track_options *options,
				      struct verdict *verdict)
{
	const bool from_client = arrival->sender == flow->client;
	const bool open = !flow_is_closed(flow);

	if (!flow->seen) {
		begin(flow, verdict, arrival->sender, segment->seq,
		      arrival->now, options);
		flow->seen |= SEEN_SYN;
		note_syn_data(flow, segment->payload_len, options, verdict);
	} else if (open && from_client && segment->seq == flow->cisn) {
		repeat_syn(flow, segment, arrival->now, options, verdict);
	} else if (open && !from_client && flow->seen & SEEN_SYNACK &&
		   segment->seq == flow->sides[SERVER].isn) {
		/* The server's SYN, after or between its SYN-ACKs. */
		if (flow_is_pending(flow))
			decide(flow, verdict, COUNT_NO_SERVER);
		end_events(flow, FATE_NO_SERVER, options, verdict);
	} else {
		verdict->keeps_data =
			remember_syn(rivals, segment, arrival->sender,
				     arrival->now) &&
			wants_more_events(options);
		if (flow_is_pending(flow))
			verdict->ignored = COUNT_SYN_IN_CONNECTION;
	}
}

/* --- SYN-ACK ------------------------------------------------------------- */

/* Whether a SYN-ACK acknowledges the flow's SYN, or the data of that SYN. */
static __always_inline bool
answers_flow(const struct flow *flow, const struct segment *segment, int sender)
{
	return flow->seen && sender != flow->client &&
	       segment->ack - (flow->cisn + 1) <= flow->syn_len;
}

/* What a segment is to its connection. */
enum handshake {
	HANDSHAKE_OTHER,    /* changes nothing, or of another connection */
	HANDSHAKE_GOES_ON,  /* valid; the connection's SYN-ACK is known */
	HANDSHAKE_ANSWERED, /* the connection's SYN-ACK, or a newer one */
	HANDSHAKE_NEXT,	    /* proves the rivals' SYN-ACK: a new connection */
};

static __always_inline enum handshake repeat_synack(struct flow *flow,
						    __u64 now)
{
	if (flow_is_undecided(flow) &&
	    is_retransmission(flow->synack_time, now))
		flow->seen |= SEEN_RETRANSMISSION;
	return HANDSHAKE_GOES_ON;
}

/*
 * Handles a SYN-ACK with a new number that answers the SYN of an open
 * connection.
 */
static __always_inline enum handshake answer_flow(struct flow *flow,
						  const struct rivals *rivals,
						  struct verdict *verdict)
{
	/*
	 * It answers a SYN that was not seen, while another SYN is remembered.
	 */
	if (!(flow->seen & SEEN_SYN) &&
	    rival_bits(rivals, flow->client) & (RIVAL_SYN | RIVAL_SYN << 1)) {
		verdict->ignored = COUNT_STALE_SYNACK;
		return HANDSHAKE_OTHER;
	}
	if (!(flow->seen & SEEN_SYNACK))
		return HANDSHAKE_ANSWERED;
	if (!flow_is_undecided(flow) || flow->reported & REPORTED_LOGGED)
		return HANDSHAKE_OTHER;
	if (flow->seen & SEEN_ANSWERED) {
		verdict->ignored = COUNT_STALE_SYNACK;
		return HANDSHAKE_OTHER;
	}
	flow->seen |= SEEN_RETRANSMISSION;
	return HANDSHAKE_ANSWERED;
}

/* Whether the rivals have a SYN of this end that a SYN-ACK may answer. */
static __always_inline bool has_syn_of(const struct flow *flow,
				       const struct rivals *rivals, int end)
{
	if (rival_bits(rivals, end) & (RIVAL_SYN | RIVAL_SYN << 1))
		return true;
	return end == flow->client && flow->seen & SEEN_SYN &&
	       !flow_is_closed(flow);
}

/* Whether a SYN-ACK has the number of a SYN that its own sender has sent. */
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
 * belongs to another connection than the flow, the flow is not changed.
 */
static __always_inline void
refuse_own_syn(struct flow *flow, const struct segment *segment, int sender,
	       const struct track_options *options, struct verdict *verdict)
{
	const bool is_flows =
		sender == flow->client || answers_flow(flow, segment, sender);

	if (flow_is_undecided(flow) && is_flows) {
		if (flow_is_pending(flow))
			decide(flow, verdict, COUNT_NO_SERVER);
		end_events(flow, FATE_NO_SERVER, options, verdict);
		flow->seen |= SEEN_ANSWERED; /* no other SYN-ACK counts */
	} else if (flow_is_pending(flow)) {
		verdict->ignored = COUNT_STALE_SYNACK;
	}
}

/*
 * Handles a SYN-ACK that answers no remembered SYN. False: it may begin a
 * connection of which the SYN was not seen.
 */
static __always_inline bool refuse_synack(const struct flow *flow,
					  const struct rivals *rivals,
					  const struct arrival *arrival,
					  const struct track_options *options,
					  struct verdict *verdict)
{
	const int client = !arrival->sender;
	/* A decided connection counts as one that its client has answered. */
	const __u32 decided = SEEN_SYNACK | FLOW_DECIDED;
	const bool answered = (flow->seen & SEEN_ANSWERED ||
			       (flow->seen & decided) == decided) &&
			      !flow_is_closed(flow);
	/* It may answer a SYN that is not remembered. */
	const bool more = had_more_syns(rivals, client) &&
			  !(answered && flow_is_undecided(flow));
	const bool asked = has_syn_of(flow, rivals, client);

	if (!asked && options->need != NEED_NONE && arrival->to_own != OWN_NO) {
		if (arrival->to_own == OWN_UNKNOWN)
			verdict->asks = true;
		else
			verdict->ignored = COUNT_UNSOLICITED;
		return true;
	}
	/* A SYN-ACK that answers a seen SYN is not replaced by this one. */
	if ((more || (!answered && !asked)) && !(rivals->seen & NEXT_SYN))
		return false;
	verdict->ignored = COUNT_STALE_SYNACK;
	return true;
}

/*
 * Handles a SYN-ACK of another connection than the flow: it may be the next
 * one's.
 */
static __always_inline enum handshake
track_next_synack(struct flow *flow, struct rivals *rivals,
		  const struct segment *segment, int syn,
		  const struct arrival *arrival,
		  const struct track_options *options, struct verdict *verdict)
{
	const bool open = flow->seen && !flow_is_closed(flow);
	const __u64 now = arrival->now;

	if (is_next(rivals, segment, arrival->sender)) {
		if (is_retransmission(full_time(rivals->synack_us, now), now))
			rivals->seen |= NEXT_RETRANSMISSION;
	} else if (syn < 0 &&
		   refuse_synack(flow, rivals, arrival, options, verdict)) {
		return HANDSHAKE_OTHER;
	} else {
		remember_synack(rivals, segment, arrival->sender, syn, now);
	}
	if (open && !(rivals->seen & NEXT_CLIENT_FIRST) &&
	    !proves_next(rivals, segment, arrival->sender))
		return HANDSHAKE_OTHER;
	return HANDSHAKE_NEXT;
}

static __always_inline enum handshake
track_synack(struct flow *flow, struct rivals *rivals,
	     const struct segment *segment, const struct arrival *arrival,
	     const struct track_options *options, struct verdict *verdict)
{
	const int sender = arrival->sender;
	const int syn = find_answered(rivals, !sender, segment->ack);
	const bool answers = answers_flow(flow, segment, sender);
	const bool closed = flow_is_closed(flow);

	if (answers && flow->seen & SEEN_SYNACK &&
	    segment->seq == flow->sides[SERVER].isn && !(closed && syn >= 0))
		return repeat_synack(flow, arrival->now);
	if (is_own_syn(flow, rivals, segment, sender)) {
		refuse_own_syn(flow, segment, sender, options, verdict);
		return HANDSHAKE_OTHER;
	}
	/* The flow's SYN, if it was seen, is tried before a remembered one. */
	if (answers && !closed && (flow->seen & SEEN_SYN || syn < 0))
		return answer_flow(flow, rivals, verdict);
	/* It answers the SYN of a connection that is over. */
	if (answers && syn < 0 && flow->seen & SEEN_SYN) {
		verdict->ignored = COUNT_STALE_SYNACK;
		return HANDSHAKE_OTHER;
	}
	return track_next_synack(flow, rivals, segment, syn, arrival, options,
				 verdict);
}

#endif
