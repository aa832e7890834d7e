/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a segment changed, or why it changed nothing; and how that is counted.
 * Portable C without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_VERDICT_H
#define BANNERPROBE_VERDICT_H

#include "counters.h"
#include "flow.h"
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
	bool key_vlan;	/* VLANs are part of a connection's key */
	__u32 max_rate; /* records a second and interface; 0: no limit */
};

/* What a segment is of a greeting that is gathered. */
enum greeting_part {
	PART_NONE,
	PART_FIRST, /* the banner's first chunk */
	PART_MORE,  /* another chunk, or the FIN behind the last */
	PART_END,   /* none: no more will be seen */
};

/* Each counter is COUNT_NOTHING where it does not apply. */
struct verdict {
	__u8 began;   /* COUNT_CONNECTIONS: a connection began with it */
	__u8 ended;   /* the outcome of the connection that this one replaced */
	__u8 outcome; /* the outcome that it decided; COUNT_BANNER: log it */
	__u8 ignored; /* why it was ignored */
	__u8 part;    /* enum greeting_part */
	__u8 handshake; /* for the tracker alone: enum handshake */
	bool asks;    /* nothing is decided or changed: first, the caller has to
		       * tell whether the destination is an own address */
	__u32 skip;   /* of a banner: bytes of the payload before sisn+1 */
	__u32 offset; /* of a part: bytes of the greeting before it */
};

/* Whether a segment is logged, or a part of what is. */
static __always_inline bool verdict_is_logged(const struct verdict *verdict)
{
	return verdict->outcome == COUNT_BANNER || verdict->part != PART_NONE;
}

/*
 * Whether a segment is logged only if its server is wanted. The end of a
 * greeting is reported in any case: it changes only what was begun.
 */
static __always_inline bool
verdict_asks_for_server(const struct verdict *verdict)
{
	return verdict_is_logged(verdict) && verdict->part != PART_END;
}

/* Of a server that is not wanted: counted once, not logged. */
static __always_inline void verdict_filter(struct verdict *verdict)
{
	verdict->outcome = verdict->outcome == COUNT_BANNER ? COUNT_UNWANTED :
							      COUNT_NOTHING;
	verdict->part = PART_NONE;
}

/* Whether a segment has changed any counter: most change none. */
static __always_inline bool verdict_is_counted(const struct verdict *verdict)
{
	return verdict->began | verdict->ended | verdict->outcome |
	       verdict->ignored;
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

#endif
