/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the bytes of a packet to a TCP segment. Portable C without a helper
 * call: the BPF programs, the capture reader, the tests and the fuzzers
 * compile this very file.
 *
 * Nothing in a packet is believed before it is checked: each header is read
 * only after a bounds check, each loop is capped, each length is held against
 * the one around it. Checksums are not verified (offloads leave them open).
 */
#ifndef BANNERPROBE_SEGMENT_H
#define BANNERPROBE_SEGMENT_H

#include "platform.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_8021Q 0x8100
#define ETHERTYPE_8021AD 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100 /* before 802.1ad, still in use */
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE 0x8864 /* its sessions, which carry packets */
#define ETHERTYPE_MIN 0x0600   /* less is the length of an IEEE 802.3 frame */

#define VLAN_DEPTH_MAX 2 /* tags, the hardware-stripped one included */
#define VLAN_ID_MASK 0x0fff
#define IPV6_EXTENSIONS_MAX                                                    \
	8 /* headers in a chain; RFC 8504, 5.3 allows a limit */

/*
 * Headers that lie further into a packet are not looked for. Also the bound
 * by which the verifier knows that an offset is small.
 */
#define HEADERS_MAX 4096

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* IP protocol and IPv6 extension header numbers (IANA). */
#define PROTO_HOPOPTS 0
#define PROTO_IPIP 4
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_IPV6 41
#define PROTO_ROUTING 43
#define PROTO_FRAGMENT 44
#define PROTO_GRE 47
#define PROTO_AUTH 51
#define PROTO_ICMPV6 58
#define PROTO_DSTOPTS 60

/* A packet, or as much of it as is at hand. */
struct frame {
	const __u8 *data; /* its first byte */
	const __u8 *end;  /* one past its last byte at hand */
	__u32 wire_len;	  /* bytes that it had on the wire, from data on */
};

#define MAC_LENGTH 6	  /* bytes */
#define MAC_NOT_TOLD 0xff /* as an offset */

/* What the core has to know of a TCP segment. */
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
	__u16 vlan[VLAN_DEPTH_MAX]; /* VLAN IDs, outermost first */
	__u8 vlan_count;
	__u8 flags;	 /* TCP_FIN ... */
	__u8 family;	 /* 4 or 6 */
	__u8 ttl;	 /* or hop limit, as the packet has it here */
	__u8 source_mac; /* bytes from the start of the frame to the address of
			  * its sender on this link; or MAC_NOT_TOLD */
	__u8 destination_mac; /* likewise, of its receiver */
	bool to_end; /* no IP header tells payload_len: the frame's length does
		      */
};

/*
 * To be called before a packet is parsed. A caller that knows of a tag which
 * the hardware has stripped adds it then.
 */
static __always_inline void segment_reset(struct segment *segment)
{
	segment->vlan[0] = segment->vlan[1] = 0;
	segment->vlan_count = 0;
	segment->source_mac = segment->destination_mac = MAC_NOT_TOLD;
}

enum parse_result {
	PARSED,
	PARSE_NOT_TCP,	 /* another protocol */
	PARSE_UDP,	 /* payload_offset is where its header begins */
	PARSE_FRAGMENT,	 /* a fragment without the whole TCP header */
	PARSE_MALFORMED, /* headers that contradict each other or the packet */
	PARSE_CUT,	 /* headers beyond the bytes at hand, or HEADERS_MAX */
	/* What may carry TCP and is not opened: counters.h has each, too. */
	PARSE_PPPOE,
	PARSE_MPLS,
	PARSE_GRE,
	PARSE_IP_IN_IP,
	PARSE_THIRD_TAG, /* a VLAN tag behind VLAN_DEPTH_MAX others */
	PARSE_LLC,	 /* LLC without SNAP, or SNAP without an EtherType */
	/* Of these, only captures tell. */
	PARSE_VXLAN,
	PARSE_GENEVE,
	PARSE_WIFI_PROTECTED, /* IEEE 802.11 data, encrypted */
	PARSE_WIFI_AMSDU,     /* several IEEE 802.11 frames in one */
	PARSE_LINK_TYPE,      /* a link type that is not known */
	PARSE_RESULTS,
	PARSE_FIRST_NOT_OPENED = PARSE_PPPOE,
};

/* `size` bytes at `offset`, or NULL where they are not at hand. */
static __always_inline const void *frame_at(const struct frame *frame,
					    __u64 offset, __u32 size)
{
	if (offset > HEADERS_MAX)
		return NULL;
	if (frame->data + offset + size > frame->end)
		return NULL;
	return frame->data + offset;
}

/* Why a header of `size` bytes at `offset` is not at hand. */
static __always_inline enum parse_result frame_short(const struct frame *frame,
						     __u64 offset, __u32 size)
{
	return offset + size <= frame->wire_len ? PARSE_CUT : PARSE_MALFORMED;
}

/* The TCP header, at `offset`; `ip_end` is the end of the IP packet. */
static __always_inline enum parse_result parse_tcp(const struct frame *frame,
						   __u64 offset, __u64 ip_end,
						   bool fragment,
						   struct segment *segment)
{
	const struct tcphdr *tcp;
	const __u8 *bytes;
	__u32 header_len;
	__u32 flags;

	if (ip_end < offset + sizeof(*tcp))
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
	OPAQUE(flags); /* read here, where the verifier knows the bounds */
	segment->flags = (__u8)flags;
	segment->payload_offset = (__u32)(offset + header_len);
	segment->payload_len = (__u32)(ip_end - offset - header_len);
	return PARSED;
}

/* IP protocols that carry IP packets. */
static __always_inline bool protocol_is_tunnel(__u8 protocol)
{
	return protocol == PROTO_GRE || protocol == PROTO_IPIP ||
	       protocol == PROTO_IPV6;
}

/* Of an IP packet without TCP; its payload is at `offset`. */
static __always_inline enum parse_result
parse_other_protocol(__u8 protocol, __u64 offset, struct segment *segment)
{
	if (protocol == PROTO_UDP) {
		segment->payload_offset = (__u32)offset;
		return PARSE_UDP;
	}
	if (!protocol_is_tunnel(protocol))
		return PARSE_NOT_TCP;
	return protocol == PROTO_GRE ? PARSE_GRE : PARSE_IP_IN_IP;
}

static __always_inline enum parse_result
parse_ipv4(const struct frame *frame, __u64 offset, struct segment *segment)
{
	const struct iphdr *ip = frame_at(frame, offset, sizeof(*ip));
	__u32 header_len, total_len;
	__u16 fragment;
	__u8 first;

	if (!ip)
		return frame_short(frame, offset, sizeof(*ip));
	first = *(const __u8 *)ip;
	header_len = (__u32)(first & 0x0f) * 4;
	if (first >> 4 != 4 || header_len < sizeof(*ip))
		return PARSE_MALFORMED;
	if (READ_FIELD(ip, protocol) != PROTO_TCP)
		return parse_other_protocol(READ_FIELD(ip, protocol),
					    offset + header_len, segment);

	/* 0: segmentation offload of more than 64 KiB (BIG TCP, Linux 6.3). */
	total_len = bpf_ntohs(READ_FIELD(ip, tot_len));
	segment->to_end = !total_len;
	if (!total_len)
		total_len = frame->wire_len - (__u32)offset;
	if (total_len < header_len || offset + total_len > frame->wire_len)
		return PARSE_MALFORMED;

	fragment = bpf_ntohs(READ_FIELD(ip, frag_off));
	if (fragment & 0x1fff)
		return PARSE_FRAGMENT;

	segment->family = 4;
	segment->ttl = READ_FIELD(ip, ttl);
	segment->source[0] = READ_FIELD(ip, saddr);
	segment->source[1] = segment->source[2] = segment->source[3] = 0;
	segment->destination[0] = READ_FIELD(ip, daddr);
	segment->destination[1] = segment->destination[2] =
		segment->destination[3] = 0;
	return parse_tcp(frame, offset + header_len, offset + total_len,
			 fragment & 0x2000, segment);
}

/* The part of an IPv6 extension header that is read. */
struct ipv6_extension {
	__u8 next_header;
	__u8 len;	 /* unit and bias depend on the kind */
	__be16 frag_off; /* fragment header only: offset in the upper 13 bits */
};

/*
 * Walks the extension headers from `*offset` on, of which the first is of the
 * kind `next_header`. PARSED: *offset is where the TCP header begins.
 */
static __always_inline enum parse_result
skip_ipv6_extensions(const struct frame *frame, __u8 next_header, __u64 *offset,
		     bool *fragment, struct segment *segment)
{
	const struct ipv6_extension *extension;
	const __u8 *next;
	__u32 len;

#ifdef __bpf__
#pragma clang loop unroll(disable)
#endif
	for (int i = 0; i <= IPV6_EXTENSIONS_MAX; i++) {
		if (next_header == PROTO_TCP)
			return PARSED;
		if (next_header != PROTO_HOPOPTS &&
		    next_header != PROTO_ROUTING &&
		    next_header != PROTO_DSTOPTS && next_header != PROTO_AUTH &&
		    next_header != PROTO_FRAGMENT)
			return parse_other_protocol(next_header, *offset,
						    segment);

		/* The shortest extension header has 8 bytes. */
		extension = frame_at(frame, *offset, 8);
		if (!extension)
			return frame_short(frame, *offset, 8);

		len = ((__u32)READ_FIELD(extension, len) + 1) *
		      8; /* RFC 8200, 4 */
		if (next_header == PROTO_FRAGMENT) {
			if (bpf_ntohs(READ_FIELD(extension, frag_off)) & 0xfff8)
				return PARSE_FRAGMENT;
			*fragment = true;
			len = 8;
		} else if (next_header == PROTO_AUTH) { /* RFC 4302, 2.2 */
			len = ((__u32)READ_FIELD(extension, len) + 2) * 4;
		}
		/*
		 * The next offset as a difference of pointers, of which the
		 * verifier knows nothing: so it need not follow each length
		 * that each header can have through all that comes after.
		 */
		next = (const __u8 *)extension + len;
		OPAQUE(next);
		*offset = (__u64)(next - frame->data);
		next_header = READ_FIELD(extension, next_header);
	}
	return PARSE_NOT_TCP;
}

/*
 * The addresses of an IPv6 header: by words in a BPF program, where the
 * compiler would copy bytes.
 */
static __always_inline void read_ipv6_addresses(const struct ipv6hdr *ip,
						__u32 source[4],
						__u32 destination[4])
{
	const __u8 *from = (const __u8 *)ip + offsetof(struct ipv6hdr, saddr);

#ifdef __bpf__
	for (int i = 0; i < 4; i++) {
		source[i] = ((const __u32 *)from)[i];
		destination[i] = ((const __u32 *)from)[4 + i];
	}
#else
	memcpy(source, from, 16);
	memcpy(destination, from + 16, 16);
#endif
}

static __always_inline enum parse_result
parse_ipv6(const struct frame *frame, __u64 offset, struct segment *segment)
{
	const struct ipv6hdr *ip = frame_at(frame, offset, sizeof(*ip));
	enum parse_result result;
	bool fragment = false;
	__u64 ip_end;
	__u32 payload_len;

	if (!ip)
		return frame_short(frame, offset, sizeof(*ip));
	if (*(const __u8 *)ip >> 4 != 6)
		return PARSE_MALFORMED;

	/* 0: a jumbogram (RFC 2675) or BIG TCP (Linux 5.19). */
	payload_len = bpf_ntohs(READ_FIELD(ip, payload_len));
	segment->to_end = !payload_len;
	ip_end = payload_len ? offset + sizeof(*ip) + payload_len :
			       frame->wire_len;
	if (ip_end > frame->wire_len)
		return PARSE_MALFORMED;

	read_ipv6_addresses(ip, segment->source, segment->destination);
	segment->family = 6;
	segment->ttl = READ_FIELD(ip, hop_limit);
	offset += sizeof(*ip);
	result = skip_ipv6_extensions(frame, READ_FIELD(ip, nexthdr), &offset,
				      &fragment, segment);
	if (result != PARSED)
		return result;
	return parse_tcp(frame, offset, ip_end, fragment, segment);
}

struct vlan_tag {
	__be16 tci; /* priority, drop eligibility, and the VLAN ID in 12 bits */
	__be16 ethertype;
};

/* Of an EtherType that is neither IP nor one of the first two tags. */
static __always_inline enum parse_result parse_other_ethertype(__u16 ethertype)
{
	switch (ethertype) {
	case ETHERTYPE_8021Q:
	case ETHERTYPE_8021AD:
	case ETHERTYPE_QINQ_OLD:
		return PARSE_THIRD_TAG;
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		return PARSE_MPLS;
	case ETHERTYPE_PPPOE:
		return PARSE_PPPOE;
	default:
		return PARSE_NOT_TCP;
	}
}

/*
 * Parses what follows an EtherType: tags, then IP. A tag that the caller knows
 * already (stripped by the hardware) stands in segment->vlan.
 */
static __always_inline enum parse_result
parse_ethertype(const struct frame *frame, __u64 offset, __u16 ethertype,
		struct segment *segment)
{
#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < VLAN_DEPTH_MAX; i++) {
		const struct vlan_tag *tag;
		__u16 id;

		if (ethertype != ETHERTYPE_8021Q &&
		    ethertype != ETHERTYPE_8021AD &&
		    ethertype != ETHERTYPE_QINQ_OLD)
			break;
		if (segment->vlan_count >= VLAN_DEPTH_MAX)
			return PARSE_THIRD_TAG;
		tag = frame_at(frame, offset, sizeof(*tag));
		if (!tag)
			return frame_short(frame, offset, sizeof(*tag));
		/* Not vlan[vlan_count]: no variable index for the verifier. */
		id = bpf_ntohs(READ_FIELD(tag, tci)) & VLAN_ID_MASK;
		if (segment->vlan_count == 0)
			segment->vlan[0] = id;
		else
			segment->vlan[1] = id;
		segment->vlan_count++;
		ethertype = bpf_ntohs(READ_FIELD(tag, ethertype));
		offset += sizeof(*tag);
	}
	if (ethertype == ETHERTYPE_IPV4)
		return parse_ipv4(frame, offset, segment);
	if (ethertype == ETHERTYPE_IPV6)
		return parse_ipv6(frame, offset, segment);
	return parse_other_ethertype(ethertype);
}

#define LLC_SNAP_LENGTH 8

/*
 * Skips an LLC header with SNAP, at `*offset`, if the EtherType behind it is
 * one: then *ethertype is, and PARSED is returned.
 */
static __always_inline enum parse_result
skip_llc(const struct frame *frame, __u64 *offset, __u16 *ethertype)
{
	const __u8 *llc = frame_at(frame, *offset, LLC_SNAP_LENGTH);

	if (!llc) /* the shortest that there is has three bytes */
		return *offset + LLC_SNAP_LENGTH <= frame->wire_len ?
			       PARSE_CUT :
			       PARSE_LLC;
	/* SNAP, unnumbered information, and no organization: RFC 1042. */
	if (llc[0] != 0xaa || llc[1] != 0xaa || llc[2] != 0x03 ||
	    llc[3] | llc[4] | llc[5])
		return PARSE_LLC;
	*ethertype = (__u16)(llc[6] << 8 | llc[7]);
	llc += LLC_SNAP_LENGTH;
	OPAQUE(llc); /* see skip_ipv6_extensions() */
	*offset = (__u64)(llc - frame->data);
	return PARSED;
}

/* Parses a packet that begins with an Ethernet header. */
static __always_inline enum parse_result
parse_ethernet(const struct frame *frame, struct segment *segment)
{
	const struct ethhdr *ethernet = frame_at(frame, 0, sizeof(*ethernet));
	__u64 offset = sizeof(*ethernet);
	enum parse_result result;
	__u16 ethertype;

	if (!ethernet)
		return frame_short(frame, 0, sizeof(*ethernet));
	segment->destination_mac = offsetof(struct ethhdr, h_dest);
	segment->source_mac = offsetof(struct ethhdr, h_source);
	ethertype = bpf_ntohs(READ_FIELD(ethernet, h_proto));
	if (ethertype < ETHERTYPE_MIN) {
		result = skip_llc(frame, &offset, &ethertype);
		if (result != PARSED)
			return result;
	}
	return parse_ethertype(frame, offset, ethertype, segment);
}

/* Parses a packet that has IP at `offset`; its version is in the first byte. */
static __always_inline enum parse_result
parse_ip(const struct frame *frame, __u64 offset, struct segment *segment)
{
	const __u8 *first = frame_at(frame, offset, 1);

	if (!first)
		return frame_short(frame, offset, 1);
	if (*first >> 4 == 4)
		return parse_ipv4(frame, offset, segment);
	if (*first >> 4 == 6)
		return parse_ipv6(frame, offset, segment);
	return PARSE_NOT_TCP;
}

#endif
