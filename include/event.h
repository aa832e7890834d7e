/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An event, as the kernel or the capture reader hands it to the sinks: what one
 * side said at the beginning of a connection.
 */
#ifndef BANNERPROBE_EVENT_H
#define BANNERPROBE_EVENT_H

#include "platform.h"
#include "tracker.h"

#define BANNER_MAX 4096	   /* the most bytes of an event that can be kept */
#define SYN_DATA_MAX 2048  /* the most bytes of a SYN's data that are kept */
#define SYN_DATA_ROOM 1024 /* SYNs whose data waits for a SYN-ACK */
#define RTT_UNKNOWN 0xffffffff

/* The most ring buffers that events come through; a power of two. */
#define RINGS_MAX 8

/*
 * The local socket that sent the event's packet, where it is known and
 * track_options.sockets asks for it. Without that option it is not valid.
 */
struct event_socket {
	__u64 cookie; /* 0: no field is known */
	__u64 cgroup; /* cgroup v2 id; 0: not known */
	__u32 uid;
	__u16 port; /* local, host byte order: NAT may change the packet's */
	__u16 reserved;
};

enum direction {
	DIRECTION_NONE, /* not known, in a capture */
	DIRECTION_IN,	/* the event's packet arrived at this host */
	DIRECTION_OUT,	/* the event's packet left this host */
};

/*
 * The times are in nanoseconds: on CLOCK_MONOTONIC from the kernel; since 1970
 * from captures and once user space has converted them.
 */
struct event {
	__u64 time;	  /* of the event's packet */
	__u64 start_time; /* of the SYN, or of the SYN-ACK if no SYN was seen */
	__u64 synack_time; /* of the SYN-ACK */
	__u64 connection;  /* flow_identify() */
	__u32 client[4];   /* address, network byte order; IPv4 in [0] */
	__u32 server[4];
	__u16 client_port; /* host byte order */
	__u16 server_port;
	__u32 len;  /* original payload bytes of the segment from the event on,
		     * by the IP header */
	__u32 kept; /* captured: bytes in bytes[], at most BANNER_MAX */
	__u32 ifindex;	/* of the interface; 0 in a capture */
	__u32 rtt_us;	/* of the handshake, or RTT_UNKNOWN */
	__u32 offset;	/* of bytes[] in an event of several segments */
	__u32 spoke_us; /* 1 + microseconds from the SYN-ACK to the other side's
			 * first bytes, or SPOKE_IN_SYN; 0: these were not seen
			 */
	__u16 vlan[2];	/* VLAN IDs, outermost first */
	__u16 segments; /* how many the event came in; 0: not reassembled */
	__u8 vlan_count;
	__u8 family;	/* 4 or 6 */
	__u8 seen;	/* SEEN_...: the history before the event */
	__u8 direction; /* enum direction */
	__u8 ttl;	/* or hop limit, of the event's packet */
	__u8 part;	/* enum event_part */
	__u8 fin;	/* 1: a FIN of the sender follows bytes[] */
	__u8 kind;	/* enum event_kind */
	__u8 server_mac[MAC_LENGTH]; /* of the sender or receiver on this link,
				      * the server or a router; all 0: not
				      * known */
	__u8 client_mac[MAC_LENGTH]; /* likewise */
	__u8 crossed;		     /* 1: neither side had received anything */
	__u8 sides_seen;   /* EVENT_CLIENT_DATA ...: payload before the event */
	__u8 tunnel_count; /* around the event's packet */
	__u8 reserved[5];
	__u16 tunnels_at; /* where event_tunnels() are in bytes[] */
	__u32 isn[2];	  /* initial sequence numbers, by enum side_name */
	struct event_socket socket;
	__u8 bytes[];
};
_Static_assert(sizeof(struct event) == offsetof(struct event, bytes),
	       "the bytes follow what describes them");

/*
 * What bytes[] has room for: the bytes of an event and, behind them, the layers
 * of tunnels, where there are any.
 */
#define EVENT_ROOM (BANNER_MAX + TUNNELS_MAX * sizeof(struct tunnel))

/* The same for a SYN's data. */
#define SYN_DATA_ROOM_MAX (SYN_DATA_MAX + TUNNELS_MAX * sizeof(struct tunnel))

/*
 * The tunnels around an event's packet, outermost first; tunnel_count of them.
 */
static __always_inline const struct tunnel *
event_tunnels(const struct event *event)
{
	return (const void *)(event->bytes + event->tunnels_at);
}

/* The size of an event in bytes, with its own bytes and its tunnels. */
static __always_inline __u32 event_size(const struct event *event)
{
	const __u32 tunnels = event->tunnel_count * sizeof(struct tunnel);

	return (__u32)sizeof(*event) +
	       (tunnels ? event->tunnels_at + tunnels : event->kept);
}

/* Zeroes the bytes between the kept bytes and the tunnels behind them. */
static __always_inline void clear_padding(struct event *event, __u32 kept)
{
	__u32 at = kept & ~7U;

	OPAQUE(at); /* checked and used as one value */
	if (at <= BANNER_MAX)
		__builtin_memset(event->bytes + at, 0, 8);
}

/*
 * Places the tunnels of a segment behind the bytes that are kept of an event.
 * Without any, nothing is written.
 */
static __always_inline void describe_tunnels(struct event *event,
					     const struct segment *segment)
{
	__u32 at = (event->kept + 7) & ~7U;
	struct tunnel *to;

	event->tunnel_count = 0;
	OPAQUE(at); /* checked and used as one value */
	if (at > BANNER_MAX)
		return;
	event->tunnels_at = (__u16)at;
	to = (void *)(event->bytes + at);
#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < TUNNELS_MAX; i++) {
		if (i < segment->tunnel_count)
			to[i] = segment->tunnels[i];
	}
	event->tunnel_count = segment->tunnel_count;
}

enum {
	EVENT_CLIENT_DATA = 1 << 0,
	EVENT_SERVER_DATA = 1 << 1,
};

/*
 * How many bytes are kept of an event of `len` bytes that begins at `offset` of
 * a packet of which `at_hand` bytes can be read.
 */
static __always_inline __u32 bytes_to_keep(__u32 at_hand, __u32 offset,
					   __u32 len, __u32 limit)
{
	__u32 kept = offset < at_hand ? at_hand - offset : 0;

	if (kept > len)
		kept = len;
	return kept < limit ? kept : limit;
}

_Static_assert(offsetof(struct event, server_mac) % 2 == 0 &&
		       MAC_NOT_TOLD > HEADERS_MAX,
	       "describe_mac() relies on both");

/*
 * Copies a link-layer address; all 0 where the frame has none. By words in a
 * BPF program, where the compiler would copy bytes.
 */
static __always_inline void
describe_mac(__u8 mac[MAC_LENGTH], const struct frame *frame, __u16 offset)
{
	const __u8 *from = frame_at(frame, offset, MAC_LENGTH);

	if (!from) {
		__builtin_memset(mac, 0, MAC_LENGTH);
		return;
	}
#ifdef __bpf__
	for (int i = 0; i < MAC_LENGTH / 2; i++)
		((__u16 *)mac)[i] = ((const __u16 *)from)[i];
#else
	memcpy(mac, from, MAC_LENGTH);
#endif
}

/* The counter for an event that is lost because the ring buffer is full. */
static __always_inline enum counter lost_counter(__u8 part)
{
	switch (part) {
	case PART_MORE:
		return COUNT_LOST_PART;
	case PART_END: /* no loss: a timeout finds the end, too */
		return COUNT_NOTHING;
	default:
		return COUNT_LOST_RING;
	}
}

_Static_assert(offsetof(struct event, client) % 8 == 0 &&
		       offsetof(struct event, server) % 8 == 0 &&
		       _Alignof(struct segment) == 8 &&
		       offsetof(struct segment, source) % 8 == 0 &&
		       offsetof(struct segment, destination) % 8 == 0,
	       "describe_address() relies on it");

/* The address of an end of the segment; both begin at a word of 8 bytes. */
static __always_inline void describe_address(__u32 to[4], const __u32 from[4])
{
	__builtin_memcpy(__builtin_assume_aligned(to, 8),
			 __builtin_assume_aligned(from, 8), 16);
}

/* `mac`: where the link-layer address is in the frame. */
static __always_inline void describe_server(struct event *event,
					    const __u32 address[4], __u16 port,
					    const struct frame *frame,
					    __u16 mac)
{
	describe_address(event->server, address);
	event->server_port = port;
	describe_mac(event->server_mac, frame, mac);
}

static __always_inline void describe_client(struct event *event,
					    const __u32 address[4], __u16 port,
					    const struct frame *frame,
					    __u16 mac)
{
	describe_address(event->client, address);
	event->client_port = port;
	describe_mac(event->client_mac, frame, mac);
}

/* Notes which end of the segment is the server, and which the client. */
static __always_inline void describe_ends(struct event *event,
					  const struct segment *segment,
					  const struct frame *frame,
					  bool from_server)
{
	if (from_server) {
		describe_server(event, segment->source, segment->source_port,
				frame, segment->source_mac);
		describe_client(event, segment->destination,
				segment->destination_port, frame,
				segment->destination_mac);
	} else {
		describe_client(event, segment->source, segment->source_port,
				frame, segment->source_mac);
		describe_server(event, segment->destination,
				segment->destination_port, frame,
				segment->destination_mac);
	}
}

/* Notes what was seen of the connection before the event, and when. */
static __always_inline void describe_history(struct event *event,
					     const struct flow *flow)
{
	const bool from_client = event_origin(event->kind) == CLIENT;
	const enum side_name other = from_client ? SERVER : CLIENT;

	event->start_time = flow->start_time;
	event->synack_time = flow->synack_time;
	event->isn[CLIENT] = flow->sides[CLIENT].isn;
	event->isn[SERVER] = flow->sides[SERVER].isn;
	event->rtt_us = flow->seen & SEEN_RTT ? flow->rtt_us : RTT_UNKNOWN;
	event->seen = flow->seen & SEEN_HISTORY;
	event->sides_seen = 0;
	event->spoke_us = 0;
	if (event->kind == EVENT_BANNER)
		return;
	if (flow->seen & SIDE_DATA << other)
		event->sides_seen =
			from_client ? EVENT_SERVER_DATA : EVENT_CLIENT_DATA;
	/* The data of the event's own segment is not before it; a SYN's is. */
	if (event->kind == EVENT_OPEN && flow->spoke_us == SPOKE_IN_SYN)
		event->sides_seen |= EVENT_CLIENT_DATA;
	if (event->kind != EVENT_REQUEST && flow->seen & SIDE_DONE << other)
		event->spoke_us = flow->spoke_us;
}

/*
 * Fills in an event, except for the connection's id, the interface, the
 * direction and the bytes. In a PART_END event only the connection and the kind
 * have a meaning.
 */
static __always_inline void
describe_event(struct event *event, enum event_kind kind,
	       const struct flow *flow, const struct segment *segment,
	       const struct frame *frame, const struct verdict *verdict,
	       __u64 now)
{
	event->kind = (__u8)kind;
	describe_ends(event, segment, frame, verdict->sender == SERVER);
	describe_history(event, flow);
	/* The FIN of the segment itself is not before the event. */
	event->seen &= (__u8) ~(verdict->closes * SEEN_CLIENT_FIN);
	event->time = now;
	event->len =
		kind == EVENT_OPEN ? 0 : segment->payload_len - verdict->skip;
	event->offset = verdict->offset;
	event->part = verdict->part;
	event->fin = !!(segment->flags & TCP_FIN);
	event->crossed = kind != EVENT_OPEN && verdict->crossed;
	event->segments = 0;
	event->vlan[0] = segment->vlan[0];
	event->vlan[1] = segment->vlan[1];
	event->vlan_count = segment->vlan_count;
	event->family = segment->family;
	event->tunnel_count = 0;
	__builtin_memset(event->reserved, 0, sizeof(event->reserved));
	event->tunnels_at = 0;
	event->ttl = segment->ttl;
}

#endif
