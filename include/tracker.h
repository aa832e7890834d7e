/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a segment means for its connection: did the server speak first, and is
 * the segment what it said? Portable C without a helper call, like segment.h.
 *
 * A banner is the payload of the server segment that begins at sisn+1, if the
 * SYN-ACK was seen, no client payload was seen before, and the segment's own
 * acknowledgement number proves that the server had received none either. So a
 * packet that was missed, lost, reordered or repeated gives either the right
 * banner or none. docs/robustness.md says what a forged packet can do.
 */
#ifndef BANNERPROBE_TRACKER_H
#define BANNERPROBE_TRACKER_H

#include "flow.h"
#include "handshake.h"
#include "reset.h"
#include "rivals.h"
#include "segment.h"
#include "stream.h"
#include "verdict.h"

/*
 * Decides which connection a segment with SYN or ACK belongs to, and how that
 * connection stands.
 */
static __always_inline enum handshake
track_handshake(struct flow *flow, struct rivals *rivals,
		const struct segment *segment, const struct arrival *arrival,
		const struct track_options *options, struct verdict *verdict)
{
	if (segment->flags & TCP_SYN) {
		if (segment->flags & TCP_FIN)
			verdict->ignored = COUNT_INVALID_FLAGS;
		else if (segment->flags & TCP_ACK)
			return track_synack(flow, rivals, segment, arrival,
					    options, verdict);
		else
			track_syn(flow, rivals, segment, arrival, options,
				  verdict);
		return HANDSHAKE_OTHER;
	}
	if (!flow->seen)
		return HANDSHAKE_OTHER;
	if (flow->seen & FLOW_RIVALS) {
		if (proves_next(rivals, segment, arrival->sender))
			return HANDSHAKE_NEXT;
		remember_rival_early(rivals, segment, arrival->sender);
	}
	return HANDSHAKE_GOES_ON;
}

static __always_inline void
track_segment(struct flow *flow, struct rivals *rivals,
	      const struct segment *segment, const struct arrival *arrival,
	      const struct track_options *options, struct verdict *verdict)
{
	const bool syn = segment->flags & TCP_SYN;
	__u32 sisn = segment->seq, ack = segment->ack;
	__u64 synack_time = arrival->now;
	enum handshake handshake;

	verdict->handshake = (__u8)track_handshake(flow, rivals, segment,
						   arrival, options, verdict);
	READ_AGAIN();
	handshake = verdict->handshake;
	if (handshake == HANDSHAKE_OTHER)
		return;
	if (handshake == HANDSHAKE_NEXT) {
		sisn = rivals->sisn;
		ack = rivals->ack;
		synack_time = full_time(rivals->synack_us, arrival->now);
		begin_next(flow, rivals, arrival->now, options, verdict);
	}
	if (handshake != HANDSHAKE_GOES_ON)
		note_synack(flow, sisn, ack, syn ? segment->payload_len : 0,
			    synack_time, options, verdict);
	READ_AGAIN();
	if (arrival->sender == flow->client)
		track_client(flow, segment, arrival->now, options, verdict);
	else
		track_server(flow, segment, segment->seq + syn, arrival->now,
			     options, verdict);
	if (wants_more_events(options))
		note_close(flow, options, verdict);
}

static __always_inline void
track_reset(struct flow *flow, struct rivals *rivals,
	    const struct segment *segment, int sender,
	    const struct track_options *options, struct verdict *verdict)
{
	const enum side_name side = sender == flow->client ? CLIENT : SERVER;
	const bool resets_rival = reset_rival(rivals, segment, sender);

	if (rst_is_valid(flow, segment, side))
		track_rst(flow, segment, side, options, verdict);
	else if (!resets_rival)
		verdict->ignored = COUNT_INVALID_RST;
}

/*
 * Tracks a segment of a connection. `flow`: the connection's state, all zero if
 * none is known, changed in place. `rivals`: likewise, but only their `seen` is
 * zero where there are none; flow->seen has FLOW_RIVALS where there are any. In
 * a BPF program all of these lie in a map, because the verifier knows no values
 * there, and so has fewer states to follow.
 */
static __always_inline void track(struct flow *flow, struct rivals *rivals,
				  const struct segment *segment,
				  const struct arrival *arrival,
				  const struct track_options *options,
				  struct verdict *verdict)
{
	verdict_clear(verdict);
	if (!(segment->flags & TCP_RST))
		track_segment(flow, rivals, segment, arrival, options, verdict);
	else if (flow->seen)
		track_reset(flow, rivals, segment, arrival->sender, options,
			    verdict);
	verdict->sender = arrival->sender == flow->client ? CLIENT : SERVER;
	flow->seen &= ~FLOW_RIVALS;
	if (rivals->seen)
		flow->seen |= FLOW_RIVALS;
}

/*
 * Whether track() needs the time, because reading a clock is slow. (The caller
 * reads the clock when it emits a record.)
 */
static __always_inline bool
segment_needs_time(const struct segment *segment,
		   const struct track_options *options)
{
	return (options->times &&
		(segment->flags & TCP_SYN ||
		 (options->events & ~EVENTS_BANNER && segment->payload_len))) ||
	       (options->rtt && segment->flags & TCP_ACK);
}

/*
 * Whether a segment can begin a connection: only such a segment creates state.
 */
static __always_inline bool segment_opens(const struct segment *segment)
{
	return segment->flags & TCP_SYN &&
	       !(segment->flags & (TCP_RST | TCP_FIN));
}

#endif
