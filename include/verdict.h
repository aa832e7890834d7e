/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a segment changed, or why it changed nothing; and how the change is
 * counted. Portable C without a helper call, like segment.h.
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
	NEED_OWN,	/* own segments of this host were seen leaving */
	NEED_SYN,	/* also the SYN */
	NEED_HANDSHAKE, /* also the client's acknowledgement */
	NEED_NONE,	/* the SYN-ACK only, wherever it went */
};

/* The options of the core. */
struct track_options {
	bool times;   /* when a connection began, and when it was answered */
	bool rtt;     /* the handshake's round-trip time; needs `times` */
	__u32 gather; /* bytes of each event that are put together from several
		       * segments; 0: the first segment only */
	enum need need;
	__u32 events; /* EVENT_BIT() of each kind; 0: banners only */
	struct connection_key key; /* of connections */
	struct decap decap;	   /* which tunnels are opened */
	__u32 max_rate; /* records a second and interface; 0: no limit */
	bool sockets;	/* fill in event->socket */
};

/* Which part of an event of several segments a segment is. */
enum event_part {
	PART_NONE,
	PART_FIRST, /* the first chunk */
	PART_MORE,  /* another chunk, or the FIN behind the last */
	PART_END,   /* none of it: the event has ended */
};

/* A segment after its sender's SYN. */
struct part {
	__s32 from; /* bytes from its sender's isn+1 to the payload */
	__u32 len;  /* payload bytes */
	__u32 ack;  /* valid, if has_ack */
	bool fin;
	bool has_ack;
	bool negotiates; /* the payload is telnet's negotiation alone */
};

/*
 * What is asked together lies in one word each: `counts`, `logged` and
 * `any_fates` are 0 where nothing in them is set.
 */
struct verdict {
	union {
		/* A counter that does not apply is COUNT_NOTHING. */
		struct {
			__u8 began;   /* COUNT_CONNECTIONS: the segment began a
				       * connection */
			__u8 ended;   /* the outcome of the connection that this
				       * one replaced */
			__u8 outcome; /* the decided outcome; COUNT_BANNER: log
				       * it */
			__u8 ignored; /* why the segment was ignored */
		};
		__u32 counts;
	};
	union {
		struct {
			__u8 part; /* enum event_part: of the sender's event */
			__u8 logs; /* EVENT_BIT() of each event to log, except
				    * for the banner */
			bool ends_other; /* no more of the other side's event is
					  * gathered */
			bool keeps_data; /* a SYN's data is kept until a SYN-ACK
					  * accepts it; false for a repetition
					  * of the SYN */
		};
		__u32 logged;
	};
	union {
		struct {
			__u32 fates; /* fate_of() the decided event kinds */
			__u32 ended_fates; /* likewise, of the replaced
					    * connection */
		};
		__u64 any_fates;
	};
	__u8 handshake; /* for the tracker alone: enum handshake */
	bool asks;	/* nothing is decided or changed yet: the caller has to
			 * look up whether the destination is an own address,
			 * and track again */
	__u8 sender;	/* enum side_name */
	__u8 closes;	/* 1: the client's FIN, none of which was seen before */
	bool crossed;	/* each side spoke before it received anything */
	__u16 syn_len;	/* bytes of the SYN's data that are a request; or 0 */
	__u32 skip;	/* payload bytes before the event */
	__u32 offset;	/* bytes of the event before this part */

	/*
	 * For the tracker alone, and not cleared. It is not on the BPF
	 * program's stack, because the verifier knows no values in a map. So it
	 * has fewer states to follow.
	 */
	struct part said;
};

static __always_inline void verdict_clear(struct verdict *verdict)
{
	__builtin_memset(verdict, 0, offsetof(struct verdict, said));
}

/* Whether a segment needs more than to be counted. */
static __always_inline bool verdict_is_logged(const struct verdict *verdict)
{
	return verdict->outcome == COUNT_BANNER ||
	       verdict->logged | verdict->any_fates;
}

/*
 * Whether a segment is logged only if its server passes the filter. The end of
 * an event is reported in any case: it changes only what was begun.
 */
static __always_inline bool
verdict_asks_for_server(const struct verdict *verdict)
{
	return verdict->outcome == COUNT_BANNER || verdict->logs ||
	       verdict->syn_len ||
	       (verdict->part != PART_NONE && verdict->part != PART_END);
}

/*
 * Changes the verdict for a server that is filtered: counted once, not logged.
 */
static __always_inline void verdict_filter(struct verdict *verdict)
{
	if (verdict->outcome == COUNT_BANNER)
		verdict->outcome = COUNT_UNWANTED;
	verdict->part = PART_NONE;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		if (verdict->logs & EVENT_BIT(kind))
			verdict->fates ^= fate_of(kind, FATE_LOGGED) ^
					  fate_of(kind, FATE_UNWANTED);
	}
	verdict->logs = 0;
	verdict->syn_len = 0;
}

/*
 * Whether count_verdict() has anything to count, which is rare.
 */
static __always_inline bool verdict_is_counted(const struct verdict *verdict)
{
	return verdict->counts;
}

static __always_inline void count_in(__u64 *counters, enum counter counter)
{
	/* The mask is for the verifier. */
	counters[counter & (COUNTER_ROOM - 1)]++;
}

/* Most verdicts have one of the four. */
static __always_inline void count_verdict(__u64 *counters,
					  const struct verdict *verdict)
{
	if (verdict->began)
		count_in(counters, verdict->began);
	if (verdict->ended)
		count_in(counters, verdict->ended);
	if (verdict->outcome)
		count_in(counters, verdict->outcome);
	if (verdict->ignored)
		count_in(counters, verdict->ignored);
}

/*
 * Counts the fates of all event kinds, except for the banner's. Most segments
 * decide one or two.
 */
static __always_inline void count_fates(struct event_counts *counts,
					__u32 fates)
{
	if (!fates)
		return;
	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++) {
		const __u32 fate = fates >> kind * FATE_BITS & FATE_MASK;

		if (fate)
			counts->by[kind][fate]++;
	}
}

_Static_assert(COUNT_LAST_NOT_OPENED - COUNT_FIRST_NOT_OPENED ==
		       PARSE_RESULTS - 1 - PARSE_FIRST_NOT_OPENED,
	       "each kind that is not opened has its counter");

/* The counter for a packet without a readable segment. */
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
