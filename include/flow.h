/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The state of a TCP connection, as far as the events need it, and questions
 * about it. Portable C without a helper call, like segment.h.
 *
 * Sequence numbers are compared modulo 2^32, as signed distances.
 */
#ifndef BANNERPROBE_FLOW_H
#define BANNERPROBE_FLOW_H

#include "counters.h"
#include "event_kind.h"
#include "platform.h"
#include "segment.h"

/*
 * The most that a side can have sent beyond what is known: the window in a SYN
 * or a SYN-ACK is never scaled (RFC 7323, 2.2) and has 16 bits.
 */
#define FIRST_WINDOW_MAX 65535

#define NS_PER_US 1000

/* For flow.spoke_us: the SYN carried the first bytes (Fast Open). */
#define SPOKE_IN_SYN 0xffffffff

enum flow_seen {
	SEEN_SYN = 1 << 0,
	SEEN_SYNACK = 1 << 1,
	SEEN_ACK = 1 << 2, /* a pure ACK of the client */
	SEEN_CLIENT_FIN = 1 << 3,
	SEEN_HISTORY = (1 << 4) - 1, /* reported in a record's `history` */

	SEEN_ANSWERED = 1 << 4, /* the client acknowledged the SYN-ACK */
	SEEN_SERVER_FIN = 1 << 5,
	SEEN_SERVER_AHEAD = 1 << 6, /* server data was seen beyond sisn+1 */
	SEEN_RST = 1 << 7,	    /* a valid one */
	FLOW_DECIDED = 1 << 8,	    /* the outcome is known */
	FLOW_GATHERING = 1 << 9,    /* decided, but more segments of the
				     * greeting may come */
	FLOW_RIVALS = 1 << 10,	    /* struct rivals exists for this flow */

	SEEN_RETRANSMISSION = 1 << 11, /* of the SYN or the SYN-ACK, or a SYN
					* that came late */
	SEEN_RTT = 1 << 12,	       /* rtt_us is valid */

	SEEN_MORE_SYNS = 1 << 13, /* more SYNs came than are remembered:
				   * the connection's SYN may be another
				   * one */

	EARLY_SHIFT = 14, /* two bits: how many segments are in early[] */
	EARLY_MASK = 3 << EARLY_SHIFT,

	/*
	 * Flags of the client; the next bit is the same flag of the server.
	 * Used only where events besides banners are asked for.
	 */
	SIDE_DATA = 1 << 16,   /* its payload was seen */
	SIDE_SIGN = 1 << 18,   /* it is known to have sent payload, seen or
				* missed */
	SIDE_SILENT = 1 << 20, /* the first sign of its payload acknowledged
				* none */
	SIDE_DONE = 1 << 22,   /* the event of its first bytes is decided */
	SIDE_BY_SEQ = 1 << 24, /* the first sign was a sequence number */
	SIDE_SECOND = 1 << 26, /* the other side spoke first */

	FLOW_OPENED = 1 << 28,	/* whether the port is open is decided */
	FLOW_AWAITED = 1 << 29, /* more events than the banner may follow */
	FLOW_GATHERS_CLIENT = 1 << 30, /* as FLOW_GATHERING, for the client's
					* bytes */
};

/*
 * What follows from numbers alone. Flags of the client; the next bit is the
 * same flag of the server.
 */
enum flow_reported {
	REPORTED_MISSED = 1 << 0,   /* its data was missed */
	REPORTED_BARE_FIN = 1 << 2, /* it closed without having sent payload */
	REPORTED_LOGGED = 1 << 4,   /* of the connection: an event was logged */
};

/* The sequence numbers of one side. */
struct side {
	__u32 isn;   /* initial sequence number */
	__u32 sent;  /* one after the last number that the side is known to have
		      * sent: seen, or acknowledged by a valid segment */
	__u32 acked; /* the highest number that the other side acknowledged */
};

/* A client segment that passed before the SYN-ACK, which will judge it. */
#define EARLY_MAX 2
#define EARLY_FIN 0x8000

struct early {
	__u16 from; /* where the payload begins: bytes from cisn+1 */
	__u16 len;  /* payload bytes, at most 0x7fff; and EARLY_FIN */
	__u32 ack;
};

/* A connection; all zero where none is known. */
struct flow {
	__u64 start_time; /* ns: of the SYN, or of the SYN-ACK without one */
	union {
		struct {
			struct side sides[2];
			__u64 synack_time; /* ns */
		};
		struct { /* until the SYN-ACK is seen */
			__u32 cisn;
			struct early early[EARLY_MAX];
		};
	};
	__u32 rtt_us;	/* of the handshake, if SEEN_RTT */
	__u32 seen;	/* enum flow_seen */
	__u32 spoke_us; /* 1 + microseconds from the SYN-ACK to the first side's
			 * first bytes, or SPOKE_IN_SYN; 0: these were not seen,
			 * or no option needs the time */
	__u16 syn_len;	/* payload bytes of the SYN, at most 65535 */
	__u8 client;   /* the end that is the client: 0 or 1, as flow_identify()
			* numbers them */
	__u8 reported; /* enum flow_reported */
};
_Static_assert(sizeof(struct flow) == 56,
	       "with its id, a flow is one cache line");

/* The signed distance from `from` to `to`. */
static __always_inline __s32 seq_distance(__u32 from, __u32 to)
{
	return (__s32)(to - from);
}

/* Whether a number lies from `first` to a window beyond `last`. */
static __always_inline bool seq_is_within(__u32 first, __u32 last, __u32 seq)
{
	return seq - first <= last - first + FIRST_WINDOW_MAX;
}

/*
 * A flag of enum flow_seen: 0 or 1, for conditions without branches (bits.h).
 */
static __always_inline __u32 flow_bit(const struct flow *flow, __u32 flag)
{
	return flow->seen / flag & 1;
}

static __always_inline bool flow_is_pending(const struct flow *flow)
{
	return flow->seen && !(flow->seen & FLOW_DECIDED);
}

/* Whether any event that was asked for may follow. */
static __always_inline bool flow_is_undecided(const struct flow *flow)
{
	return flow->seen & FLOW_AWAITED || flow_is_pending(flow);
}

/* Whether more segments of the connection may be logged, or decide it. */
static __always_inline bool flow_is_watched(const struct flow *flow)
{
	return flow->seen & (FLOW_GATHERING | FLOW_GATHERS_CLIENT) ||
	       flow_is_undecided(flow);
}

/*
 * Whether a RST or a FIN of each side passed: the four-tuple is free for
 * another connection.
 */
static __always_inline bool flow_is_closed(const struct flow *flow)
{
	return flow_bit(flow, SEEN_RST) | (flow_bit(flow, SEEN_CLIENT_FIN) &
					   flow_bit(flow, SEEN_SERVER_FIN));
}

/* A flag of enum flow_seen that exists for each side. */
static __always_inline bool side_has(const struct flow *flow,
				     enum side_name side, __u32 flag)
{
	return flow->seen & flag << side;
}

/*
 * How far beyond isn+1 an acknowledgement goes that covers no payload: one for
 * a FIN, else 0.
 */
static __always_inline __s32 silent_len(const struct flow *flow,
					enum side_name side)
{
	return flow->reported & REPORTED_BARE_FIN << side ? 1 : 0;
}

/* The outcome of a pending connection that another one replaces. */
static __always_inline enum counter unfinished_outcome(const struct flow *flow)
{
	if (!(flow->seen & SEEN_SYNACK))
		return COUNT_SYNACK_UNSEEN;
	if (flow->seen & SEEN_SERVER_AHEAD)
		return COUNT_SERVER_DATA_UNSEEN;
	if (seq_distance(flow->sides[SERVER].isn + 1,
			 flow->sides[SERVER].acked) > 0)
		return COUNT_SERVER_DATA_UNSEEN;
	return COUNT_NO_DATA;
}

/* The outcome of a pending connection where the capture ends. */
static __always_inline enum counter cut_outcome(const struct flow *flow)
{
	const enum counter outcome = unfinished_outcome(flow);

	/*
	 * NO_DATA cannot mean "closed" here: the server's FIN decides a
	 * connection, or follows data that was missed.
	 */
	return outcome == COUNT_NO_DATA ? COUNT_CUT_OFF : outcome;
}

/*
 * Microseconds from the beginning of the connection, on a clock of
 * microseconds.
 */
static __always_inline __u64 us_since_start(const struct flow *flow, __u64 now)
{
	return now / NS_PER_US - flow->start_time / NS_PER_US;
}

#endif
