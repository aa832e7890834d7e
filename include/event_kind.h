/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kinds of events at the beginning of a connection, and what becomes of
 * each. Portable C without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_EVENT_KIND_H
#define BANNERPROBE_EVENT_KIND_H

#include "platform.h"

enum event_kind {
	EVENT_BANNER,	/* the server's first bytes: it spoke first */
	EVENT_REQUEST,	/* the client's first bytes: it spoke first */
	EVENT_RESPONSE, /* the server's first bytes, spoken second */
	EVENT_REPLY,	/* the client's first bytes, spoken second */
	EVENT_OPEN,	/* the server accepted, and the client answered */
	EVENT_KINDS,
};

#ifndef __bpf__
/* Their names in options and records. */
static const char *const event_kind_names[EVENT_KINDS]
	__attribute__((unused)) = {
		"banner", "request", "response", "reply", "open",
	};
#endif

#define EVENT_BIT(kind) (1U << (kind))
#define EVENTS_BANNER EVENT_BIT(EVENT_BANNER) /* nothing else is asked for */
#define EVENTS_ALL (EVENT_BIT(EVENT_KINDS) - 1)

/* The sides of a connection. The origin of an event is one of them. */
enum side_name { CLIENT, SERVER };

static __always_inline enum side_name event_origin(__u8 kind)
{
	return kind == EVENT_REQUEST || kind == EVENT_REPLY ||
			       kind == EVENT_OPEN ?
		       CLIENT :
		       SERVER;
}

/* The event kind of a side's first bytes, by whether the side spoke first. */
static __always_inline enum event_kind event_of(enum side_name side, bool first)
{
	if (side == SERVER)
		return first ? EVENT_BANNER : EVENT_RESPONSE;
	return first ? EVENT_REQUEST : EVENT_REPLY;
}

/*
 * The fate of each event kind that was asked for, once for each connection: the
 * event is logged, or is not for one of these reasons. Banners have outcomes
 * instead: see counters.h.
 */
#define EVENT_FATES(X)                                                         \
	X(LOGGED, "logged", "logged")                                          \
	X(OTHER_FIRST, "other_first", "the other side spoke first, or last")   \
	X(OTHER_FIRST_BY_ACK, "other_first_by_ack",                            \
	  "the other side's first data was missed: it was acknowledged")       \
	X(OTHER_FIRST_BY_SEQ, "other_first_by_seq",                            \
	  "the other side's first data was missed: its sequence number is "    \
	  "beyond it")                                                         \
	X(DATA_UNSEEN, "data_unseen",                                          \
	  "the side's first data was missed, later data was not")              \
	X(ORDER_UNKNOWN, "order_unknown",                                      \
	  "the packets passed in another order than they were sent in")        \
	X(SYNACK_UNSEEN, "synack_unseen", "ended without a SYN-ACK seen")      \
	X(RESET, "reset", "reset before it")                                   \
	X(NO_SERVER, "no_server",                                              \
	  "simultaneous open, split handshake, or an end with itself")         \
	X(SYN_UNSEEN, "syn_unseen", "no SYN was seen (--need)")                \
	X(HANDSHAKE_UNSEEN, "handshake_unseen",                                \
	  "no client's ACK was seen (--need; always of an open port)")         \
	X(NO_DATA, "no_data", "closed, or replaced, before it")                \
	X(UNWANTED, "unwanted", "the server was not asked for")                \
	X(CUT_OFF, "cut_off", "still open where the capture ends")             \
	X(OPEN, "open", "still open, and it may follow")                       \
	X(EVICTED, "evicted", "evicted from the full table before it")

enum event_fate {
	FATE_NONE, /* not decided */
#define EVENT_FATE_ENUM(id, name, meaning) FATE_##id,
	EVENT_FATES(EVENT_FATE_ENUM)
#undef EVENT_FATE_ENUM
		FATE_MAX,
};

#define FATE_ROOM 32 /* a power of two */
_Static_assert(FATE_MAX <= FATE_ROOM, "each fate has its place");

/* The place of a kind's fate in a number that holds the fates of all kinds. */
#define FATE_BITS 4
#define FATE_MASK ((1U << FATE_BITS) - 1)
_Static_assert(FATE_OPEN <= FATE_MASK, "all but FATE_EVICTED, a difference");

/*
 * How many connections came to each fate, by event kind. Those of banners stay
 * 0.
 */
struct event_counts {
	__u64 by[EVENT_KINDS + 3][FATE_ROOM]; /* kinds: up to a power of two */
};

#ifndef __bpf__
static inline void event_counts_add(struct event_counts *sums,
				    const struct event_counts *counts)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		for (int fate = 0; fate < FATE_MAX; fate++)
			sums->by[kind][fate] += counts->by[kind][fate];
	}
}
#endif

/* A kind's fate at its place in the number of all fates. */
static __always_inline __u32 fate_of(enum event_kind kind, enum event_fate fate)
{
	return (__u32)fate << kind * FATE_BITS;
}

#endif
