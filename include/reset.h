/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which RSTs are valid, and what a valid one ends. Portable C without a helper
 * call, like segment.h.
 */
#ifndef BANNERPROBE_RESET_H
#define BANNERPROBE_RESET_H

#include "first_bytes.h"
#include "flow.h"
#include "gathering.h"
#include "part.h"
#include "verdict.h"

/*
 * Whether a RST has the number that its sender has come to, or the number that
 * the other side acknowledged (RFC 5961, 3.2). Before the SYN-ACK: one more
 * than the SYN's number, the end of its data, or an acknowledgement of the SYN.
 */
static __always_inline bool rst_is_valid(const struct flow *flow,
					 const struct segment *segment,
					 enum side_name sender)
{
	const struct side *side = &flow->sides[sender];

	if (!(flow->seen & SEEN_SYNACK)) {
		if (sender == CLIENT)
			return segment->seq == flow->cisn + 1 ||
			       segment->seq == flow->cisn + 1 + flow->syn_len;
		return segment->flags & TCP_ACK &&
		       segment->ack - (flow->cisn + 1) <= flow->syn_len;
	}
	if (!flow_is_watched(flow))
		return is_near(flow, sender, segment);
	if (segment->seq == side->sent)
		return true;
	/*
	 * The SYN-ACK has acknowledged the SYN, and nothing has acknowledged
	 * the SYN-ACK.
	 */
	return segment->seq == side->acked &&
	       (sender == CLIENT || flow->seen & SEEN_ANSWERED);
}

/* Handles a valid RST. */
static __always_inline void track_rst(struct flow *flow,
				      const struct segment *segment,
				      enum side_name sender,
				      const struct track_options *options,
				      struct verdict *verdict)
{
	/*
	 * The connection stays known: a late retransmission of its SYN-ACK must
	 * not begin it again.
	 */
	flow->seen |= SEEN_RST;
	if (is_gathering(flow, sender, options))
		end_own(flow, sender, segment, verdict);
	if (is_gathering(flow, !sender, options))
		end_other(flow, !sender, verdict);
	if (flow_is_pending(flow))
		decide(flow, verdict, COUNT_RESET);
	end_events(flow, FATE_RESET, options, verdict);
}

#endif
