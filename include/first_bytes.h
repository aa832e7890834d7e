/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which event the first bytes of each side are, by the order in which the sides
 * spoke. Both sides are judged by the same rules. Used only where events
 * besides banners are asked for. Portable C without a helper call, like
 * segment.h.
 *
 * A side spoke first if its first bytes acknowledge no payload of the other
 * side, and no payload of the other side was seen before. Where neither side
 * had received anything, their first bytes crossed.
 */
#ifndef BANNERPROBE_FIRST_BYTES_H
#define BANNERPROBE_FIRST_BYTES_H

#include "bits.h"
#include "event_kind.h"
#include "flow.h"
#include "part.h"
#include "verdict.h"

static __always_inline bool
wants_more_events(const struct track_options *options)
{
	return options->events & ~EVENTS_BANNER;
}

/*
 * There are few branches here, because the verifier follows both ways of each
 * through all that comes later.
 */

/* A flag of enum flow_seen that exists for each side: 0 or 1. */
static __always_inline __u32 side_bit(const struct flow *flow,
				      enum side_name side, __u32 flag)
{
	return flow_bit(flow, flag << side);
}

/* --- what can still follow ------------------------------------------------ */

/* The event kinds that were asked for and can still follow on a connection. */
static __always_inline __u32 kinds_left(const struct flow *flow,
					const struct track_options *options)
{
	const __u32 done =
		bit_times(side_bit(flow, CLIENT, SIDE_DONE),
			  EVENT_BIT(EVENT_REQUEST) | EVENT_BIT(EVENT_REPLY)) |
		bit_times(side_bit(flow, SERVER, SIDE_DONE),
			  EVENT_BIT(EVENT_RESPONSE)) |
		bit_times(flow_bit(flow, FLOW_OPENED), EVENT_BIT(EVENT_OPEN));

	return options->events & ~EVENTS_BANNER & ~done;
}

/* Called when a connection begins, and after each decision. */
static __always_inline void note_left(struct flow *flow,
				      const struct track_options *options)
{
	const __u32 left = is_any(kinds_left(flow, options));

	flow->seen = (flow->seen & ~FLOW_AWAITED) | left * FLOW_AWAITED;
}

/* Gives one fate to all event kinds in `left`, a set of EVENT_BIT(). */
static __always_inline __u32 fates_left(__u32 left, enum event_fate fate)
{
	__u32 fates = 0;

	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++)
		fates |= bit_times(left >> kind & 1, fate_of(kind, fate));
	return fates;
}

/*
 * The fate of an event kind that only a first speaker can have: why `other`,
 * the other side, counts as the first speaker.
 */
static __always_inline enum event_fate not_first_fate(const struct flow *flow,
						      enum side_name other)
{
	return select_value(side_bit(flow, other, SIDE_SIGN),
			    select_value(side_bit(flow, other, SIDE_BY_SEQ),
					 FATE_OTHER_FIRST_BY_SEQ,
					 FATE_OTHER_FIRST),
			    FATE_OTHER_FIRST_BY_ACK);
}

/*
 * The fate of an event kind of a side that sent no first bytes. `first`: only a
 * first speaker can have the kind. `unless`: the fate where no number gives a
 * reason.
 */
static __always_inline enum event_fate unsaid_fate(const struct flow *flow,
						   enum side_name side,
						   bool first,
						   enum event_fate unless)
{
	const __u32 other_first = (side_bit(flow, !side, SIDE_SILENT) |
				   side_bit(flow, !side, SIDE_DONE)) &
				  ~side_bit(flow, !side, SIDE_SECOND);
	/* Data of a SYN that the server did not accept is no sign. */
	const __u32 unseen = side_bit(flow, side, SIDE_DATA) |
			     side_bit(flow, side, SIDE_BY_SEQ) |
			     (flow->reported / (REPORTED_MISSED << side) & 1);
	const enum event_fate fate =
		select_value(unseen, FATE_DATA_UNSEEN, unless);

	if (!first)
		return fate;
	return select_value(other_first, not_first_fate(flow, !side), fate);
}

/*
 * The fates of the events that cannot follow any more; `unless`: the fate where
 * no number gives a reason.
 */
static __always_inline __u32
unfinished_fates(const struct flow *flow, const struct track_options *options,
		 enum event_fate unless)
{
	const __u32 left = bit_times(flow_bit(flow, FLOW_AWAITED),
				     kinds_left(flow, options));
	const bool is_end = unless == FATE_NO_DATA || unless == FATE_CUT_OFF;
	const __u32 unanswered =
		fates_left(left, is_end ? FATE_SYNACK_UNSEEN : unless);
	const __u32 answered =
		fates_left(left & EVENT_BIT(EVENT_REQUEST),
			   unsaid_fate(flow, CLIENT, true, unless)) |
		fates_left(left & EVENT_BIT(EVENT_REPLY),
			   unsaid_fate(flow, CLIENT, false, unless)) |
		fates_left(left & EVENT_BIT(EVENT_RESPONSE),
			   unsaid_fate(flow, SERVER, false, unless)) |
		fates_left(left & EVENT_BIT(EVENT_OPEN),
			   unless == FATE_NO_DATA ? FATE_HANDSHAKE_UNSEEN :
						    unless);

	return select_value(flow->seen / SEEN_SYNACK & 1, answered, unanswered);
}

/* Ends all events that may follow: nothing more is logged of the connection. */
static __always_inline void end_events(struct flow *flow, enum event_fate fate,
				       const struct track_options *options,
				       struct verdict *verdict)
{
	if (!wants_more_events(options) || !(flow->seen & FLOW_AWAITED))
		return;
	verdict->fates |= unfinished_fates(flow, options, fate);
	flow->seen |= SIDE_DONE << CLIENT | SIDE_DONE << SERVER | FLOW_OPENED;
	flow->seen &= ~FLOW_AWAITED;
}

/* --- a side's first bytes --------------------------------------------------
 */

/* The fate of a kind, if the kind was asked for. */
static __always_inline __u32 wanted_fate(const struct track_options *options,
					 enum event_kind kind,
					 enum event_fate fate)
{
	return bit_times(options->events >> kind & 1, fate_of(kind, fate));
}

/* The fates of both event kinds that a side's first bytes can be. */
static __always_inline void decide_side(struct flow *flow, enum side_name side,
					enum event_fate first,
					enum event_fate second,
					const struct track_options *options,
					struct verdict *verdict)
{
	const enum event_kind when_first = event_of(side, true);

	if (when_first != EVENT_BANNER) /* a banner has counters of its own */
		verdict->fates |= wanted_fate(options, when_first, first);
	verdict->fates |= wanted_fate(options, event_of(side, false), second);
	flow->seen |= SIDE_DONE << side;
}

/*
 * The fate by what --need asks for and was not seen; FATE_LOGGED: nothing is
 * missing.
 */
static __always_inline enum event_fate
unmet_need(const struct flow *flow, const struct track_options *options)
{
	const bool wants_syn =
		options->need == NEED_SYN || options->need == NEED_HANDSHAKE;

	if (wants_syn && !(flow->seen & (SEEN_SYN | SEEN_MORE_SYNS)))
		return FATE_SYN_UNSEEN;
	if (options->need == NEED_HANDSHAKE && !(flow->seen & SEEN_ANSWERED))
		return FATE_HANDSHAKE_UNSEEN;
	return FATE_LOGGED;
}

/*
 * Decides the first bytes of a side: they are logged, unless what --need asks
 * for was not seen. `second`: 1 where the other side spoke first.
 */
static __always_inline void log_first_bytes(struct flow *flow,
					    enum side_name side, __u32 second,
					    const struct track_options *options,
					    struct verdict *verdict)
{
	const __u32 kinds =
		select_value(second, EVENT_BIT(event_of(side, false)),
			     EVENT_BIT(event_of(side, true)));
	enum event_fate need = unmet_need(flow, options);

	/* The client's data acknowledges the SYN-ACK, too; a SYN does not. */
	if (side == CLIENT && need == FATE_HANDSHAKE_UNSEEN &&
	    flow->spoke_us != SPOKE_IN_SYN)
		need = FATE_LOGGED;
	if (need != FATE_LOGGED) {
		decide_side(flow, side, need,
			    side == SERVER ? need :
					     select_value(second, need,
							  FATE_OTHER_FIRST),
			    options, verdict);
		return;
	}
	decide_side(
		flow, side,
		select_value(second, not_first_fate(flow, !side), FATE_LOGGED),
		select_value(second, FATE_LOGGED, FATE_OTHER_FIRST), options,
		verdict);
	flow->reported |= REPORTED_LOGGED;
	verdict->logs |= (__u8)(kinds & options->events & ~EVENTS_BANNER);
}

/*
 * Handles the segment that covers isn+1. `silent`: 1 where it acknowledges no
 * payload of the other side.
 */
static __always_inline void
take_first_bytes(struct flow *flow, enum side_name side, __u32 silent,
		 const struct track_options *options, struct verdict *verdict)
{
	const __u32 other_second = side_bit(flow, !side, SIDE_SECOND);
	const __u32 other_silent = side_bit(flow, !side, SIDE_SILENT);
	const __u32 other_heard =
		side_bit(flow, !side, SIDE_SIGN) & ~other_silent;
	const __u32 crossed = silent & other_silent & ~other_second;
	const __u32 second = (silent ^ 1) | crossed;
	__u32 unknown = (silent ^ 1) & other_second;

	if (side == SERVER)
		unknown |= other_heard;
	/* The first bytes themselves outweigh what earlier segments showed. */
	flow->seen = (flow->seen & ~(SIDE_SILENT << side)) |
		     silent * (SIDE_SILENT << side);
	if (unknown) {
		/*
		 * Both sides cannot have spoken second: one side's bytes were
		 * seen late, or are a repetition.
		 */
		decide_side(flow, side, FATE_ORDER_UNKNOWN, FATE_ORDER_UNKNOWN,
			    options, verdict);
		return;
	}
	verdict->crossed = crossed;
	log_first_bytes(flow, side, second, options, verdict);
	/* The other side's first bytes were seen, or missed. */
	flow->seen |= second * (SIDE_SECOND << side | SIDE_SIGN << !side);
}

/*
 * Notes when the first bytes of either side passed; the delay of the other side
 * counts from then. The value is 1 + microseconds, so that 0 means "not seen".
 */
static __always_inline void note_time(struct flow *flow, __u64 now)
{
	const __u64 since_us = (now - flow->synack_time) / NS_PER_US;

	if (!flow->spoke_us && now && (__s64)(now - flow->synack_time) >= 0)
		flow->spoke_us = since_us < SPOKE_IN_SYN - 1 ?
					 (__u32)since_us + 1 :
					 SPOKE_IN_SYN - 1;
}

/*
 * Handles what a valid part says about its sender's first bytes. `at_hand`: its
 * bytes can be logged; false for a segment that passed before the SYN-ACK.
 */
static __always_inline void
note_first_bytes(struct flow *flow, enum side_name side,
		 const struct part *part, bool at_hand, __u64 now,
		 const struct track_options *options, struct verdict *verdict)
{
	const __s32 received =
		seq_distance(flow->sides[!side].isn + 1, part->ack);
	__u32 silent = received <= silent_len(flow, !side);
	const bool says = part->len && part_end(part) > 0;

	OPAQUE(silent);

	flow->reported |=
		(__u8)((~side_bit(flow, !side, SIDE_DATA) & ~silent & 1) *
		       (REPORTED_MISSED << !side));
	if (!says && part->from <= silent_len(flow, side))
		return;
	if (!says)
		flow->reported |= (__u8)(REPORTED_MISSED << side);
	if (says && part->from <= 0 && at_hand &&
	    !side_has(flow, side, SIDE_DONE)) {
		take_first_bytes(flow, side, silent, options, verdict);
		note_time(flow, now);
		flow->seen |= SIDE_SIGN << side;
	} else {
		flow->seen |= (side_bit(flow, side, SIDE_SIGN) ^ 1) * silent *
			      (SIDE_SILENT << side);
		flow->seen |= SIDE_SIGN << side;
	}
	if (says)
		flow->seen |= SIDE_DATA << side;
	else
		flow->seen |= (side_bit(flow, side, SIDE_DATA) ^ 1) *
			      (SIDE_BY_SEQ << side);
	READ_AGAIN();
}

/* Decides the events that are left once both sides have closed. */
static __always_inline void note_close(struct flow *flow,
				       const struct track_options *options,
				       struct verdict *verdict)
{
	const __u32 both_fins = SEEN_CLIENT_FIN | SEEN_SERVER_FIN;
	const __u32 spoke = SIDE_DATA | SIDE_BY_SEQ;

	if (!(flow->seen & FLOW_AWAITED) ||
	    (flow->seen & both_fins) != both_fins)
		return;
	/* Data behind a gap may be sent again. */
	if ((side_has(flow, CLIENT, spoke) &&
	     !side_has(flow, CLIENT, SIDE_DONE)) ||
	    (side_has(flow, SERVER, spoke) &&
	     !side_has(flow, SERVER, SIDE_DONE)))
		return;
	for (int side = CLIENT; side <= SERVER; side++) {
		if (!side_has(flow, side, SIDE_DONE))
			decide_side(
				flow, side,
				unsaid_fate(flow, side, true, FATE_NO_DATA),
				unsaid_fate(flow, side, false, FATE_NO_DATA),
				options, verdict);
	}
	note_left(flow, options);
}

/*
 * Decides the event of an open port, by a valid client segment that
 * acknowledges the SYN-ACK.
 */
static __always_inline void note_open(struct flow *flow,
				      const struct part *part,
				      const struct track_options *options,
				      struct verdict *verdict)
{
	const __u32 acked = part->ack - (flow->sides[SERVER].isn + 1);
	enum event_fate fate = unmet_need(flow, options);

	if (flow->seen & FLOW_OPENED ||
	    !(options->events & EVENT_BIT(EVENT_OPEN)) || part->from < 0 ||
	    acked > FIRST_WINDOW_MAX)
		return;
	if (fate == FATE_HANDSHAKE_UNSEEN) /* this is its ACK */
		fate = FATE_LOGGED;
	flow->seen |= FLOW_OPENED;
	verdict->fates |= fate_of(EVENT_OPEN, fate);
	if (fate != FATE_LOGGED)
		return;
	flow->reported |= REPORTED_LOGGED;
	verdict->logs |= EVENT_BIT(EVENT_OPEN);
}

#ifndef __bpf__
/* Adds the events that may still follow on a connection. */
static inline void event_counts_add_open(struct event_counts *counts,
					 const struct flow *flow,
					 const struct track_options *options)
{
	count_fates(counts, unfinished_fates(flow, options, FATE_OPEN));
}

/* Computes the evicted events from all other fates. */
static inline void count_evicted_events(struct event_counts *counts,
					__u64 connections, __u32 events)
{
	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++) {
		__u64 accounted = 0;

		counts->by[kind][FATE_EVICTED] = 0;
		for (int fate = FATE_NONE + 1; fate < FATE_MAX; fate++)
			accounted += counts->by[kind][fate];
		if (events & EVENT_BIT(kind) && connections > accounted)
			counts->by[kind][FATE_EVICTED] =
				connections - accounted;
	}
}
#endif

#endif
