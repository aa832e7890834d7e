/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is read from a segment after the handshake, from either side: which part
 * of its sender's stream it is, and whether its numbers are valid. Portable C
 * without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_PART_H
#define BANNERPROBE_PART_H

#include "flow.h"
#include "segment.h"
#include "verdict.h"

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
		.negotiates = segment->negotiates,
	};
}

/* Where a part ends, in bytes from isn+1; its FIN is not counted. */
static __always_inline __s64 part_end(const struct part *part)
{
	return (__s64)part->from + part->len;
}

/*
 * Whether the other side can send this acknowledgement of what `side` has sent.
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
static __always_inline bool
is_far(const struct flow *flow, enum side_name sender, const struct part *part)
{
	const struct side *side = &flow->sides[sender];

	return seq_distance(side->sent, side->isn + 1 + (__u32)part->from) >
	       FIRST_WINDOW_MAX;
}

/*
 * Whether a part is evidence about either side. A part that lies far ahead, or
 * ends long before the known numbers, is not: otherwise one lucky guess would
 * widen the valid range for the next.
 */
static __always_inline bool part_tells(const struct flow *flow,
				       enum side_name sender,
				       const struct part *part)
{
	return !is_far(flow, sender, part) &&
	       (part->from >= -1 || part_end(part) + part->fin > 0);
}

/* Notes how far a valid part shows that either side has come. */
static __always_inline void
note_progress(struct flow *flow, enum side_name sender, const struct part *part)
{
	struct side *from = &flow->sides[sender];
	struct side *to = &flow->sides[!sender];
	const __u32 begin = from->isn + 1 + (__u32)part->from;

	if (!part_tells(flow, sender, part))
		return;
	raise_to(&from->sent, begin + part->len + part->fin);
	raise_to(&to->acked, part->ack);
	raise_to(&to->sent, part->ack);
}

/* Called for each valid part after it has been judged. */
static __always_inline void
note_bare_fin(struct flow *flow, enum side_name sender, const struct part *part)
{
	if (part->fin && part_end(part) == 0)
		flow->reported |= (__u8)(REPORTED_BARE_FIN << sender);
}

/*
 * A decided connection is not followed, so numbers near the first ones are
 * accepted.
 */
static __always_inline bool is_near(const struct flow *flow,
				    enum side_name sender,
				    const struct segment *segment)
{
	const __u32 next = flow->sides[sender].isn + 1;
	const __u32 expected = flow->sides[!sender].isn + 1;

	return segment->seq - next <= FIRST_WINDOW_MAX &&
	       (!(segment->flags & TCP_ACK) || !(flow->seen & SEEN_SYNACK) ||
		segment->ack - expected <= FIRST_WINDOW_MAX);
}

#endif
