/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The core's part of reassembly: it marks the segments that belong to an event
 * after the side's first bytes, until the other side speaks. Portable C without
 * a helper call, like segment.h.
 */
#ifndef BANNERPROBE_GATHERING_H
#define BANNERPROBE_GATHERING_H

#include "first_bytes.h"
#include "flow.h"
#include "part.h"
#include "verdict.h"

static __always_inline __u32 gathering_flag(enum side_name side)
{
	return side == SERVER ? FLOW_GATHERING : FLOW_GATHERS_CLIENT;
}

/* Without --gather it is a constant, and what depends on it is left out. */
static __always_inline bool is_gathering(const struct flow *flow,
					 enum side_name side,
					 const struct track_options *options)
{
	__u32 seen;

	if (!options->gather)
		return false;
	seen = flow->seen;
	OPAQUE(seen); /* else the compiler would read it without a branch */
	return seen & gathering_flag(side);
}

/* Called when the first chunk is logged: more of the event may follow. */
static __always_inline void begin_gathering(struct flow *flow,
					    enum side_name side,
					    const struct track_options *options,
					    struct verdict *verdict)
{
	if (!options->gather)
		return;
	flow->seen |= gathering_flag(side);
	verdict->part = PART_FIRST;
}

/* Ends an event because the other side sent a segment. */
static __always_inline void end_other(struct flow *flow, enum side_name side,
				      struct verdict *verdict)
{
	flow->seen &= ~gathering_flag(side);
	verdict->ends_other = true;
}

/* Ends the event of the segment's sender: the segment is no part of it. */
static __always_inline void end_own(struct flow *flow, enum side_name side,
				    const struct segment *segment,
				    struct verdict *verdict)
{
	flow->seen &= ~gathering_flag(side);
	verdict->part = PART_END;
	verdict->skip = segment->payload_len;
}

/*
 * Whether a part acknowledges bytes that the other side is not known to have
 * sent; where the other side has not spoken, any byte of it.
 */
static __always_inline bool answers_more(const struct flow *flow,
					 enum side_name other,
					 const struct part *part)
{
	const struct side *side = &flow->sides[other];

	if (side_has(flow, other, SIDE_SIGN))
		return seq_distance(side->sent, part->ack) > 0;
	return seq_distance(side->isn + 1, part->ack) > silent_len(flow, other);
}

/* Marks a part of the event, if it lies within the length asked for. */
static __always_inline void gather(const struct flow *flow, enum side_name side,
				   const struct part *part,
				   const struct track_options *options,
				   struct verdict *verdict)
{
	const __s32 acked = seq_distance(flow->sides[!side].isn + 1, part->ack);

	if (part->from >= (__s32)options->gather || !part->has_ack ||
	    acked < 0 || answers_more(flow, !side, part))
		return;
	verdict->part = PART_MORE;
	verdict->offset = part->from > 0 ? (__u32)part->from : 0;
	verdict->skip = part->from < 0 ? (__u32)-part->from : 0;
}

/* Handles a valid segment of the event's sender, after the first chunk. */
static __always_inline void gather_next(struct flow *flow, enum side_name side,
					const struct segment *segment,
					const struct part *part,
					const struct track_options *options,
					struct verdict *verdict)
{
	const __s32 beyond = (__s32)options->gather + FIRST_WINDOW_MAX;

	if (answers_more(flow, !side, part)) {
		if (part->from >= 0 && part->from <= beyond)
			end_own(flow, side, segment, verdict);
	} else if (part->from > beyond) {
		/*
		 * The segment is so far ahead that the bytes before it are
		 * lost, not late.
		 */
		end_own(flow, side, segment, verdict);
	} else if (part_end(part) + part->fin > 0 && (part->len || part->fin)) {
		gather(flow, side, part, options, verdict);
	}
}

/*
 * Whether a client's part goes on where the client's known bytes end, and
 * negotiates telnet's options: that is no speech, and ends no greeting.
 */
static __always_inline bool only_negotiates(const struct flow *flow,
					    const struct part *part)
{
	const struct side *side = &flow->sides[CLIENT];

	return part->negotiates && !part->fin &&
	       part->from <= seq_distance(side->isn + 1, side->sent);
}

/*
 * Whether a part has bytes beyond what its sender had said when the other side
 * spoke.
 */
static __always_inline bool says_more(const struct flow *flow,
				      enum side_name sender,
				      const struct part *part)
{
	const struct side *side = &flow->sides[sender];
	const __s64 end = part_end(part) + part->fin;

	if (side_has(flow, sender, SIDE_SIGN))
		return end > seq_distance(side->isn + 1, side->sent);
	return end > silent_len(flow, sender);
}

#endif
