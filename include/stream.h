/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What segments after the handshake mean: client data, server data and FINs.
 * Portable C without a helper call, like segment.h.
 *
 * A segment decides a connection only if both of its numbers are valid, a RST
 * only by an exact number. So a forger that sees no packet has to guess 32
 * bits.
 */
#ifndef BANNERPROBE_STREAM_H
#define BANNERPROBE_STREAM_H

#include "first_bytes.h"
#include "flow.h"
#include "gathering.h"
#include "part.h"
#include "segment.h"
#include "verdict.h"

/* --- either side --------------------------------------------------------- */

/*
 * Judges a valid part for the events besides the banner. `at_hand`: its bytes
 * can be logged.
 */
static __always_inline void
track_events(struct flow *flow, enum side_name sender, const struct part *part,
	     bool at_hand, __u64 now, const struct track_options *options,
	     struct verdict *verdict)
{
	if (!wants_more_events(options) || !(flow->seen & FLOW_AWAITED) ||
	    !part_tells(flow, sender, part))
		return;
	if (sender == CLIENT)
		note_open(flow, part, options, verdict);
	note_first_bytes(flow, sender, part, at_hand, now, options, verdict);
	if (verdict->logs & ~EVENT_BIT(EVENT_OPEN)) {
		verdict->skip = (__u32)-part->from;
		begin_gathering(flow, sender, options, verdict);
	} else if (options->gather && at_hand && part->len && part->from > 0 &&
		   !side_has(flow, sender, SIDE_DONE)) {
		gather(flow, sender, part, options, verdict);
	}
	note_left(flow, options);
	READ_AGAIN();
}

/* --- the server ---------------------------------------------------------- */

/* Decides the server's first bytes, which came before any client data. */
static __always_inline void take_banner(struct flow *flow,
					const struct part *part,
					const struct track_options *options,
					struct verdict *verdict)
{
	const enum event_fate need = unmet_need(flow, options);

	if (need == FATE_SYN_UNSEEN) {
		decide(flow, verdict, COUNT_SYN_UNSEEN);
		return;
	}
	if (need == FATE_HANDSHAKE_UNSEEN) {
		decide(flow, verdict, COUNT_HANDSHAKE_UNSEEN);
		return;
	}
	verdict->skip = (__u32)-part->from;
	decide(flow, verdict, COUNT_BANNER);
	begin_gathering(flow, SERVER, options, verdict);
}

/* Handles a part that covers sisn+1, or a FIN at that number. */
static __always_inline void take_first_part(struct flow *flow,
					    const struct part *part,
					    const struct track_options *options,
					    struct verdict *verdict)
{
	const __s32 acked =
		seq_distance(flow->sides[CLIENT].isn + 1, part->ack);

	if (part->fin)
		flow->seen |= SEEN_SERVER_FIN;
	if (acked > silent_len(flow, CLIENT))
		decide(flow, verdict, COUNT_CLIENT_FIRST_BY_ACK);
	else if (part_end(part) <= 0)
		decide(flow, verdict, COUNT_NO_DATA);
	else
		take_banner(flow, part, options, verdict);
}

/*
 * Judges a valid server segment of an undecided connection with a known
 * SYN-ACK.
 */
static __always_inline void
track_server_data(struct flow *flow, const struct part *part,
		  const struct track_options *options, struct verdict *verdict)
{
	const bool says =
		(part->len || part->fin) && part_end(part) + part->fin > 0;

	if (says && part->from > 0) { /* reordered, or the first was missed */
		flow->seen |= SEEN_SERVER_AHEAD;
		if (part->fin && !is_far(flow, SERVER, part))
			flow->seen |= SEEN_SERVER_FIN;
		gather(flow, SERVER, part, options, verdict);
	} else if (says) {
		take_first_part(flow, part, options, verdict);
	}
}

/* Tracks a server segment of a connection that is followed. */
static __always_inline void
track_server_part(struct flow *flow, const struct segment *segment,
		  const struct part *part, __u64 now,
		  const struct track_options *options, struct verdict *verdict)
{
	const bool gathers = is_gathering(flow, SERVER, options);

	if (!ack_is_valid(&flow->sides[CLIENT], part)) {
		if (gathers || part->len || part->fin)
			verdict->ignored = COUNT_INVALID_SERVER_SEGMENT;
		return;
	}
	if (is_gathering(flow, CLIENT, options) &&
	    says_more(flow, SERVER, part) && !is_far(flow, SERVER, part))
		end_other(flow, CLIENT, verdict);
	if (gathers)
		gather_next(flow, SERVER, segment, part, options, verdict);
	track_events(flow, SERVER, part, true, now, options, verdict);
	if (!(flow->seen & FLOW_DECIDED))
		track_server_data(flow, part, options, verdict);
	else if (part->fin && part_end(part) >= 0 &&
		 !is_far(flow, SERVER, part))
		flow->seen |= SEEN_SERVER_FIN;
	note_progress(flow, SERVER, part);
	note_bare_fin(flow, SERVER, part);
}

/*
 * `seq`: where the payload begins. In a SYN-ACK that is one after its number.
 */
static __always_inline void track_server(struct flow *flow,
					 const struct segment *segment,
					 __u32 seq, __u64 now,
					 const struct track_options *options,
					 struct verdict *verdict)
{
	struct part *part = &verdict->said;

	*part = part_of(flow, SERVER, segment, seq);
	READ_AGAIN();
	if (!(flow->seen & SEEN_SYNACK))
		return;
	if (flow_is_watched(flow))
		track_server_part(flow, segment, part, now, options, verdict);
	else if (part->fin && is_near(flow, SERVER, segment))
		flow->seen |= SEEN_SERVER_FIN;
}

/* --- the client ---------------------------------------------------------- */

/*
 * Notes that the client answered the SYN-ACK, which completes the round trip.
 * The round-trip time is not known where a segment of the handshake was not
 * seen, or may have been sent twice (Karn's algorithm, RFC 6298, 3).
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

/* Judges a valid client segment for the banner of an undecided connection. */
static __always_inline void judge_client_part(struct flow *flow,
					      const struct part *part,
					      struct verdict *verdict)
{
	if (!flow_is_pending(flow))
		return;
	if (part->len && part_end(part) > 0) {
		/* The client may have answered server data that was missed. */
		decide(flow, verdict,
		       unfinished_outcome(flow) == COUNT_SERVER_DATA_UNSEEN ?
			       COUNT_SERVER_DATA_UNSEEN :
			       COUNT_CLIENT_FIRST);
	} else if (part->from > silent_len(flow, CLIENT)) {
		decide(flow, verdict, COUNT_CLIENT_FIRST_BY_SEQ);
	}
}

/* Notes that the client has acknowledged the SYN-ACK. */
static __always_inline void note_answer(struct flow *flow,
					const struct part *part)
{
	if (part->from >= 0 && !part->len && !part->fin)
		flow->seen |= SEEN_ACK;
	flow->seen |= SEEN_ANSWERED;
}

/* Tracks a valid client segment of an undecided connection. */
static __always_inline void take_client_part(struct flow *flow,
					     const struct part *part,
					     struct verdict *verdict)
{
	note_answer(flow, part);
	note_progress(flow, CLIENT, part);
	judge_client_part(flow, part, verdict);
	note_bare_fin(flow, CLIENT, part);
	if (part->fin && (part_end(part) == 0 || flow->seen & FLOW_DECIDED))
		flow->seen |= SEEN_CLIENT_FIN;
}

/*
 * Remembers a client segment until the SYN-ACK can judge it. A pure ACK is kept
 * only while there is nothing else to keep.
 */
static __always_inline void remember_early(struct flow *flow,
					   const struct part *part)
{
	const __u32 count = (flow->seen & EARLY_MASK) >> EARLY_SHIFT;
	/* Bytes before cisn+1 are no evidence. */
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

/* What the SYN-ACK makes of a remembered client segment. */
static __always_inline void take_early(struct flow *flow,
				       const struct early *early, __u64 now,
				       const struct track_options *options,
				       struct verdict *verdict)
{
	const struct part part = {
		.from = early->from,
		.len = early->len & ~EARLY_FIN,
		.ack = early->ack,
		.fin = early->len & EARLY_FIN,
		.has_ack = true,
	};

	if (!flow_is_undecided(flow) ||
	    !ack_is_valid(&flow->sides[SERVER], &part))
		return;
	track_events(flow, CLIENT, &part, false, now, options, verdict);
	take_client_part(flow, &part, verdict);
}

/* Whether a client segment lies within the window of the server. */
static __always_inline bool is_in_window(const struct flow *flow,
					 const struct part *part)
{
	const __s32 sent = flow->seen & SEEN_SYNACK ?
				   seq_distance(flow->sides[CLIENT].isn + 1,
						flow->sides[CLIENT].sent) :
				   0;

	/* A segment one number before cisn+1 is a keep-alive. */
	return part->from <= (__s64)sent + FIRST_WINDOW_MAX &&
	       (part->from >= -1 || part_end(part) + part->fin > 0);
}

/*
 * Tracks a client segment of a connection that is followed, after the SYN-ACK.
 */
static __always_inline void
track_client_part(struct flow *flow, const struct segment *segment,
		  const struct part *part, __u64 now,
		  const struct track_options *options, struct verdict *verdict)
{
	const bool gathers = is_gathering(flow, SERVER, options);
	const bool negotiates = only_negotiates(flow, part);

	if (gathers && !negotiates && says_more(flow, CLIENT, part))
		end_other(flow, SERVER, verdict);
	if (is_gathering(flow, CLIENT, options))
		gather_next(flow, CLIENT, segment, part, options, verdict);
	track_events(flow, CLIENT, part, true, now, options, verdict);
	if (options->rtt && !(flow->seen & SEEN_ANSWERED) &&
	    part->ack == flow->sides[SERVER].isn + 1)
		note_rtt(flow, now);
	if (gathers) {
		note_answer(flow, part);
		if (negotiates) /* so its acknowledgement ends nothing */
			flow->seen |= SIDE_SIGN << CLIENT;
		note_progress(flow, CLIENT, part);
		note_bare_fin(flow, CLIENT, part);
		if (part->fin)
			flow->seen |= SEEN_CLIENT_FIN;
		return;
	}
	take_client_part(flow, part, verdict);
}

static __always_inline void
track_client(struct flow *flow, const struct segment *segment, __u64 now,
	     const struct track_options *options, struct verdict *verdict)
{
	struct part *part = &verdict->said;

	*part = part_of(flow, CLIENT, segment, segment->seq);
	verdict->closes =
		(__u8)(part->fin & (flow_bit(flow, SEEN_CLIENT_FIN) ^ 1));
	READ_AGAIN();
	if (!flow_is_watched(flow)) {
		if (part->fin && is_near(flow, CLIENT, segment))
			flow->seen |= SEEN_CLIENT_FIN;
		return;
	}
	if (!is_in_window(flow, part))
		verdict->ignored = COUNT_OUT_OF_WINDOW;
	else if (!(flow->seen & SEEN_SYNACK))
		remember_early(flow, part);
	else if (!ack_is_valid(&flow->sides[SERVER], part))
		verdict->ignored = COUNT_INVALID_CLIENT_SEGMENT;
	else
		track_client_part(flow, segment, part, now, options, verdict);
}

#endif
