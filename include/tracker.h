/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a segment means for its connection: did the server speak first, and is
 * this what it said? Portable C without a helper call, like segment.h.
 *
 * A banner is the payload of the server segment that begins at sisn+1, if the
 * SYN-ACK was seen, no client payload was seen before, and the segment's own
 * acknowledgement number proves that the server had received none either.
 * So a packet that was missed, lost, reordered, repeated or forged blindly
 * gives either the right banner or none.
 *
 * Sequence numbers are compared modulo 2^32, as signed distances.
 */
#ifndef BANNERPROBE_TRACKER_H
#define BANNERPROBE_TRACKER_H

#include "counters.h"
#include "platform.h"
#include "segment.h"

/*
 * Client data further than this beyond cisn+1 cannot have been invited: the
 * window in a SYN-ACK is never scaled (RFC 7323, 2.2) and has 16 bits.
 */
#define FIRST_WINDOW_MAX 65535

#define NS_PER_US 1000

/*
 * A SYN or SYN-ACK that comes again after less than this is a copy (two
 * interfaces, a mirror port), not a retransmission: RFC 6298, 2.1 has a sender
 * wait for a second.
 */
#define RETRANSMISSION_NS 500000000ULL

/* An acknowledgement further ahead is no answer: the largest window (RFC 7323).
 */
#define WINDOW_MAX (1 << 30)

enum flow_seen {
	SEEN_SYN = 1 << 0,
	SEEN_SYNACK = 1 << 1,
	SEEN_ACK = 1 << 2, /* a pure ACK of the client */
	SEEN_CLIENT_FIN = 1 << 3,
	SEEN_HISTORY = (1 << 4) - 1, /* those above are told in a record */

	SEEN_ANSWERED = 1 << 4, /* the client acknowledged the SYN-ACK */
	SEEN_SERVER_FIN = 1 << 5,
	SEEN_SERVER_SYN = 1 << 6,   /* simultaneous open? sisn is its ISN */
	SEEN_SERVER_AHEAD = 1 << 7, /* server data beyond sisn+1 */
	SEEN_RST = 1 << 8,	    /* a valid one */
	FLOW_DECIDED = 1 << 9,	    /* nothing more will be logged */

	/* Of a SYN that may begin the next connection: see note_next_syn(). */
	SEEN_NEXT_SYN = 1 << 10,
	SEEN_NEXT_DATA = 1 << 11,     /* it carried data */
	SEEN_NEXT_REVERSED = 1 << 12, /* the server sent it */
	SEEN_NEXT = SEEN_NEXT_SYN | SEEN_NEXT_DATA | SEEN_NEXT_REVERSED,

	SEEN_RETRANSMISSION = 1 << 13, /* of the SYN or the SYN-ACK, or a SYN
					* that came late */
	SEEN_RTT = 1 << 14,	       /* how long the handshake took */

	FLOW_GATHERING =
		1 << 15, /* decided, and more of the greeting may come */
};

/* What is asked for besides the first chunk of each server. */
struct track_options {
	bool times;   /* when a connection began, and when it was answered */
	bool rtt;     /* the handshake's round-trip time; needs `times` */
	__u32 gather; /* bytes of each greeting, from all segments that it comes
		       * in; 0: its first chunk only */
};

/* What a segment is of a greeting that is gathered. */
enum greeting_part {
	PART_NONE,
	PART_FIRST, /* the banner's first chunk */
	PART_MORE,  /* another chunk, or the FIN behind the last */
	PART_END,   /* none: no more will be seen */
};

/* The state of a connection. All zero: none yet. */
struct flow {
	__u64 start_time;  /* ns: of the SYN, or of the SYN-ACK without one */
	__u64 synack_time; /* ns: of the SYN-ACK, or of the server's own SYN */
	__u32 cisn;	   /* the client's initial sequence number */
	__u32 sisn;	   /* the server's, if SEEN_SYNACK or SEEN_SERVER_SYN */
	__u32 client_ack;  /* highest number acknowledged, if SEEN_ANSWERED */
	__u32 next_cisn;   /* of the next SYN, if SEEN_NEXT_SYN */
	__u32 since_us;	   /* microseconds from start_time: to the next SYN, if
			    * SEEN_NEXT_SYN; to the client's answer, if SEEN_RTT
			    */
	__u16 seen;	   /* enum flow_seen */
	__u8 client; /* which end of the connection: 0 or 1 (flow_identify) */
	__u8 reserved;
};

/* What came of a segment. Each counter is COUNT_NOTHING where it does not
 * apply. */
struct verdict {
	__u8 began;   /* COUNT_CONNECTIONS: a connection began with it */
	__u8 ended;   /* the outcome of the connection that this one replaced */
	__u8 outcome; /* the outcome that it decided; COUNT_BANNER: log it */
	__u8 ignored; /* why it was ignored */
	__u8 part;    /* enum greeting_part */
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
 * greeting needs no asking: it changes only what was begun.
 */
static __always_inline bool
verdict_asks_for_server(const struct verdict *verdict)
{
	return verdict_is_logged(verdict) && verdict->part != PART_END;
}

/* Of a server that is not wanted: counted once, not logged. */
static __always_inline void verdict_pass_over(struct verdict *verdict)
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

/* COUNT_NOTHING is counted, too, rather than asked for: nobody is told it. */
static __always_inline void count_verdict(__u64 *counters,
					  const struct verdict *verdict)
{
	count_in(counters, verdict->began);
	count_in(counters, verdict->ended);
	count_in(counters, verdict->outcome);
	count_in(counters, verdict->ignored);
}

/* What counts a packet that no segment was read from. */
static __always_inline enum counter parse_counter(enum parse_result result)
{
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

/* The signed distance from `from` to `to`. */
static __always_inline __s32 seq_distance(__u32 from, __u32 to)
{
	return (__s32)(to - from);
}

/*
 * Whether a number is near enough to one that was expected to be no guess: of
 * a connection that is decided, what has followed is not known.
 */
static __always_inline bool seq_is_near(__u32 expected, __u32 seq)
{
	return seq - expected <= FIRST_WINDOW_MAX;
}

static __always_inline bool flow_is_pending(const struct flow *flow)
{
	return flow->seen && !(flow->seen & FLOW_DECIDED);
}

/* Whether more segments of the connection may be logged, or decide it. */
static __always_inline bool flow_is_watched(const struct flow *flow)
{
	return flow->seen & FLOW_GATHERING || flow_is_pending(flow);
}

/* A RST, or a FIN from each side: its four-tuple is free for another. */
static __always_inline bool flow_is_closed(const struct flow *flow)
{
	const __u16 both_fins = SEEN_CLIENT_FIN | SEEN_SERVER_FIN;

	return flow->seen & SEEN_RST || (flow->seen & both_fins) == both_fins;
}

/* The outcome of a pending connection of which no more will be seen. */
static __always_inline enum counter unfinished_outcome(const struct flow *flow)
{
	if (!(flow->seen & SEEN_SYNACK))
		return COUNT_SYNACK_UNSEEN;
	if (flow->seen & SEEN_SERVER_AHEAD)
		return COUNT_SERVER_DATA_UNSEEN;
	if (flow->seen & SEEN_ANSWERED &&
	    seq_distance(flow->sisn + 1, flow->client_ack) > 0)
		return COUNT_SERVER_DATA_UNSEEN;
	return COUNT_NO_DATA;
}

static __always_inline void decide(struct flow *flow, struct verdict *verdict,
				   enum counter outcome)
{
	flow->seen |= FLOW_DECIDED;
	verdict->outcome = outcome;
}

/* A new connection; one that was pending on the same four-tuple has ended. */
static __always_inline void begin(struct flow *flow, struct verdict *verdict,
				  int client, __u32 cisn, __u16 seen, __u64 now)
{
	if (flow_is_pending(flow))
		verdict->ended = unfinished_outcome(flow);
	verdict->began = COUNT_CONNECTIONS;
	flow->start_time = now;
	flow->synack_time = 0;
	flow->cisn = cisn;
	flow->sisn = 0;
	flow->client_ack = 0;
	flow->seen = seen;
	flow->client = client;
}

/* Whether so much time is between two that one is no copy of the other. */
static __always_inline bool is_retransmission(__u64 then, __u64 now)
{
	return (__s64)(now - then) >= (__s64)RETRANSMISSION_NS;
}

/* Microseconds since the connection began, by a clock of microseconds. */
static __always_inline __u64 us_since_start(const struct flow *flow, __u64 now)
{
	return now / NS_PER_US - flow->start_time / NS_PER_US;
}

static __always_inline void
note_synack(struct flow *flow, const struct segment *segment, __u64 now)
{
	flow->sisn = segment->seq;
	flow->synack_time = now;
	flow->seen |= SEEN_SYNACK;
	flow->seen &= ~(SEEN_SERVER_SYN | SEEN_SERVER_AHEAD);
}

/* How much a server acknowledges that was told nothing: a FIN, if any. */
static __always_inline __s32 client_fin_len(const struct flow *flow)
{
	return flow->seen & SEEN_CLIENT_FIN ? 1 : 0;
}

/*
 * A part of the greeting, `from` bytes behind sisn+1, if it is within what is
 * asked for and its acknowledgement is that of a server that was told nothing.
 */
static __always_inline void gather(const struct flow *flow,
				   const struct segment *segment, __s32 from,
				   const struct track_options *options,
				   struct verdict *verdict)
{
	const __s32 acked = seq_distance(flow->cisn + 1, segment->ack);

	if (from >= (__s32)options->gather || !(segment->flags & TCP_ACK) ||
	    acked < 0 || acked > client_fin_len(flow))
		return;
	verdict->part = PART_MORE;
	verdict->offset = from > 0 ? (__u32)from : 0;
	verdict->skip = from < 0 ? (__u32)-from : 0;
}

static __always_inline void end_gathering(struct flow *flow,
					  const struct segment *segment,
					  struct verdict *verdict)
{
	flow->seen &= ~FLOW_GATHERING;
	verdict->part = PART_END;
	verdict->skip = segment->payload_len;
}

/*
 * A server segment after the banner's. Who guesses numbers can neither add to
 * the greeting nor end it: both of the segment's are checked for either.
 */
static __always_inline void track_greeting(struct flow *flow,
					   const struct segment *segment,
					   const struct track_options *options,
					   struct verdict *verdict)
{
	const bool fin = segment->flags & TCP_FIN;
	const __s32 from = seq_distance(flow->sisn + 1, segment->seq);
	const __s32 acked = seq_distance(flow->cisn + 1, segment->ack);
	const __s32 beyond = (__s32)options->gather + FIRST_WINDOW_MAX;

	if (!(segment->flags & TCP_ACK) || acked < 0) {
		verdict->ignored = COUNT_INVALID_SERVER_SEGMENT;
	} else if (acked > client_fin_len(flow)) {
		if (acked <= FIRST_WINDOW_MAX && from >= 0 && from <= beyond)
			end_gathering(flow, segment, verdict);
	} else if (from > beyond) {
		/* What is missing yet, and asked for, is not just late. */
		end_gathering(flow, segment, verdict);
	} else if ((__s64)from + segment->payload_len + fin > 0 &&
		   (segment->payload_len || fin)) {
		gather(flow, segment, from, options, verdict);
	}
}

/*
 * Server payload, or a FIN, that begins at `seq` (one more than the segment's
 * own number in a SYN-ACK). The SYN-ACK has been seen and nothing is decided.
 */
static __always_inline void
track_server_data(struct flow *flow, const struct segment *segment, __u32 seq,
		  const struct track_options *options, struct verdict *verdict)
{
	const bool fin = segment->flags & TCP_FIN;
	const __s32 from = seq_distance(flow->sisn + 1, seq);
	const __s32 acked = seq_distance(flow->cisn + 1, segment->ack);

	if (!segment->payload_len && !fin)
		return;
	if (from > 0) { /* reordered, or the first was missed: wait */
		flow->seen |= SEEN_SERVER_AHEAD;
		/* A blind forger must not be able to end it. */
		if (fin && segment->flags & TCP_ACK &&
		    seq_is_near(flow->cisn + 1, segment->ack))
			flow->seen |= SEEN_SERVER_FIN;
		gather(flow, segment, from, options, verdict);
		return;
	}
	/* A keep-alive or an old FIN: nothing at or after sisn+1. */
	if ((__s64)from + segment->payload_len + fin <= 0)
		return;
	if (!(segment->flags & TCP_ACK) || acked < 0) {
		verdict->ignored = COUNT_INVALID_SERVER_SEGMENT;
		return;
	}
	if (fin)
		flow->seen |= SEEN_SERVER_FIN;
	if (acked > client_fin_len(flow)) {
		decide(flow, verdict, COUNT_CLIENT_FIRST_BY_ACK);
	} else if ((__s64)from + segment->payload_len <= 0) {
		decide(flow, verdict, COUNT_NO_DATA);
	} else {
		verdict->skip = (__u32)-from;
		decide(flow, verdict, COUNT_BANNER);
		if (options->gather) {
			flow->seen |= FLOW_GATHERING;
			verdict->part = PART_FIRST;
		}
	}
}

static __always_inline void track_server(struct flow *flow,
					 const struct segment *segment,
					 const struct track_options *options,
					 struct verdict *verdict)
{
	if (flow->seen & FLOW_GATHERING)
		track_greeting(flow, segment, options, verdict);
	if (flow->seen & FLOW_DECIDED) {
		if (segment->flags & TCP_FIN &&
		    seq_is_near(flow->sisn + 1, segment->seq))
			flow->seen |= SEEN_SERVER_FIN;
	} else if (flow->seen & SEEN_SYNACK) {
		track_server_data(flow, segment, segment->seq, options,
				  verdict);
	}
}

/*
 * The client answers the SYN-ACK: the round trip is complete. Not known where a
 * part of it was not seen, or may be the answer to another (Karn's algorithm,
 * RFC 6298, 3).
 */
static __always_inline void note_rtt(struct flow *flow, __u64 now)
{
	const __u64 since = us_since_start(flow, now);

	if (!(flow->seen & SEEN_SYN) || since > ~0U ||
	    flow->seen & (SEEN_RETRANSMISSION | SEEN_NEXT_SYN))
		return;
	flow->since_us = (__u32)since;
	flow->seen |= SEEN_RTT;
}

/* The client acknowledges; `pure`: the segment does nothing else. */
static __always_inline void
track_client_ack(struct flow *flow, const struct segment *segment, bool pure,
		 __u64 now, const struct track_options *options)
{
	__s32 acked = seq_distance(flow->sisn + 1, segment->ack);

	if (pure)
		flow->seen |= SEEN_ACK;
	if (!(flow->seen & SEEN_SYNACK) || acked < 0 || acked > WINDOW_MAX)
		return;
	if (options->rtt && !(flow->seen & SEEN_ANSWERED) && !acked)
		note_rtt(flow, now);
	if (!(flow->seen & SEEN_ANSWERED) ||
	    seq_distance(flow->client_ack, segment->ack) > 0)
		flow->client_ack = segment->ack;
	flow->seen |= SEEN_ANSWERED;
}

static __always_inline void
track_client(struct flow *flow, const struct segment *segment, __u64 now,
	     const struct track_options *options, struct verdict *verdict)
{
	const bool fin = segment->flags & TCP_FIN;
	const bool ack = segment->flags & TCP_ACK;
	const __s32 from = seq_distance(flow->cisn + 1, segment->seq);
	const __s64 to = (__s64)from + segment->payload_len;

	if (flow_is_watched(flow) && (from > FIRST_WINDOW_MAX || to < -1)) {
		verdict->ignored = COUNT_OUT_OF_WINDOW;
		return;
	}
	if (flow->seen & FLOW_DECIDED) {
		if (flow->seen & FLOW_GATHERING &&
		    to + fin > client_fin_len(flow))
			end_gathering(flow, segment, verdict);
		if (fin && seq_is_near(flow->cisn + 1, segment->seq))
			flow->seen |= SEEN_CLIENT_FIN;
		return;
	}
	if (ack)
		track_client_ack(flow, segment,
				 from >= 0 && !segment->payload_len && !fin,
				 now, options);
	if (segment->payload_len && to > 0) {
		/* The client answers something that was missed? */
		decide(flow, verdict,
		       unfinished_outcome(flow) == COUNT_SERVER_DATA_UNSEEN ?
			       COUNT_SERVER_DATA_UNSEEN :
			       COUNT_CLIENT_FIRST);
	} else if (from > client_fin_len(flow)) {
		decide(flow, verdict, COUNT_CLIENT_FIRST_BY_SEQ);
	} else if (fin && to == 0) {
		flow->seen |= SEEN_CLIENT_FIN;
	}
	if (fin && flow->seen & FLOW_DECIDED)
		flow->seen |= SEEN_CLIENT_FIN; /* wherever it is */
}

/*
 * A SYN with other numbers on the four-tuple of a connection that waits for its
 * banner. Whoever knows the addresses and ports can forge it, so the connection
 * stays until a SYN-ACK proves that the server has taken the SYN for a new one
 * (as RFC 5961, 4 has the server itself do). False where the time between the
 * two is more than 32 bits of microseconds.
 */
static __always_inline bool note_next_syn(struct flow *flow,
					  const struct segment *segment,
					  int sender, __u64 now,
					  struct verdict *verdict)
{
	const __u64 since = us_since_start(flow, now);
	__u16 seen = SEEN_NEXT_SYN;

	if (sender != flow->client)
		seen |= SEEN_NEXT_REVERSED;
	if (segment->payload_len)
		seen |= SEEN_NEXT_DATA;
	verdict->ignored = COUNT_SYN_IN_CONNECTION;
	if (flow->seen & SEEN_NEXT_SYN && flow->next_cisn == segment->seq &&
	    !((flow->seen ^ seen) & SEEN_NEXT_REVERSED)) {
		flow->seen |= seen; /* repeated: its time is the first one's */
		return true;
	}
	flow->seen = (flow->seen & ~(SEEN_NEXT | SEEN_RTT)) | seen;
	flow->next_cisn = segment->seq;
	flow->since_us = (__u32)since;
	return since <= ~0U;
}

/* Whether a SYN-ACK answers the next SYN. */
static __always_inline bool synack_answers_next(const struct flow *flow,
						const struct segment *segment,
						int sender)
{
	const bool reversed = sender == flow->client;
	__u32 acked = segment->ack - (flow->next_cisn + 1);

	if (!(flow->seen & SEEN_NEXT_SYN) ||
	    reversed != !!(flow->seen & SEEN_NEXT_REVERSED))
		return false;
	return !acked ||
	       (flow->seen & SEEN_NEXT_DATA && acked <= FIRST_WINDOW_MAX);
}

/* The next SYN's connection begins. */
static __always_inline void begin_next(struct flow *flow,
				       struct verdict *verdict)
{
	const __u16 seen = flow->seen;
	const int client = flow->client ^ !!(seen & SEEN_NEXT_REVERSED);
	__u64 start = flow->start_time / NS_PER_US + flow->since_us;

	begin(flow, verdict, client, flow->next_cisn, SEEN_SYN,
	      start * NS_PER_US);
	if (seen & SEEN_NEXT_DATA)
		decide(flow, verdict, COUNT_CLIENT_FIRST_SYN);
}

static __always_inline void track_syn(struct flow *flow,
				      const struct segment *segment, int sender,
				      __u64 now, struct verdict *verdict)
{
	const bool known = flow->seen && !flow_is_closed(flow);

	if (known && sender == flow->client && segment->seq == flow->cisn) {
		/*
		 * Repeated, or overtaken by the SYN-ACK: then the start is not
		 * its own time, and no round trip is known either.
		 */
		if (!(flow->seen & SEEN_SYN) ||
		    is_retransmission(flow->start_time, now))
			flow->seen |= SEEN_RETRANSMISSION;
		flow->seen |= SEEN_SYN;
	} else if (known && sender != flow->client && flow_is_pending(flow) &&
		   !(flow->seen & SEEN_SYNACK)) {
		flow->seen |= SEEN_SERVER_SYN; /* simultaneous open? */
		flow->sisn = segment->seq;
		flow->synack_time = now;
		return;
	} else if (known && sender != flow->client &&
		   flow->seen & (SEEN_SYNACK | SEEN_SERVER_SYN) &&
		   segment->seq == flow->sisn) {
		/* The server's SYN, after or between its SYN-ACKs. */
		if (flow_is_pending(flow))
			decide(flow, verdict, COUNT_NO_SERVER);
		return;
	} else if (known && flow_is_watched(flow) && flow->seen & SEEN_SYNACK &&
		   note_next_syn(flow, segment, sender, now, verdict)) {
		return;
	} else {
		begin(flow, verdict, sender, segment->seq, SEEN_SYN, now);
	}
	if (segment->payload_len && flow_is_pending(flow))
		decide(flow, verdict, COUNT_CLIENT_FIRST_SYN);
}

/* A SYN-ACK from the side that was taken for the client. */
static __always_inline void track_synack_of_client(
	struct flow *flow, const struct segment *segment, int sender, __u64 now,
	const struct track_options *options, struct verdict *verdict)
{
	if (!flow_is_pending(flow))
		return;
	if (segment->seq == flow->cisn) {
		decide(flow, verdict, COUNT_NO_SERVER);
	} else if (flow->seen & SEEN_SERVER_SYN &&
		   segment->ack == flow->sisn + 1) {
		/* The other side's SYN opened the connection, after all. */
		__u64 syn_time = flow->synack_time;

		begin(flow, verdict, !sender, flow->sisn, SEEN_SYN, syn_time);
		note_synack(flow, segment, now);
		track_server_data(flow, segment, segment->seq + 1, options,
				  verdict);
	} else {
		verdict->ignored = COUNT_STALE_SYNACK;
	}
}

static __always_inline void track_synack(struct flow *flow,
					 const struct segment *segment,
					 int sender, __u64 now,
					 const struct track_options *options,
					 struct verdict *verdict)
{
	bool answers, same;

	if (synack_answers_next(flow, segment, sender))
		begin_next(flow, verdict);
	answers = segment->ack == flow->cisn + 1;
	same = answers && sender != flow->client && flow->seen & SEEN_SYNACK &&
	       segment->seq == flow->sisn;
	if (!flow->seen || (flow_is_closed(flow) && !same)) {
		begin(flow, verdict, !sender, segment->ack - 1, 0, now);
	} else if (sender == flow->client) {
		track_synack_of_client(flow, segment, sender, now, options,
				       verdict);
		return;
	} else if (!answers) {
		/* Whose SYN was not seen, its SYN-ACK may begin another. */
		if (flow->seen & SEEN_SYN ||
		    (flow_is_pending(flow) && flow->seen & SEEN_ANSWERED)) {
			if (flow_is_pending(flow))
				verdict->ignored = COUNT_STALE_SYNACK;
			return;
		}
		begin(flow, verdict, !sender, segment->ack - 1, 0, now);
	}
	if (flow->seen & FLOW_DECIDED)
		return;
	if (flow->seen & SEEN_SERVER_SYN && segment->seq == flow->sisn) {
		decide(flow, verdict, COUNT_NO_SERVER);
		return;
	}
	if (!(flow->seen & SEEN_SYNACK) || segment->seq != flow->sisn) {
		if (flow->seen & SEEN_ANSWERED) {
			verdict->ignored = COUNT_STALE_SYNACK;
			return;
		}
		if (flow->seen & SEEN_SYNACK)
			flow->seen |= SEEN_RETRANSMISSION;
		note_synack(flow, segment, now); /* the latest counts */
	} else if (is_retransmission(flow->synack_time, now)) {
		flow->seen |= SEEN_RETRANSMISSION;
	}
	track_server_data(flow, segment, segment->seq + 1, options, verdict);
}

/* Whether a RST is what RFC 5961, 3.2 has the other side accept. */
static __always_inline bool
rst_is_valid(const struct flow *flow, const struct segment *segment, int sender)
{
	const bool from_client = sender == flow->client;
	__u32 expected;

	if (!from_client && segment->flags & TCP_ACK &&
	    segment->ack == flow->cisn + 1)
		return true; /* it answers the SYN */
	if (!from_client && !(flow->seen & SEEN_SYNACK))
		return false;

	expected = from_client ? flow->cisn + 1 : flow->sisn + 1;
	if (flow->seen & FLOW_DECIDED)
		return seq_is_near(expected, segment->seq);
	if (from_client)
		return segment->seq == expected ||
		       (flow->seen & SEEN_CLIENT_FIN &&
			segment->seq == expected + 1);
	if (flow->seen & SEEN_ANSWERED)
		expected = flow->client_ack;
	return segment->seq == expected;
}

static __always_inline void track_rst(struct flow *flow,
				      const struct segment *segment, int sender,
				      struct verdict *verdict)
{
	if (!rst_is_valid(flow, segment, sender)) {
		verdict->ignored = COUNT_INVALID_RST;
		return;
	}
	/*
	 * Not forgotten altogether: a SYN-ACK that is repeated late must not
	 * begin the connection again.
	 */
	flow->seen |= SEEN_RST;
	if (flow->seen & FLOW_GATHERING)
		end_gathering(flow, segment, verdict);
	if (flow_is_pending(flow))
		decide(flow, verdict, COUNT_RESET);
}

/*
 * Takes a segment into account for its connection. `flow`: its state, all
 * zero if none is known, changed in place. `sender`: the end that sent it
 * (flow_identify). `now`: ns on the same clock for all segments; 0 will do
 * where segment_needs_time() says no.
 */
static __always_inline struct verdict track(struct flow *flow,
					    const struct segment *segment,
					    int sender, __u64 now,
					    const struct track_options *options)
{
	struct verdict verdict = {};

	if (segment->flags & TCP_RST) {
		if (flow->seen)
			track_rst(flow, segment, sender, &verdict);
	} else if (segment->flags & TCP_SYN) {
		if (segment->flags & TCP_FIN)
			verdict.ignored = COUNT_INVALID_FLAGS;
		else if (segment->flags & TCP_ACK)
			track_synack(flow, segment, sender, now, options,
				     &verdict);
		else
			track_syn(flow, segment, sender, now, &verdict);
	} else if (flow->seen) {
		if (sender == flow->client)
			track_client(flow, segment, now, options, &verdict);
		else
			track_server(flow, segment, options, &verdict);
	}
	return verdict;
}

/*
 * Whether track() needs to know the time: reading a clock is slow. (When a
 * banner came is asked for by who logs it.)
 */
static __always_inline bool
segment_needs_time(const struct segment *segment,
		   const struct track_options *options)
{
	return (options->times && segment->flags & TCP_SYN) ||
	       (options->rtt && segment->flags & TCP_ACK);
}

/* Whether a segment can begin a connection: only then is state made for it. */
static __always_inline bool segment_opens(const struct segment *segment)
{
	return segment->flags & TCP_SYN &&
	       !(segment->flags & (TCP_RST | TCP_FIN));
}

#endif
