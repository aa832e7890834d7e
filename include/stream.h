/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What segments after the handshake mean: client data, server data, FINs and
 * RSTs. Portable C without a helper call, like segment.h.
 *
 * A segment decides a connection only if both of its numbers are valid, a RST
 * only by an exact number: a forger that sees no packet has to guess 32 bits.
 */
#ifndef BANNERPROBE_STREAM_H
#define BANNERPROBE_STREAM_H

#include "flow.h"
#include "segment.h"
#include "verdict.h"

/* What is read of a segment that one side sent after its SYN. */
struct part {
	__s32 from;  /* bytes from isn+1 of its sender to its payload */
	__u32 len;   /* payload bytes */
	__u32 ack;   /* valid, if has_ack */
	bool fin;
	bool has_ack;
};

static __always_inline struct part part_of(const struct flow *flow,
					   enum side_name sender,
					   const struct segment *segment,
					   __u32 seq)
{
	return (struct part){
		.from = seq_distance(flow->sides[sender].isn + 1, seq),
		.len = segment->payload_len,
		.ack = segment->ack,
		.fin = segment->flags & TCP_FIN,
		.has_ack = segment->flags & TCP_ACK,
	};
}

/* Where a part ends, behind isn+1; its FIN is not counted. */
static __always_inline __s64 part_end(const struct part *part)
{
	return (__s64)part->from + part->len;
}

/*
 * Whether the other side can have earned this acknowledgement of what `side`
 * has sent.
 */
static __always_inline bool ack_is_valid(const struct side *side,
					 const struct part *part)
{
	return part->has_ack &&
	       seq_is_within(side->isn + 1, side->sent, part->ack);
}

static __always_inline void raise_to(__u32 *number, __u32 value)
{
	if (seq_distance(*number, value) > 0)
		*number = value;
}

/* Whether a part begins further than a window beyond what was known. */
static __always_inline bool is_far(const struct flow *flow,
				   enum side_name sender,
				   const struct part *part)
{
	const struct side *side = &flow->sides[sender];

	return seq_distance(side->sent, side->isn + 1 + (__u32)part->from) >
	       FIRST_WINDOW_MAX;
}

/*
 * A valid part tells how far either side has come. What is far, or ends long
 * before what was known, tells nothing: or else one lucky guess would widen
 * what is valid for the next.
 */
static __always_inline void note_progress(struct flow *flow,
					  enum side_name sender,
					  const struct part *part)
{
	struct side *from = &flow->sides[sender];
	struct side *to = &flow->sides[!sender];
	const __u32 begin = from->isn + 1 + (__u32)part->from;

	if (is_far(flow, sender, part) ||
	    (part->from < -1 && part_end(part) + part->fin <= 0))
		return;
	raise_to(&from->sent, begin + part->len + part->fin);
	raise_to(&to->acked, part->ack);
	raise_to(&to->sent, part->ack);
}

/* --- greetings that are gathered ---------------------------------------- */

static __always_inline void end_gathering(struct flow *flow,
					  const struct segment *segment,
					  struct verdict *verdict)
{
	flow->seen &= ~FLOW_GATHERING;
	verdict->part = PART_END;
	verdict->skip = segment->payload_len;
}

/* A part of the greeting, if it is within what is asked for. */
static __always_inline void gather(const struct flow *flow,
				   const struct part *part,
				   const struct track_options *options,
				   struct verdict *verdict)
{
	const __s32 acked = seq_distance(flow->sides[CLIENT].isn + 1, part->ack);

	if (part->from >= (__s32)options->gather || !part->has_ack ||
	    acked < 0 || acked > client_fin_len(flow))
		return;
	verdict->part = PART_MORE;
	verdict->offset = part->from > 0 ? (__u32)part->from : 0;
	verdict->skip = part->from < 0 ? (__u32)-part->from : 0;
}

/* A server segment after the banner's. */
static __always_inline void track_greeting(struct flow *flow,
					   const struct segment *segment,
					   __u32 seq,
					   const struct track_options *options,
					   struct verdict *verdict)
{
	const struct part part = part_of(flow, SERVER, segment, seq);
	const __s32 acked = seq_distance(flow->sides[CLIENT].isn + 1, part.ack);
	const __s32 beyond = (__s32)options->gather + FIRST_WINDOW_MAX;

	if (!ack_is_valid(&flow->sides[CLIENT], &part)) {
		verdict->ignored = COUNT_INVALID_SERVER_SEGMENT;
		return;
	}
	if (acked > client_fin_len(flow)) {
		if (part.from >= 0 && part.from <= beyond)
			end_gathering(flow, segment, verdict);
	} else if (part.from > beyond) {
		/* So far ahead, what is missing is not just late. */
		end_gathering(flow, segment, verdict);
	} else if (part_end(&part) + part.fin > 0 && (part.len || part.fin)) {
		gather(flow, &part, options, verdict);
	}
	note_progress(flow, SERVER, &part);
}

/* --- the server ---------------------------------------------------------- */

/* The server's first bytes, which the client had not asked for. */
static __always_inline void take_banner(struct flow *flow,
				       const struct part *part,
				       const struct track_options *options,
				       struct verdict *verdict)
{
	const bool wants_syn = options->need == NEED_SYN ||
			       options->need == NEED_HANDSHAKE;

	if (wants_syn && !(flow->seen & (SEEN_SYN | SEEN_MORE_SYNS))) {
		decide(flow, verdict, COUNT_SYN_UNSEEN);
		return;
	}
	if (options->need == NEED_HANDSHAKE && !(flow->seen & SEEN_ANSWERED)) {
		decide(flow, verdict, COUNT_HANDSHAKE_UNSEEN);
		return;
	}
	verdict->skip = (__u32)-part->from;
	decide(flow, verdict, COUNT_BANNER);
	if (options->gather) {
		flow->seen |= FLOW_GATHERING;
		verdict->part = PART_FIRST;
	}
}

/* A part that covers sisn+1, or a FIN there. */
static __always_inline void take_first_part(struct flow *flow,
					    const struct part *part,
					    const struct track_options *options,
					    struct verdict *verdict)
{
	const __s32 acked = seq_distance(flow->sides[CLIENT].isn + 1, part->ack);

	if (part->fin)
		flow->seen |= SEEN_SERVER_FIN;
	if (acked > client_fin_len(flow))
		decide(flow, verdict, COUNT_CLIENT_FIRST_BY_ACK);
	else if (part_end(part) <= 0)
		decide(flow, verdict, COUNT_NO_DATA);
	else
		take_banner(flow, part, options, verdict);
}

/* A server segment. The SYN-ACK has been seen, nothing is decided. */
static __always_inline void
track_server_data(struct flow *flow, const struct segment *segment, __u32 seq,
		  const struct track_options *options, struct verdict *verdict)
{
	const struct part part = part_of(flow, SERVER, segment, seq);
	const bool says = (part.len || part.fin) &&
			  part_end(&part) + part.fin > 0;

	if (!ack_is_valid(&flow->sides[CLIENT], &part)) {
		if (part.len || part.fin)
			verdict->ignored = COUNT_INVALID_SERVER_SEGMENT;
		return;
	}
	if (says && part.from > 0) { /* reordered, or the first was missed */
		flow->seen |= SEEN_SERVER_AHEAD;
		if (part.fin && !is_far(flow, SERVER, &part))
			flow->seen |= SEEN_SERVER_FIN;
		gather(flow, &part, options, verdict);
	} else if (says) {
		take_first_part(flow, &part, options, verdict);
	}
	note_progress(flow, SERVER, &part);
}

/* A decided connection is not followed: near its first numbers will do. */
static __always_inline bool is_near(const struct flow *flow,
				    enum side_name sender,
				    const struct segment *segment)
{
	const __u32 next = flow->sides[sender].isn + 1;
	const __u32 expected = flow->sides[!sender].isn + 1;

	return segment->seq - next <= FIRST_WINDOW_MAX &&
	       (!(segment->flags & TCP_ACK) ||
		!(flow->seen & SEEN_SYNACK) ||
		segment->ack - expected <= FIRST_WINDOW_MAX);
}

/* `seq`: where the payload begins, one more than its number in a SYN-ACK. */
static __always_inline void track_server(struct flow *flow,
					 const struct segment *segment,
					 __u32 seq,
					 const struct track_options *options,
					 struct verdict *verdict)
{
	if (!(flow->seen & SEEN_SYNACK))
		return;
	if (flow->seen & FLOW_GATHERING)
		track_greeting(flow, segment, seq, options, verdict);
	if (!(flow->seen & FLOW_DECIDED))
		track_server_data(flow, segment, seq, options, verdict);
	else if (segment->flags & TCP_FIN && is_near(flow, SERVER, segment))
		flow->seen |= SEEN_SERVER_FIN;
}

/* --- the client ---------------------------------------------------------- */

/*
 * The client answers the SYN-ACK: the round trip is complete. Its time is not
 * known where a part of it was not seen, or may be the answer to another
 * (Karn's algorithm, RFC 6298, 3).
 */
static __always_inline void note_rtt(struct flow *flow, __u64 now)
{
	const __u64 since = us_since_start(flow, now);

	if (!(flow->seen & SEEN_SYN) || since > ~0U ||
	    flow->seen & SEEN_RETRANSMISSION)
		return;
	flow->rtt_us = (__u32)since;
	flow->seen |= SEEN_RTT;
}

/* A valid client segment of a pending connection. */
static __always_inline void take_client_part(struct flow *flow,
					     const struct part *part,
					     struct verdict *verdict)
{
	const __s64 end = part_end(part);

	if (part->from >= 0 && !part->len && !part->fin)
		flow->seen |= SEEN_ACK;
	flow->seen |= SEEN_ANSWERED;
	note_progress(flow, CLIENT, part);
	if (part->len && end > 0) {
		/* The client answers something that was missed? */
		decide(flow, verdict,
		       unfinished_outcome(flow) == COUNT_SERVER_DATA_UNSEEN ?
			       COUNT_SERVER_DATA_UNSEEN :
			       COUNT_CLIENT_FIRST);
	} else if (part->from > client_fin_len(flow)) {
		decide(flow, verdict, COUNT_CLIENT_FIRST_BY_SEQ);
	}
	if (part->fin && (end == 0 || flow->seen & FLOW_DECIDED))
		flow->seen |= SEEN_CLIENT_FIN;
}

/*
 * Remembers a client segment until the SYN-ACK can judge it. A pure ACK is
 * worth a place only while there is nothing else.
 */
static __always_inline void remember_early(struct flow *flow,
					   const struct part *part)
{
	const __u32 count = (flow->seen & EARLY_MASK) >> EARLY_SHIFT;
	/* What lies before cisn+1 tells nothing. */
	const __s64 whole = part->from < 0 ? part_end(part) : part->len;
	const __u32 len = whole < EARLY_FIN ? (__u32)whole : EARLY_FIN - 1;
	const struct early early = {
		.from = (__u16)(part->from < 0 ? 0 : part->from),
		.len = (__u16)(len | (part->fin ? EARLY_FIN : 0)),
		.ack = part->ack,
	};
	const bool is_pure = !early.from && !early.len;

	if (whole < 0 || (part->from < 0 && !len) || !part->has_ack ||
	    count >= EARLY_MAX || (is_pure && count))
		return;
	if (count == 0)
		flow->early[0] = early;
	else
		flow->early[1] = early;
	flow->seen += 1 << EARLY_SHIFT;
}

/* Of a client segment remembered so long, what the SYN-ACK makes of it. */
static __always_inline void take_early(struct flow *flow,
				       const struct early *early,
				       struct verdict *verdict)
{
	const struct part part = {
		.from = early->from,
		.len = early->len & ~EARLY_FIN,
		.ack = early->ack,
		.fin = early->len & EARLY_FIN,
		.has_ack = true,
	};

	if (flow_is_pending(flow) && ack_is_valid(&flow->sides[SERVER], &part))
		take_client_part(flow, &part, verdict);
}

/* Whether a client segment lies where the server can have invited it to. */
static __always_inline bool is_in_window(const struct flow *flow,
					 const struct part *part)
{
	const __s32 sent = flow->seen & SEEN_SYNACK ?
				   seq_distance(flow->sides[CLIENT].isn + 1,
						flow->sides[CLIENT].sent) :
				   0;

	/* At one number before cisn+1, it is a keep-alive. */
	return part->from <= (__s64)sent + FIRST_WINDOW_MAX &&
	       (part->from >= -1 || part_end(part) + part->fin > 0);
}

static __always_inline void track_client_part(
	struct flow *flow, const struct segment *segment,
	const struct part *part, __u64 now, const struct track_options *options,
	struct verdict *verdict)
{
	const bool is_first = !(flow->seen & SEEN_ANSWERED);

	if (flow->seen & FLOW_GATHERING) {
		note_progress(flow, CLIENT, part);
		if (part_end(part) + part->fin > client_fin_len(flow))
			end_gathering(flow, segment, verdict);
		if (part->fin)
			flow->seen |= SEEN_CLIENT_FIN;
		return;
	}
	if (options->rtt && is_first &&
	    part->ack == flow->sides[SERVER].isn + 1)
		note_rtt(flow, now);
	take_client_part(flow, part, verdict);
}

static __always_inline void
track_client(struct flow *flow, const struct segment *segment, __u64 now,
	     const struct track_options *options, struct verdict *verdict)
{
	const struct part part = part_of(flow, CLIENT, segment, segment->seq);

	if (!flow_is_watched(flow)) {
		if (part.fin && is_near(flow, CLIENT, segment))
			flow->seen |= SEEN_CLIENT_FIN;
		return;
	}
	if (!is_in_window(flow, &part))
		verdict->ignored = COUNT_OUT_OF_WINDOW;
	else if (!(flow->seen & SEEN_SYNACK))
		remember_early(flow, &part);
	else if (!ack_is_valid(&flow->sides[SERVER], &part))
		verdict->ignored = COUNT_INVALID_CLIENT_SEGMENT;
	else
		track_client_part(flow, segment, &part, now, options, verdict);
}

/* --- resets -------------------------------------------------------------- */

/*
 * Whether a RST has the number that its sender has come to, or that the other
 * side acknowledged (RFC 5961, 3.2). Before the SYN-ACK: the number that the
 * SYN leaves, or an answer to the SYN.
 */
static __always_inline bool rst_is_valid(const struct flow *flow,
					 const struct segment *segment,
					 enum side_name sender)
{
	const struct side *side = &flow->sides[sender];

	if (!(flow->seen & SEEN_SYNACK)) {
		if (sender == CLIENT)
			return segment->seq == flow->cisn + 1;
		return segment->flags & TCP_ACK &&
		       segment->ack - (flow->cisn + 1) <= flow->syn_len;
	}
	if (!flow_is_watched(flow))
		return is_near(flow, sender, segment);
	if (segment->seq == side->sent)
		return true;
	/* The SYN-ACK has acknowledged the SYN; nothing yet the SYN-ACK. */
	return segment->seq == side->acked &&
	       (sender == CLIENT || flow->seen & SEEN_ANSWERED);
}

/* A valid RST. */
static __always_inline void track_rst(struct flow *flow,
				      const struct segment *segment,
				      struct verdict *verdict)
{
	/*
	 * Not forgotten altogether: a SYN-ACK that is repeated late must not
	 * begin the connection again.
	 */
	flow->seen |= SEEN_RST;
	if (flow->seen & FLOW_GATHERING)
		end_gathering(flow, segment, verdict);
	if (flow_is_pending(flow))
		decide(flow, verdict, COUNT_RESET);
}

#endif
