/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One banner, as it travels from the kernel (or from the capture reader) to
 * the formats.
 */
#ifndef BANNERPROBE_EVENT_H
#define BANNERPROBE_EVENT_H

#include "platform.h"
#include "tracker.h"

#define BANNER_MAX 4096 /* most bytes of a banner that can be kept */
#define RTT_UNKNOWN 0xffffffff

enum direction {
	DIRECTION_NONE, /* not known: from a capture */
	DIRECTION_IN,	/* the banner's packet arrived at this host */
	DIRECTION_OUT,	/* the banner's packet left this host */
};

/*
 * The times are in nanoseconds: on CLOCK_MONOTONIC as the kernel writes them,
 * since 1970 in captures and after the loader has converted them.
 */
struct event {
	__u64 time;	  /* of the banner's packet */
	__u64 start_time; /* of the SYN, or of the SYN-ACK if no SYN was seen */
	__u64 synack_time; /* of the SYN-ACK */
	__u64 connection;  /* flow_identify(); for a while no other has it */
	__u32 client[4];   /* address, network byte order; IPv4 in [0] */
	__u32 server[4];
	__u16 client_port; /* host byte order */
	__u16 server_port;
	__u32 len; /* payload bytes of the segment from the banner on, by the IP
		      header */
	__u32 kept;	/* bytes in banner[], at most BANNER_MAX */
	__u32 ifindex;	/* of the interface; 0 from a capture */
	__u32 rtt_us;	/* of the handshake; RTT_UNKNOWN */
	__u32 offset;	/* of banner[] in a greeting that is gathered */
	__u16 vlan[2];	/* VLAN IDs, outermost first */
	__u16 segments; /* that the greeting came in; 0: it was not gathered */
	__u8 vlan_count;
	__u8 family;	/* 4 or 6 */
	__u8 seen;	/* SEEN_...: the history before the banner */
	__u8 direction; /* enum direction */
	__u8 ttl;	/* of the banner's packet, or hop limit */
	__u8 part;	/* enum greeting_part */
	__u8 fin;	/* 1: the server's FIN is behind banner[] */
	__u8 server_mac[MAC_LENGTH]; /* of the sender on this link, the server
				      * or a router; all 0: not known */
	__u8 client_mac[MAC_LENGTH]; /* likewise, of the receiver */
	__u8 reserved[7];
	__u8 banner[];
};
_Static_assert(sizeof(struct event) == offsetof(struct event, banner),
	       "a banner follows what describes it");

/*
 * How many bytes of a banner of `len` are kept, that begins at `offset` of a
 * packet of which `at_hand` bytes can be read.
 */
static __always_inline __u32 bytes_to_keep(__u32 at_hand, __u32 offset,
					   __u32 len, __u32 limit)
{
	__u32 kept = offset < at_hand ? at_hand - offset : 0;

	if (kept > len)
		kept = len;
	return kept < limit ? kept : limit;
}

/* Copies an address of the link layer; all 0 where the frame has none. */
static __always_inline void describe_mac(__u8 mac[MAC_LENGTH],
					 const struct frame *frame, __u8 offset)
{
	const __u8 *from = frame_at(frame, offset, MAC_LENGTH);

	__builtin_memset(mac, 0, MAC_LENGTH);
	if (offset != MAC_NOT_TOLD && from)
		__builtin_memcpy(mac, from, MAC_LENGTH);
}

/* What counts a record that is lost since the ring buffer is full. */
static __always_inline enum counter lost_counter(const struct verdict *verdict)
{
	switch (verdict->part) {
	case PART_MORE:
		return COUNT_LOST_PART;
	case PART_END: /* the end is also found by a timeout */
		return COUNT_NOTHING;
	default:
		return COUNT_LOST_RING;
	}
}

/*
 * Fills all of a record but its interface, direction and banner bytes. Of one
 * that ends a greeting only the connection is of use.
 */
static __always_inline void
describe_banner(struct event *record, const struct flow *flow,
		const struct segment *segment, const struct frame *frame,
		const struct verdict *verdict, __u64 now)
{
	/* The server sends the banner: it is the segment's source. */
	__builtin_memcpy(record->server, segment->source, 16);
	__builtin_memcpy(record->client, segment->destination, 16);
	record->server_port = segment->source_port;
	record->client_port = segment->destination_port;
	record->time = now;
	record->start_time = flow->start_time;
	record->synack_time = flow->synack_time;
	record->len = segment->payload_len - verdict->skip;
	record->offset = verdict->offset;
	record->part = verdict->part;
	record->fin = !!(segment->flags & TCP_FIN);
	record->segments = 0;
	record->vlan[0] = segment->vlan[0];
	record->vlan[1] = segment->vlan[1];
	record->vlan_count = segment->vlan_count;
	record->family = segment->family;
	record->seen = flow->seen & SEEN_HISTORY;
	record->rtt_us = flow->seen & SEEN_RTT ? flow->rtt_us : RTT_UNKNOWN;
	record->ttl = segment->ttl;
	describe_mac(record->server_mac, frame, segment->source_mac);
	describe_mac(record->client_mac, frame, segment->destination_mac);
	__builtin_memset(record->reserved, 0, sizeof(record->reserved));
}

#endif
