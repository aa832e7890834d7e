/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The rivals of a connection: SYNs with other numbers on its four-tuple, and
 * the SYN-ACK that answers one. They stand beside the connection until a
 * segment proves them. Portable C without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_RIVALS_H
#define BANNERPROBE_RIVALS_H

#include "bits.h"
#include "flow.h"
#include "segment.h"

#define RIVAL_SYNS 2 /* SYNs remembered for each end */

/* Flags of end 0; those of end 1 are shifted left by RIVAL_SHIFT. */
enum rival_seen {
	RIVAL_SYN = 1 << 0,    /* isns[end][0] is set; the next bit: [1] */
	RIVAL_DATA = 1 << 2,   /* the SYN carried data; likewise */
	RIVAL_NEWEST = 1 << 4, /* which of the two SYNs is the newer */
	RIVAL_MORE = 1 << 5,   /* more SYNs came than are remembered */
	RIVAL_EARLY = 1 << 6,  /* a client segment of that SYN came */
	RIVAL_SHIFT = 8,

	/* Flags of the SYN-ACK that may begin the next connection. */
	NEXT = 1 << 16,
	NEXT_CLIENT = 1 << 17, /* which end is its client */
	NEXT_SYN = 1 << 18,    /* its SYN was seen, too */
	NEXT_DATA = 1 << 19,   /* and the SYN carried data */
	NEXT_RETRANSMISSION = 1 << 20,
	NEXT_MORE = 1 << 21, /* its SYN may be one that is not remembered */
	NEXT_CLIENT_FIRST = 1 << 22, /* its client's data came before the
				      * SYN-ACK */
	NEXT_ALL = (1 << 23) - NEXT,
};

/*
 * What may begin the next connection of a four-tuple. The rivals have an entry
 * of their own in the flow table, of the size of a flow. Each number has a
 * meaning only where its flag is set.
 */
struct rivals {
	/* The SYNs, by the end that sent them. */
	__u32 isns[2][RIVAL_SYNS];
	__u32 newest_us[2];  /* when the newer SYN came: the lower 32 bits of
			      * the time in microseconds */
	__u16 newest_len[2]; /* payload bytes of the newer SYN */
	__u32 early_ack;     /* acknowledged by the client segment, if
			      * RIVAL_EARLY */
	/* The next connection, if NEXT. */
	__u32 cisn, sisn;
	__u32 syn_us, synack_us; /* when these came, as newest_us */
	__u32 ack;		 /* acknowledged by its SYN-ACK */
	__u32 seen;		 /* enum rival_seen */
};
_Static_assert(sizeof(struct rivals) == sizeof(struct flow),
	       "either stands in an entry of the table");

static __always_inline __u32 rival_bits(const struct rivals *rivals, int end)
{
	return rivals->seen >> (end & 1) * RIVAL_SHIFT;
}

static __always_inline void set_rival_bits(struct rivals *rivals, int end,
					   __u32 bits, bool on)
{
	const __u32 shifted = bits << (end & 1) * RIVAL_SHIFT;

	if (on)
		rivals->seen |= shifted;
	else
		rivals->seen &= ~shifted;
}

/*
 * Which of the two SYNs is meant, where 1 says that it is; -1: none. Here and
 * below there are no branches (bits.h).
 */
static __always_inline int first_of_two(__u32 first, __u32 second)
{
	return (int)(first + 2 * (second & ~first)) - 1;
}

/* Which SYN of an end has this number; -1: none. */
static __always_inline int find_rival_syn(const struct rivals *rivals, int end,
					  __u32 isn)
{
	const __u32 *isns = rivals->isns[end & 1];
	const __u32 bits = rival_bits(rivals, end);

	const __u32 first = bits & (is_any(isns[0] ^ isn) ^ 1);
	const __u32 second = bits >> 1 & (is_any(isns[1] ^ isn) ^ 1);

	return first_of_two(first, second);
}

/*
 * Which SYN of an end has a number at most so far before this one; -1: none.
 * `more`: the distance allowed for the newer SYN.
 */
static __always_inline int find_rival_before(const struct rivals *rivals,
					     int end, __u32 number, __u32 far,
					     __u32 more)
{
	const __u32 bits = rival_bits(rivals, end);
	const __u32 *isns = rivals->isns[end & 1];
	const __u32 newest = bits / RIVAL_NEWEST & 1;
	const __u32 far_of_first = far + more * (newest ^ 1);
	const __u32 far_of_second = far + more * newest;
	const __u32 first = bits & is_at_most(number - isns[0], far_of_first);
	const __u32 second =
		bits >> 1 & is_at_most(number - isns[1], far_of_second);

	return first_of_two(first, second);
}

/* Which SYN of an end an acknowledgement answers; -1: none. */
static __always_inline int find_answered(const struct rivals *rivals, int end,
					 __u32 ack)
{
	return find_rival_before(rivals, end, ack - 1, 0,
				 rivals->newest_len[end & 1]);
}

static __always_inline int next_client(const struct rivals *rivals)
{
	return !!(rivals->seen & NEXT_CLIENT);
}

/*
 * Remembers a SYN among the rivals: the latest ones of each end. Whether it is
 * the first with this number that has data.
 */
static __always_inline bool remember_syn(struct rivals *rivals,
					 const struct segment *segment, int end,
					 __u64 now)
{
	const __u32 bits = rival_bits(rivals, end);
	int place = find_rival_syn(rivals, end, segment->seq);
	__u32 len = segment->payload_len;
	bool is_first;

	if (place < 0) {
		if (!(bits & RIVAL_SYN))
			place = 0;
		else if (!(bits & RIVAL_SYN << 1))
			place = 1;
		else
			place = !(bits & RIVAL_NEWEST);
		if (bits & RIVAL_SYN << place)
			set_rival_bits(rivals, end, RIVAL_MORE, true);
		rivals->isns[end & 1][place & 1] = segment->seq;
		rivals->newest_us[end & 1] = (__u32)(now / NS_PER_US);
		rivals->newest_len[end & 1] = 0;
		set_rival_bits(rivals, end,
			       RIVAL_DATA << place | RIVAL_EARLY << place,
			       false);
		set_rival_bits(rivals, end, RIVAL_SYN << place, true);
		set_rival_bits(rivals, end, RIVAL_NEWEST, place);
	}
	if (rivals->seen & NEXT && next_client(rivals) == end &&
	    rivals->cisn == segment->seq) {
		/* It passed after its SYN-ACK, so its own time is not known. */
		if (!(rivals->seen & NEXT_SYN))
			rivals->seen |= NEXT_SYN | NEXT_RETRANSMISSION;
		if (len)
			rivals->seen |= NEXT_DATA;
	}
	if (!len)
		return false;
	is_first = !(rival_bits(rivals, end) & RIVAL_DATA << place);
	set_rival_bits(rivals, end, RIVAL_DATA << place, true);
	if (place == !!(rival_bits(rivals, end) & RIVAL_NEWEST) &&
	    rivals->newest_len[end & 1] < len)
		rivals->newest_len[end & 1] =
			(__u16)(len > 0xffff ? 0xffff : len);
	return is_first;
}

/*
 * Remembers that a client segment passed between its SYN and its SYN-ACK, and
 * what the first such segment acknowledges.
 */
static __always_inline void remember_rival_early(struct rivals *rivals,
						 const struct segment *segment,
						 int end)
{
	const __u32 last = segment->seq + segment->payload_len - 1;
	const __u32 far = FIRST_WINDOW_MAX + segment->payload_len - 1;
	int syn;

	if (!segment->payload_len || !(segment->flags & TCP_ACK) ||
	    rivals->seen & (RIVAL_EARLY * 3 | RIVAL_EARLY * 3 << RIVAL_SHIFT))
		return;
	/* The segment begins within a window of the SYN, and ends behind it. */
	syn = find_rival_before(rivals, end, last - 1, far, 0);
	if (syn < 0)
		return;
	rivals->early_ack = segment->ack;
	set_rival_bits(rivals, end, RIVAL_EARLY << syn, true);
}

/* Whether more SYNs of this end came than are remembered. */
static __always_inline bool had_more_syns(const struct rivals *rivals, int end)
{
	return rival_bits(rivals, end) & RIVAL_MORE;
}

/*
 * The latest time up to `now` with these lower 32 bits of microseconds. Right
 * to the microsecond within 71 minutes.
 */
static __always_inline __u64 full_time(__u32 time_us, __u64 now)
{
	const __u32 since_us = (__u32)(now / NS_PER_US) - time_us;

	return now - (__u64)since_us * NS_PER_US;
}

/* Whether a SYN-ACK is the remembered one again. */
static __always_inline bool is_next(const struct rivals *rivals,
				    const struct segment *segment, int sender)
{
	return rivals->seen & NEXT && next_client(rivals) == !sender &&
	       rivals->sisn == segment->seq && rivals->ack == segment->ack;
}

/*
 * Remembers a SYN-ACK in place of an earlier one. `syn`: which SYN it answers;
 * -1: one that was not seen.
 */
static __always_inline void remember_synack(struct rivals *rivals,
					    const struct segment *segment,
					    int sender, int syn, __u64 now)
{
	const int client = !sender;
	__u32 seen = NEXT | (client ? NEXT_CLIENT : 0);

	rivals->ack = segment->ack;
	rivals->cisn = segment->ack - 1;
	rivals->synack_us = rivals->syn_us = (__u32)(now / NS_PER_US);
	if (syn >= 0) {
		const __u32 bits = rival_bits(rivals, client);

		seen |= NEXT_SYN;
		if (bits & RIVAL_DATA << syn)
			seen |= NEXT_DATA;
		if (bits & RIVAL_EARLY << syn &&
		    rivals->early_ack - (segment->seq + 1) <=
			    FIRST_WINDOW_MAX + segment->payload_len)
			seen |= NEXT_CLIENT_FIRST;
		rivals->cisn = rivals->isns[client & 1][syn & 1];
		/* The time of the older SYN is not known. */
		if (syn == !!(bits & RIVAL_NEWEST))
			rivals->syn_us = rivals->newest_us[client & 1];
		else
			seen |= NEXT_RETRANSMISSION;
	} else if (had_more_syns(rivals, client)) {
		seen |= NEXT_MORE;
	}
	rivals->sisn = segment->seq;
	rivals->seen = (rivals->seen & ~NEXT_ALL) | seen;
}

/*
 * Whether a segment carries the numbers of the next connection: a valid client
 * segment, or the segment that would be its banner.
 */
static __always_inline bool proves_next(const struct rivals *rivals,
					const struct segment *segment,
					int sender)
{
	const __u32 acked_sisn = segment->ack - (rivals->sisn + 1);
	__s32 from;

	if (!(rivals->seen & NEXT) || !(segment->flags & TCP_ACK))
		return false;
	if (sender == next_client(rivals)) {
		from = seq_distance(rivals->cisn + 1, segment->seq);
		return acked_sisn <= FIRST_WINDOW_MAX &&
		       from <= FIRST_WINDOW_MAX &&
		       (from >= -1 ||
			(__s64)from + segment->payload_len +
					!!(segment->flags & TCP_FIN) >
				0);
	}
	from = seq_distance(rivals->sisn + 1,
			    segment->seq + !!(segment->flags & TCP_SYN));
	return !(rivals->seen & (NEXT_DATA | NEXT_CLIENT_FIRST)) &&
	       segment->ack == rivals->cisn + 1 && from <= 0 &&
	       (__s64)from + segment->payload_len > 0;
}

/*
 * Handles a RST that ends or refuses a rival: nothing will be logged of that.
 * False: the RST belongs to another connection.
 */
static __always_inline bool
reset_rival(struct rivals *rivals, const struct segment *segment, int sender)
{
	const int client = next_client(rivals);
	const __u32 number = sender == client ? rivals->ack : rivals->sisn + 1;
	int end = sender, syn, of_next = -1;

	if (rivals->seen & NEXT)
		of_next = find_rival_syn(rivals, client, rivals->cisn);
	if (rivals->seen & NEXT && segment->seq == number) {
		rivals->seen &= ~NEXT_ALL;
		end = client;
		syn = of_next;
	} else {
		syn = find_rival_syn(rivals, sender, segment->seq - 1);
		if (syn < 0 && segment->flags & TCP_ACK) {
			end = !sender;
			syn = find_answered(rivals, end, segment->ack);
		}
		/* A rival with a SYN-ACK is judged by the SYN-ACK's numbers. */
		if (syn < 0 || (end == client && syn == of_next))
			return false;
	}
	if (syn >= 0)
		set_rival_bits(rivals, end, RIVAL_SYN << syn, false);
	return true;
}

#endif
