/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The last part of the walk from the bytes of a packet to a TCP segment: the
 * TCP header, and what all parts share. ip.h and layers.h are the parts before
 * it. Portable C without a helper call: the BPF programs, the capture reader,
 * the tests and the fuzzers compile this file.
 *
 * Nothing in a packet is trusted before it is checked: each header is read only
 * after a bounds check, each loop is capped, and each length is compared with
 * the one around it. Checksums are not verified (offloads leave them open).
 */
#ifndef BANNERPROBE_SEGMENT_H
#define BANNERPROBE_SEGMENT_H

#include "platform.h"
#include "tunnel.h"

#define VLAN_DEPTH_MAX 2 /* tags, the hardware-stripped one included */

/*
 * Headers beyond this offset are not read. The verifier also takes it as the
 * bound of offsets.
 */
#define HEADERS_MAX 4096

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* A packet, as far as it is at hand. */
struct frame {
	const __u8 *data; /* its first byte */
	const __u8 *end;  /* one past its last byte at hand */
	__u32 wire_len;	  /* original bytes, on the wire, from data on */
	/* For the inside of a tunnel, which does not begin at `data`: */
	bool is_inner; /* inside of a tunnel: no byte beyond wire_len is read */
	__u32 limit;   /* a length that ends beyond is malformed; 0: wire_len */
};

/*
 * For `limit`: a packet inside of a tunnel over IP may be cut, by a mirror for
 * instance, so its lengths may end beyond the outer packet.
 */
#define LIMIT_NONE 0xffffffff

static __always_inline __u32 frame_limit(const struct frame *frame)
{
	return frame->limit ? frame->limit : frame->wire_len;
}

#define MAC_LENGTH 6	    /* bytes */
#define MAC_NOT_TOLD 0xffff /* as an offset */

/* What the core needs to know about a TCP segment. */
struct segment {
	__u32 source[4]; /* address, network byte order; IPv4 in [0], rest 0 */
	__u32 destination[4]; /* likewise */
	__u16 source_port;    /* host byte order, as all numbers from here on */
	__u16 destination_port;
	__u32 seq;
	__u32 ack;
	__u32 payload_offset; /* bytes from the start of the frame */
	__u32 payload_len; /* bytes, by the IP header; may exceed those at hand
			    */
	__u8 flags;	   /* TCP_FIN ... */
	__u8 family;	   /* 4 or 6 */
	__u8 ttl;	   /* or hop limit, as the packet has it here */
	__u16 source_mac; /* bytes from the start of the frame to the address of
			   * its sender on this link; or MAC_NOT_TOLD */
	__u16 destination_mac; /* likewise, of its receiver */
	__be16 inside;	       /* EtherType of what is at payload_offset, of a
				* packet that carries a tunnel */

	/* From here on up to the tunnels segment_reset() clears, by words. */
	__u16 vlan[VLAN_DEPTH_MAX]
		__attribute__((aligned(8))); /* VLAN IDs, outermost first */
	__u8 vlan_count;
	bool to_end; /* no IP header has the length; the frame's length is used
		      */
	bool negotiates; /* the payload is telnet's negotiation alone: see
			  * engine_note_negotiation() */

	/*
	 * Of the packet that carries a tunnel; offsets are from the start of
	 * the frame.
	 */
	bool is_fragment;  /* the packet is a fragment */
	bool is_later;	   /* and not the first one */
	__u8 protocol;	   /* in the IP packet */
	__u8 tunnel_count; /* opened tunnels */
	__u32 ip_end;	   /* of the IP packet, by its header */
	__u32 bytes_end;   /* of the innermost tunnel's content; 0: no tunnel */
	__u32 limit;	   /* of that content, as in struct frame */
	struct tunnel tunnels[TUNNELS_MAX]; /* outermost first */
};

/*
 * Called before a packet is parsed. A caller that knows a tag which the
 * hardware has stripped adds it afterwards.
 */
static __always_inline void segment_reset(struct segment *segment)
{
	__builtin_memset(segment->vlan, 0,
			 offsetof(struct segment, tunnels) -
				 offsetof(struct segment, vlan));
	segment->source_mac = segment->destination_mac = MAC_NOT_TOLD;
}

/* The result of a walk over the headers of a packet. */
enum parse_result {
	PARSED,
	PARSE_NOT_TCP,	 /* another protocol */
	PARSE_UDP,	 /* payload_offset is where its header begins */
	PARSE_FRAGMENT,	 /* a fragment without the whole TCP header */
	PARSE_MALFORMED, /* lengths contradict each other or the packet's */
	PARSE_CUT,	 /* headers beyond the bytes at hand, or HEADERS_MAX */
	PARSE_NOT_PLAIN, /* WALK_WHOLE has to decide */
	/*
	 * Encapsulations that may carry TCP and are not opened; each is in
	 * counters.h, too.
	 */
	PARSE_PPPOE,
	PARSE_MPLS,
	PARSE_GRE,
	PARSE_IP_IN_IP,
	PARSE_THIRD_TAG, /* a VLAN tag behind VLAN_DEPTH_MAX others */
	PARSE_LLC,	 /* LLC without SNAP, or SNAP without an EtherType */
	/* On interfaces only if --decap opens one of these two: */
	PARSE_VXLAN,
	PARSE_GENEVE,
	/* Only in captures: */
	PARSE_WIFI_PROTECTED, /* IEEE 802.11 data, encrypted */
	PARSE_WIFI_AMSDU,     /* several IEEE 802.11 frames in one */
	PARSE_GTP,	      /* user/capture/other_tunnels.h has these four */
	PARSE_L2TP,
	PARSE_TEREDO,
	PARSE_IPSEC,
	PARSE_LINK_TYPE, /* a link type that is not known */
	PARSE_RESULTS,
	PARSE_FIRST_NOT_OPENED = PARSE_PPPOE,
};

/*
 * How much a walk reads. A constant where a walk is called: each function is
 * compiled for either.
 */
enum walk {
	WALK_PLAIN, /* stops at what few packets have: PARSE_NOT_PLAIN */
	WALK_SHORT, /* the same, but a SYN, FIN or RST is plain, too */
	WALK_WHOLE, /* everything */
};

/* `size` bytes at `offset`, or NULL where they are not at hand. */
static __always_inline const void *frame_at(const struct frame *frame,
					    __u64 offset, __u32 size)
{
	const __u8 *at;

	/*
	 * The compiler must use the checked offset: before Linux 5.16 the
	 * verifier forgets the bounds of a number that is kept on the stack.
	 */
	if (frame->is_inner || !__builtin_constant_p(offset))
		OPAQUE(offset);
	if (offset > HEADERS_MAX)
		return NULL;
	if (frame->is_inner && offset + size > frame->wire_len)
		return NULL;
	at = frame->data + offset;
	if (frame->is_inner) /* and the checked address */
		OPAQUE(at);
	return at + size <= frame->end ? at : NULL;
}

/*
 * The offset of an address: as a difference of pointers, about which the
 * verifier knows nothing. So it follows what comes later once, and not for each
 * length of the headers before.
 */
static __always_inline __u64 frame_offset(const struct frame *frame,
					  const __u8 *at)
{
	OPAQUE(at);
	return (__u64)(at - frame->data);
}

/* Why a header of `size` bytes at `offset` is not at hand. */
static __always_inline enum parse_result frame_short(const struct frame *frame,
						     __u64 offset, __u32 size)
{
	return offset + size <= frame_limit(frame) ? PARSE_CUT :
						     PARSE_MALFORMED;
}

/* The TCP header, at `offset`; `ip_end` is the end of the IP packet. */
static __always_inline enum parse_result walk_tcp(const struct frame *frame,
						  __u64 offset, __u64 ip_end,
						  bool fragment, enum walk walk,
						  struct segment *segment)
{
	const struct tcphdr *tcp;
	const __u8 *bytes;
	__u32 header_len;
	__u32 flags;

	/*
	 * In a plain packet the TCP header is known to be at hand, so the check
	 * of its length below is enough.
	 */
	if (walk == WALK_WHOLE && ip_end < offset + sizeof(*tcp))
		return fragment ? PARSE_FRAGMENT : PARSE_MALFORMED;
	tcp = frame_at(frame, offset, sizeof(*tcp));
	if (!tcp)
		return frame_short(frame, offset, sizeof(*tcp));
	bytes = (const __u8 *)tcp;

	header_len = (__u32)(bytes[12] >> 4) * 4;
	if (header_len < sizeof(*tcp))
		return PARSE_MALFORMED;
	if (ip_end < offset + header_len)
		return fragment ? PARSE_FRAGMENT : PARSE_MALFORMED;

	segment->source_port = bpf_ntohs(READ_FIELD(tcp, source));
	segment->destination_port = bpf_ntohs(READ_FIELD(tcp, dest));
	segment->seq = bpf_ntohl(READ_FIELD(tcp, seq));
	segment->ack = bpf_ntohl(READ_FIELD(tcp, ack_seq));
	flags = bytes[13];
	if (walk == WALK_PLAIN && flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return PARSE_NOT_PLAIN;
	if (walk == WALK_WHOLE)
		OPAQUE(flags); /* read here, where the bounds are known */
	segment->flags = (__u8)flags;
	segment->payload_offset = (__u32)(offset + header_len);
	segment->payload_len = (__u32)(ip_end - offset - header_len);
	return PARSED;
}

#endif
