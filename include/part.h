/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is read of a segment after the handshake, whichever side sent it: which
 * part of its sender's stream it is, and whether its numbers are valid.
 * Portable C without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_PART_H
#define BANNERPROBE_PART_H

#include "flow.h"
#include "segment.h"

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
 * Whether a part tells anything of either side. What is far, or ends long
 * before what was known, does not: or else one lucky guess would widen what is
 * valid for the next.
 */
static __always_inline bool part_tells(const struct flow *flow,
				       enum side_name sender,
				       const struct part *part)
{
	return !is_far(flow, sender, part) &&
	       (part->from >= -1 || part_end(part) + part->fin > 0);
}

/* A valid part tells how far either side has come. */
static __always_inline void note_progress(struct flow *flow,
					  enum side_name sender,
					  const struct part *part)
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

/* To be called for each valid part, when it has been judged. */
static __always_inline void note_bare_fin(struct flow *flow,
					  enum side_name sender,
					  const struct part *part)
{
	if (part->fin && part_end(part) == 0)
		flow->told |= (__u8)(TOLD_BARE_FIN << sender);
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

#endif
