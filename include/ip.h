/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The IPv4 and IPv6 part of the walk over a packet's headers. Portable C
 * without a helper call, like segment.h, which follows.
 */
#ifndef BANNERPROBE_IP_H
#define BANNERPROBE_IP_H

#include "platform.h"
#include "segment.h"

#define IPV6_EXTENSIONS_MAX                                                    \
	8 /* headers in a chain; RFC 8504, 5.3 allows a limit */

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

/* IP protocols that carry IP packets. */
static __always_inline bool protocol_is_tunnel(__u8 protocol)
{
	return protocol == PROTO_GRE || protocol == PROTO_IPIP ||
	       protocol == PROTO_IPV6;
}

/* The result for an IP packet without TCP; its payload is at `offset`. */
static __always_inline enum parse_result
other_protocol(__u8 protocol, __u64 offset, struct segment *segment)
{
	segment->payload_offset = (__u32)offset;
	segment->protocol = protocol;
	if (protocol == PROTO_UDP)
		return PARSE_UDP;
	if (!protocol_is_tunnel(protocol))
		return PARSE_NOT_TCP;
	return protocol == PROTO_GRE ? PARSE_GRE : PARSE_IP_IN_IP;
}

/*
 * An IP header of `size` bytes, or NULL. In a plain packet a TCP header has to
 * follow within the bytes at hand, so one comparison serves both.
 */
static __always_inline const void *ip_header_at(const struct frame *frame,
						__u64 offset, __u32 size,
						enum walk walk)
{
	return frame_at(frame, offset,
			walk != WALK_WHOLE ? size + sizeof(struct tcphdr) :
					     size);
}

/* The part of an IPv6 extension header that is read. */
struct ipv6_extension {
	__u8 next_header;
	__u8 len;	 /* unit and bias depend on the kind */
	__be16 frag_off; /* fragment header only: offset in the upper 13 bits */
};

/* The extension headers that are skipped, by their numbers. */
#define IPV6_EXTENSIONS                                                        \
	(1ULL << PROTO_HOPOPTS | 1ULL << PROTO_ROUTING |                       \
	 1ULL << PROTO_FRAGMENT | 1ULL << PROTO_AUTH | 1ULL << PROTO_DSTOPTS)

static __always_inline bool is_ipv6_extension(__u8 next_header)
{
	return next_header < 64 && IPV6_EXTENSIONS >> next_header & 1;
}

/* 1 or 0; next_header: of an extension header. */
static __always_inline __u32 is_ipv6_fragment(__u8 next_header)
{
	return 1ULL << PROTO_FRAGMENT >> next_header & 1;
}

/*
 * Bytes of an extension header, 8 to 2048. Computed without branches, each of
 * which the verifier would follow through the headers behind.
 */
static __always_inline __u32 ipv6_extension_len(__u8 kind, __u8 len)
{
	const __u32 is_auth = 1ULL << PROTO_AUTH >> kind & 1;
	const __u32 is_fragment = is_ipv6_fragment(kind);
	/* RFC 8200, 4; RFC 4302, 2.2. */
	__u32 bytes =
		((len & (is_fragment - 1)) + 1 + is_auth) * (8 - 4 * is_auth);

	OPAQUE(bytes); /* the verifier of Linux 5.10 knows no product's bounds
			*/
	return bytes & 0xfff;
}

/* The flag "more fragments" and the fragment offset, network byte order. */
static __always_inline __be16 ipv4_fragment(const struct iphdr *ip)
{
	return READ_FIELD(ip, frag_off) & bpf_htons(0x3fff);
}

/*
 * The length of the IP packet in bytes: by its header or, if that has 0, up to
 * the end of the frame.
 */
static __always_inline __u32 ipv4_len(const struct frame *frame,
				      const struct iphdr *ip, __u64 offset,
				      enum walk walk, struct segment *segment)
{
	const __u32 total_len = bpf_ntohs(READ_FIELD(ip, tot_len));

	/* 0: segmentation offload of more than 64 KiB (BIG TCP, Linux 6.3). */
	if (walk != WALK_WHOLE || total_len)
		return total_len;
	segment->to_end = true;
	return frame->wire_len - (__u32)offset;
}

static __always_inline void note_ipv4(const struct iphdr *ip,
				      struct segment *segment)
{
	segment->family = 4;
	segment->ttl = READ_FIELD(ip, ttl);
	segment->source[0] = READ_FIELD(ip, saddr);
	segment->source[1] = segment->source[2] = segment->source[3] = 0;
	segment->destination[0] = READ_FIELD(ip, daddr);
	segment->destination[1] = segment->destination[2] =
		segment->destination[3] = 0;
}

/* Where an IPv4 packet's content begins, and what it is. */
struct ipv4_content {
	__u64 offset;
	__u8 protocol;
};

/*
 * Finds the content: behind an authentication header (RFC 4302), if there is
 * one. PARSED, or why it is not known.
 *
 * The offset is a difference of pointers in any case, so that the verifier need
 * not follow both through all that comes later: see skip_ipv6_extensions().
 */
static __always_inline enum parse_result
find_ipv4_content(const struct frame *frame, const struct iphdr *ip,
		  __u64 offset, __u32 header_len, enum walk walk,
		  struct ipv4_content *content)
{
	const __u8 *next = (const __u8 *)ip + header_len;
	const struct ipv6_extension *auth;

	content->protocol = READ_FIELD(ip, protocol);
	content->offset = offset + header_len;
	if (walk != WALK_WHOLE)
		return PARSED;
	content->offset = frame_offset(frame, next);
	if (content->protocol != PROTO_AUTH)
		return PARSED;
	if (ipv4_fragment(ip) & bpf_htons(0x1fff))
		return PARSE_FRAGMENT;
	auth = frame_at(frame, content->offset, 8);
	if (!auth)
		return frame_short(frame, content->offset, 8);
	next = (const __u8 *)auth +
	       ipv6_extension_len(PROTO_AUTH, READ_FIELD(auth, len));
	content->offset = frame_offset(frame, next);
	content->protocol = READ_FIELD(auth, next_header);
	return PARSED;
}

/*
 * The result for an IPv4 packet without TCP. Its lengths are noted only where a
 * tunnel may follow.
 */
static __always_inline enum parse_result
walk_other_ipv4(const struct frame *frame, const struct iphdr *ip, __u64 offset,
		const struct ipv4_content *content, enum walk walk,
		struct segment *segment)
{
	const enum parse_result result =
		other_protocol(content->protocol, content->offset, segment);

	if (walk != WALK_WHOLE && content->protocol == PROTO_AUTH)
		return PARSE_NOT_PLAIN;
	if (result == PARSE_NOT_TCP)
		return result;
	segment->ip_end =
		(__u32)offset + ipv4_len(frame, ip, offset, walk, segment);
	segment->is_fragment = ipv4_fragment(ip);
	segment->is_later = ipv4_fragment(ip) & bpf_htons(0x1fff);
	note_ipv4(ip, segment);
	return result;
}

static __always_inline enum parse_result walk_ipv4(const struct frame *frame,
						   __u64 offset, enum walk walk,
						   struct segment *segment)
{
	const struct iphdr *ip = ip_header_at(frame, offset, sizeof(*ip), walk);
	struct ipv4_content content;
	enum parse_result result;
	__u32 header_len, total_len;
	__be16 fragment;
	__u8 first;

	if (!ip)
		return frame_short(frame, offset, sizeof(*ip));
	first = *(const __u8 *)ip;
	if (walk != WALK_WHOLE && first != 0x45) /* IPv4 without options */
		return PARSE_NOT_PLAIN;
	header_len = (__u32)(first & 0x0f) * 4;
	if (first >> 4 != 4 || header_len < sizeof(*ip))
		return PARSE_MALFORMED;
	result = find_ipv4_content(frame, ip, offset, header_len, walk,
				   &content);
	if (result != PARSED)
		return result;
	if (content.protocol != PROTO_TCP)
		return walk_other_ipv4(frame, ip, offset, &content, walk,
				       segment);

	fragment = ipv4_fragment(ip);
	if (walk != WALK_WHOLE && fragment)
		return PARSE_NOT_PLAIN;
	total_len = ipv4_len(frame, ip, offset, walk, segment);
	if (total_len < header_len || offset + total_len > frame_limit(frame))
		return PARSE_MALFORMED;
	if (fragment & bpf_htons(0x1fff))
		return PARSE_FRAGMENT;

	note_ipv4(ip, segment);
	return walk_tcp(frame, content.offset, offset + total_len,
			fragment & bpf_htons(0x2000), walk, segment);
}

/*
 * Walks the extension headers from `*offset` on, of which the first is of the
 * kind `next_header`. PARSED: *offset is where the TCP header begins.
 */
static __always_inline enum parse_result
skip_ipv6_extensions(const struct frame *frame, __u8 next_header, __u64 *offset,
		     struct segment *segment)
{
	const struct ipv6_extension *extension;
	__u32 is_fragment, is_later, len;

#ifdef __bpf__
#pragma clang loop unroll(disable)
#endif
	for (int i = 0; i <= IPV6_EXTENSIONS_MAX; i++) {
		if (next_header == PROTO_TCP)
			return PARSED;
		if (!is_ipv6_extension(next_header))
			return other_protocol(next_header, *offset, segment);

		/* The shortest extension header has 8 bytes. */
		extension = frame_at(frame, *offset, 8);
		if (!extension)
			return frame_short(frame, *offset, 8);

		is_fragment = is_ipv6_fragment(next_header);
		is_later = bpf_ntohs(READ_FIELD(extension, frag_off)) & 0xfff8 &
			   -is_fragment;
		OPAQUE(is_later); /* so that the compiler makes one branch */
		if (is_later)
			return PARSE_FRAGMENT;
		segment->is_fragment |= is_fragment;
		len = ipv6_extension_len(next_header,
					 READ_FIELD(extension, len));
		*offset = frame_offset(frame, (const __u8 *)extension + len);
		next_header = READ_FIELD(extension, next_header);
	}
	return PARSE_NOT_TCP;
}

/* What follows a plain IPv6 header; PARSED: TCP. */
static __always_inline enum parse_result
plain_next_header(__u8 next_header, __u64 offset, struct segment *segment)
{
	switch (next_header) {
	case PROTO_TCP:
		return PARSED;
	case PROTO_UDP:
		segment->payload_offset = (__u32)offset;
		return PARSE_UDP;
	case PROTO_ICMPV6:
		return PARSE_NOT_TCP;
	default: /* an extension, or a tunnel */
		return PARSE_NOT_PLAIN;
	}
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

static __always_inline enum parse_result walk_ipv6(const struct frame *frame,
						   __u64 offset, enum walk walk,
						   struct segment *segment)
{
	const struct ipv6hdr *ip =
		ip_header_at(frame, offset, sizeof(*ip), walk);
	enum parse_result result;
	__u64 ip_end;
	__u32 payload_len;

	if (!ip)
		return frame_short(frame, offset, sizeof(*ip));
	if (*(const __u8 *)ip >> 4 != 6)
		return PARSE_MALFORMED;

	/* 0: a jumbogram (RFC 2675) or BIG TCP (Linux 5.19). */
	payload_len = bpf_ntohs(READ_FIELD(ip, payload_len));
	if (walk != WALK_WHOLE && !payload_len)
		return PARSE_NOT_PLAIN;
	if (walk == WALK_WHOLE && !payload_len)
		segment->to_end = true;
	ip_end = payload_len ? offset + sizeof(*ip) + payload_len :
			       frame->wire_len;
	if (ip_end > frame_limit(frame))
		return PARSE_MALFORMED;

	read_ipv6_addresses(ip, segment->source, segment->destination);
	segment->family = 6;
	segment->ttl = READ_FIELD(ip, hop_limit);
	segment->is_fragment = false;
	segment->ip_end = (__u32)ip_end;
	if (walk == WALK_WHOLE) {
		READ_AGAIN(); /* see walk_ethertype() */
		ip_end = segment->ip_end;
	}
	offset += sizeof(*ip);
	if (walk != WALK_WHOLE)
		result = plain_next_header(READ_FIELD(ip, nexthdr), offset,
					   segment);
	else
		result = skip_ipv6_extensions(frame, READ_FIELD(ip, nexthdr),
					      &offset, segment);
	segment->is_later = false; /* a later fragment is PARSE_FRAGMENT */
	if (result != PARSED)
		return result;
	return walk_tcp(frame, offset, ip_end, segment->is_fragment, walk,
			segment);
}

#endif
