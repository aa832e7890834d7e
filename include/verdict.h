/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a segment changed, or why it changed nothing; and how that is counted.
 * Portable C without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_VERDICT_H
#define BANNERPROBE_VERDICT_H

#include "counters.h"
#include "event_kind.h"
#include "flow.h"
#include "hash.h"
#include "platform.h"
#include "segment.h"

/* What must have been seen of a connection before its banner is logged. */
enum need {
	NEED_OWN,	/* that this host's own segments left it */
	NEED_SYN,	/* besides, the SYN */
	NEED_HANDSHAKE, /* besides, the client's acknowledgement */
	NEED_NONE,	/* the SYN-ACK, wherever it went */
};

/* What is asked of the core besides the first chunk of each server. */
struct track_options {
	bool times;   /* when a connection began, and when it was answered */
	bool rtt;     /* the handshake's round-trip time; needs `times` */
	__u32 gather; /* bytes of each greeting, from all segments that it comes
		       * in; 0: its first chunk only */
	enum need need;
	__u32 events;	/* EVENT_BIT() of each kind; 0: banners only */
	struct connection_key key; /* of connections */
	struct decap decap; /* which tunnels are opened */
	__u32 max_rate; /* records a second and interface; 0: no limit */
};

/* What a segment is of an event that is gathered. */
enum event_part {
	PART_NONE,
	PART_FIRST, /* the first chunk */
	PART_MORE,  /* another chunk, or the FIN behind the last */
	PART_END,   /* none: no more will be seen */
};

/* Each counter is COUNT_NOTHING where it does not apply. */
struct verdict {
	__u8 began;   /* COUNT_CONNECTIONS: a connection began with it */
	__u8 ended;   /* the outcome of the connection that this one replaced */
	__u8 outcome; /* the outcome that it decided; COUNT_BANNER: log it */
	__u8 ignored; /* why it was ignored */
	__u8 part;    /* enum event_part: of the event of the sender's side */
	__u8 handshake; /* for the tracker alone: enum handshake */
	bool asks;    /* nothing is decided or changed: first, the caller has to
		       * tell whether the destination is an own address */
	__u32 skip;   /* of an event: bytes of the payload before it */
	__u32 offset; /* of a part: bytes of the event before it */

	/* Only where more than banners are asked for. */
	__u8 logs;	 /* EVENT_BIT() of each that it logs, but the banner */
	__u8 sender;	 /* enum side_name */
	bool crossed;	 /* neither side had received anything */
	bool ends_other; /* no more of the other side's event is gathered */
	bool keeps_data; /* of a SYN: it waits for what accepts it */
	__u16 syn_len;	 /* bytes of the SYN's data that are a request; or 0 */
	__u32 fates;	 /* fate_of() what it decided */
	__u32 ended_fates; /* likewise, of the connection that was replaced */
};

/* Whether there is more to do about a segment than to count it. */
static __always_inline bool verdict_is_logged(const struct verdict *verdict)
{
	return verdict->outcome == COUNT_BANNER || verdict->part != PART_NONE ||
	       verdict->logs || verdict->ends_other || verdict->keeps_data ||
	       verdict->fates | verdict->ended_fates;
}

/*
 * Whether a segment is logged only if its server is asked for. The end of what
 * is gathered is reported in any case: it changes only what was begun.
 */
static __always_inline bool
verdict_asks_for_server(const struct verdict *verdict)
{
	return verdict->outcome == COUNT_BANNER || verdict->logs ||
	       verdict->syn_len ||
	       (verdict->part != PART_NONE && verdict->part != PART_END);
}

/* Of a server that is not wanted: counted once, not logged. */
static __always_inline void verdict_filter(struct verdict *verdict)
{
	verdict->outcome = verdict->outcome == COUNT_BANNER ? COUNT_UNWANTED :
							      COUNT_NOTHING;
	verdict->part = PART_NONE;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		if (verdict->logs & EVENT_BIT(kind))
			verdict->fates ^= fate_of(kind, FATE_LOGGED) ^
					  fate_of(kind, FATE_UNWANTED);
	}
	verdict->logs = 0;
	verdict->syn_len = 0;
}

/* Whether a segment has changed any counter: most change none. */
static __always_inline bool verdict_is_counted(const struct verdict *verdict)
{
	return verdict->began | verdict->ended | verdict->outcome |
	       verdict->ignored | verdict->fates | verdict->ended_fates;
}

static __always_inline void count_in(__u64 *counters, enum counter counter)
{
	counters[counter & (COUNTER_ROOM - 1)]++; /* as the verifier asks */
}

/* COUNT_NOTHING has a place of its own, which is never shown: no branch. */
static __always_inline void count_verdict(__u64 *counters,
					  const struct verdict *verdict)
{
	count_in(counters, verdict->began);
	count_in(counters, verdict->ended);
	count_in(counters, verdict->outcome);
	count_in(counters, verdict->ignored);
}

/* Counts the fates of all kinds, but the banner's. */
static __always_inline void count_fates(struct event_counts *counts,
					__u32 fates)
{
	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++)
		counts->by[kind][fates >> kind * FATE_BITS & FATE_MASK]++;
}

_Static_assert(COUNT_LAST_NOT_OPENED - COUNT_FIRST_NOT_OPENED ==
		       PARSE_RESULTS - 1 - PARSE_FIRST_NOT_OPENED,
	       "each kind that is not opened has its counter");

/* What counts a packet that no segment was read from. */
static __always_inline enum counter parse_counter(enum parse_result result)
{
	if (result >= PARSE_FIRST_NOT_OPENED)
		return COUNT_FIRST_NOT_OPENED +
		       (result - PARSE_FIRST_NOT_OPENED);
	switch (result) {
	case PARSE_FRAGMENT:
		return COUNT_FRAGMENTS;
	case PARSE_MALFORMED:
		return COUNT_MALFORMED;
	case PARSE_CUT:
		return COUNT_CUT;
	default: /* a segment, or another protocol */
		return COUNT_NOTHING;
	}
}

static __always_inline void decide(struct flow *flow, struct verdict *verdict,
				   enum counter outcome)
{
	flow->seen |= FLOW_DECIDED;
	verdict->outcome = outcome;
}

/*
 * Decides what becomes of kinds of events, as fate_of() has them; what is
 * decided already stays.
 */
static __always_inline void decide_fates(struct verdict *verdict, __u32 fates)
{
	verdict->fates |= fates;
}

#endif
