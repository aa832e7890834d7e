/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The first bytes of each side: which event they are, by who spoke first. The
 * two sides are judged alike. Only where more than banners are asked for.
 * Portable C without a helper call, like segment.h.
 *
 * A side spoke first if its first bytes acknowledge nothing that the other one
 * said, and nothing of the other was seen before. Where neither side had
 * received anything, their first bytes crossed.
 */
#ifndef BANNERPROBE_FIRST_BYTES_H
#define BANNERPROBE_FIRST_BYTES_H

#include "event_kind.h"
#include "flow.h"
#include "part.h"
#include "verdict.h"

static __always_inline bool wants_more_events(const struct track_options *options)
{
	return options->events & ~EVENTS_BANNER;
}

/* A flag of flow_seen that each side has, for one of them. */
static __always_inline bool side_has(const struct flow *flow,
				     enum side_name side, __u32 flag)
{
	return flow->seen & flag << side;
}

/* How far beyond isn+1 it acknowledges that nothing was said: a FIN, if any. */
static __always_inline __s32 silent_len(const struct flow *flow,
					enum side_name side)
{
	const __u32 fin = side == CLIENT ? SEEN_CLIENT_FIN : SEEN_SERVER_FIN;

	return flow->seen & fin && !side_has(flow, side, SIDE_DATA) ? 1 : 0;
}

/* --- what can still follow ------------------------------------------------ */

/* The kinds that can follow of a connection, of those that are asked for. */
static __always_inline __u32 kinds_left(const struct flow *flow,
					const struct track_options *options)
{
	__u32 left = options->events & ~EVENTS_BANNER;

	if (side_has(flow, CLIENT, SIDE_DONE))
		left &= ~(EVENT_BIT(EVENT_REQUEST) | EVENT_BIT(EVENT_REPLY));
	if (side_has(flow, SERVER, SIDE_DONE))
		left &= ~EVENT_BIT(EVENT_RESPONSE);
	if (flow->seen & FLOW_OPENED)
		left &= ~EVENT_BIT(EVENT_OPEN);
	return left;
}

/* To be called when a connection begins, and when anything was decided. */
static __always_inline void note_left(struct flow *flow,
				      const struct track_options *options)
{
	flow->seen &= ~FLOW_AWAITED;
	if (kinds_left(flow, options))
		flow->seen |= FLOW_AWAITED;
}

/* What was asked for and did not come, for one reason. */
static __always_inline __u32 fates_left(__u32 left, enum event_fate fate)
{
	__u32 fates = 0;

	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++)
		fates |= fate_of(kind, left >> kind & 1 ? fate : FATE_NONE);
	return fates;
}

/* Why a side's first bytes did not come, at the end of a connection. */
static __always_inline enum event_fate unsaid_fate(const struct flow *flow,
						   enum side_name side)
{
	const struct side *of = &flow->sides[side];

	return side_has(flow, side, SIDE_SIGN) ||
			       seq_distance(of->isn + 1, of->acked) >
				       silent_len(flow, side) ?
		       FATE_DATA_UNSEEN :
		       FATE_NO_DATA;
}

/* The fates of what can no more follow: the connection is over. */
static __always_inline __u32
unfinished_fates(const struct flow *flow, const struct track_options *options)
{
	const __u32 left = flow->seen & FLOW_AWAITED ?
				   kinds_left(flow, options) :
				   0;
	const __u32 of_client =
		EVENT_BIT(EVENT_REQUEST) | EVENT_BIT(EVENT_REPLY);

	if (!(flow->seen & SEEN_SYNACK))
		return fates_left(left, FATE_SYNACK_UNSEEN);
	return fates_left(left & of_client, unsaid_fate(flow, CLIENT)) |
	       fates_left(left & EVENT_BIT(EVENT_RESPONSE),
			  unsaid_fate(flow, SERVER)) |
	       fates_left(left & EVENT_BIT(EVENT_OPEN), FATE_HANDSHAKE_UNSEEN);
}

/* Nothing more will be logged of a connection. */
static __always_inline void end_events(struct flow *flow, enum event_fate fate,
				       const struct track_options *options,
				       struct verdict *verdict)
{
	if (!wants_more_events(options) || !(flow->seen & FLOW_AWAITED))
		return;
	verdict->fates |= fates_left(kinds_left(flow, options), fate);
	flow->seen |= SIDE_DONE << CLIENT | SIDE_DONE << SERVER | FLOW_OPENED;
	flow->seen &= ~FLOW_AWAITED;
}

/* --- a side's first bytes -------------------------------------------------- */

/* What becomes of both kinds of events that a side's first bytes can be. */
static __always_inline void decide_side(struct flow *flow, enum side_name side,
					enum event_fate first,
					enum event_fate second,
					const struct track_options *options,
					struct verdict *verdict)
{
	const enum event_kind when_first = event_of(side, true);
	const enum event_kind when_second = event_of(side, false);
	__u32 fates = fate_of(when_second, second);

	if (when_first != EVENT_BANNER) /* that one has counters of its own */
		fates |= fate_of(when_first, first);
	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++) {
		if (options->events & EVENT_BIT(kind))
			verdict->fates |= fates & fate_of(kind, FATE_ROOM - 1);
	}
	flow->seen |= SIDE_DONE << side;
}

/* What --need asks for and was not seen; FATE_LOGGED: nothing. */
static __always_inline enum event_fate
unmet_need(const struct flow *flow, const struct track_options *options)
{
	const bool wants_syn = options->need == NEED_SYN ||
			       options->need == NEED_HANDSHAKE;

	if (wants_syn && !(flow->seen & (SEEN_SYN | SEEN_MORE_SYNS)))
		return FATE_SYN_UNSEEN;
	if (options->need == NEED_HANDSHAKE && !(flow->seen & SEEN_ANSWERED))
		return FATE_HANDSHAKE_UNSEEN;
	return FATE_LOGGED;
}

/* Why a side did not speak first, for the kind that says so. */
static __always_inline enum event_fate not_first_fate(const struct flow *flow,
						      enum side_name other)
{
	if (!side_has(flow, other, SIDE_SIGN))
		return FATE_OTHER_FIRST_BY_ACK;
	return side_has(flow, other, SIDE_BY_SEQ) ? FATE_OTHER_FIRST_BY_SEQ :
						    FATE_OTHER_FIRST;
}

/* Logs the first bytes of a side; `first`: it spoke first. */
static __always_inline void log_first_bytes(struct flow *flow,
					    enum side_name side, bool first,
					    const struct track_options *options,
					    struct verdict *verdict)
{
	const enum event_kind kind = event_of(side, first);
	enum event_fate need = unmet_need(flow, options);

	if (side == CLIENT && need == FATE_HANDSHAKE_UNSEEN)
		need = FATE_LOGGED; /* it is the client's ACK, too */
	if (first)
		decide_side(flow, side, need, FATE_OTHER_FIRST, options,
			    verdict);
	else
		decide_side(flow, side, not_first_fate(flow, !side), need,
			    options, verdict);
	if (need == FATE_LOGGED && kind != EVENT_BANNER)
		verdict->logs |= EVENT_BIT(kind) & options->events;
}

/*
 * The segment that covers isn+1. `silent`: it acknowledges nothing that the
 * other side said.
 */
static __always_inline void take_first_bytes(struct flow *flow,
					     enum side_name side, bool silent,
					     const struct track_options *options,
					     struct verdict *verdict)
{
	const bool other_spoke = side_has(flow, !side, SIDE_SIGN);

	if (!silent || (other_spoke && side_has(flow, !side, SIDE_SILENT))) {
		verdict->crossed = silent;
		log_first_bytes(flow, side, false, options, verdict);
		flow->seen |= SIDE_SIGN << !side; /* seen, or missed */
	} else if (!other_spoke || side == CLIENT) {
		log_first_bytes(flow, side, true, options, verdict);
	} else { /* it was first, and passed second: no banner */
		decide_side(flow, side, FATE_NONE, FATE_ORDER_UNKNOWN, options,
			    verdict);
	}
}

/* The first bytes of either side have passed: the other's delay begins. */
static __always_inline void note_time(struct flow *flow, __u64 now)
{
	const __u64 since_us = (now - flow->synack_time) / NS_PER_US;

	if (!flow->spoke_us && now && (__s64)(now - flow->synack_time) >= 0)
		flow->spoke_us = since_us < ~0U ? (__u32)since_us + 1 : ~0U;
}

/*
 * Takes into account what a valid part tells of its sender's first bytes.
 * `at_hand`: its bytes can be logged; not so of one that passed before the
 * SYN-ACK did.
 */
static __always_inline void note_first_bytes(struct flow *flow,
					     enum side_name side,
					     const struct part *part,
					     bool at_hand, __u64 now,
					     const struct track_options *options,
					     struct verdict *verdict)
{
	const __s32 received =
		seq_distance(flow->sides[!side].isn + 1, part->ack);
	const bool silent = received <= silent_len(flow, !side);
	const bool says = part->len && part_end(part) > 0;

	if (!says && part->from <= silent_len(flow, side)) {
		if (part->fin && part_end(part) == 0 &&
		    !side_has(flow, side, SIDE_DONE | SIDE_SIGN))
			decide_side(flow, side, FATE_NO_DATA, FATE_NO_DATA,
				    options, verdict);
		return;
	}
	if (says && part->from <= 0 && at_hand &&
	    !side_has(flow, side, SIDE_DONE)) {
		take_first_bytes(flow, side, silent, options, verdict);
		note_time(flow, now);
	}
	if (!side_has(flow, side, SIDE_SIGN)) {
		flow->seen |= SIDE_SIGN << side;
		if (silent)
			flow->seen |= SIDE_SILENT << side;
		if (!says)
			flow->seen |= SIDE_BY_SEQ << side;
	}
	if (says)
		flow->seen |= SIDE_DATA << side;
}

/* A valid client segment that acknowledges the SYN-ACK: the port is open. */
static __always_inline void note_open(struct flow *flow,
				      const struct part *part,
				      const struct track_options *options,
				      struct verdict *verdict)
{
	const __u32 acked = part->ack - (flow->sides[SERVER].isn + 1);
	enum event_fate fate = unmet_need(flow, options);

	if (flow->seen & FLOW_OPENED || !(options->events & EVENT_BIT(EVENT_OPEN)) ||
	    part->from < 0 || acked > FIRST_WINDOW_MAX)
		return;
	if (fate == FATE_HANDSHAKE_UNSEEN) /* this is what was asked for */
		fate = FATE_LOGGED;
	flow->seen |= FLOW_OPENED;
	verdict->fates |= fate_of(EVENT_OPEN, fate);
	if (fate == FATE_LOGGED)
		verdict->logs |= EVENT_BIT(EVENT_OPEN);
}

#endif
