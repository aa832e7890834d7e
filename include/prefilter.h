/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The front of the table: a bitmap, indexed by the hash of a connection. A
 * clear bit means that no connection waits for the packet, which is so for
 * nearly every packet; a set bit may be a false positive, so the packet is
 * looked at again. Portable C without a helper call, like segment.h.
 *
 * pending.h sets and clears the bits.
 */
#ifndef BANNERPROBE_PREFILTER_H
#define BANNERPROBE_PREFILTER_H

#include "hash.h"
#include "platform.h"
#include "segment.h"

#define PREFILTER_WORDS_MAX (1U << 19) /* of 64 bits each */

struct prefilter {
	__u64 *words;
	const volatile __u64 *secrets; /* HASH_SECRETS of them */
	__u32 mask; /* how many words, a power of two, less one */
};

static __always_inline __u32 prefilter_index(const struct prefilter *prefilter, __u64 hash)
{
	return (__u32)(hash >> 32) & prefilter->mask;
}

/* A word's bit for a hash. */
static __always_inline __u32 prefilter_bit(__u64 hash)
{
	return (__u32)(hash >> 58);
}

/* Whether a connection with this hash may be waited for. */
static __always_inline bool prefilter_may_have(const struct prefilter *prefilter,
					   __u64 hash)
{
	return prefilter->words[prefilter_index(prefilter, hash)] >> prefilter_bit(hash) & 1;
}

/* Whether a segment with this hash may change anything. */
static __always_inline bool segment_may_matter(const struct segment *segment,
					       __u64 hash,
					       const struct prefilter *prefilter)
{
	return segment->flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
	       prefilter_may_have(prefilter, hash);
}

/* What a packet is at first glance. */
enum glance {
	/* Neither TCP nor a tunnel to be counted, or data of a connection that
	 * is not waited for, as nearly all packets are. */
	GLANCE_PASS,
	GLANCE_LOOK, /* it has to be looked at again */
	GLANCE_BIT,  /* data of a connection that may be waited for */
};

static __always_inline enum glance
glance_at_bit(const struct prefilter *prefilter, __u64 hash)
{
	return prefilter_may_have(prefilter, hash) ? GLANCE_BIT : GLANCE_PASS;
}

/*
 * Whether a TCP header is one of data or an ACK, without a fault. `len`: bytes
 * of the header and the payload, by the IP header.
 */
static __always_inline bool tcp_is_plain(const struct tcphdr *tcp, __u32 len)
{
	const __u8 *bytes = (const __u8 *)tcp;
	__u32 header_len = (__u32)(bytes[12] >> 4) * 4;

	return !(bytes[13] & (TCP_SYN | TCP_FIN | TCP_RST)) &&
	       header_len >= sizeof(*tcp) && header_len <= len;
}

static __always_inline enum glance
prefilter_ipv4(const struct frame *frame, __u64 offset,
	       const struct prefilter *prefilter, __u64 *hash)
{
	const struct iphdr *ip =
		frame_at(frame, offset,
			 sizeof(struct iphdr) + sizeof(struct tcphdr));
	const struct tcphdr *tcp;
	__u32 len;

	if (!ip || *(const __u8 *)ip != 0x45) /* IPv4 without options */
		return GLANCE_LOOK;
	tcp = (const void *)(ip + 1);
	if (READ_FIELD(ip, protocol) != PROTO_TCP)
		return protocol_is_tunnel(READ_FIELD(ip, protocol)) ?
			       GLANCE_LOOK :
			       GLANCE_PASS;
	if (READ_FIELD(ip, frag_off) & bpf_htons(0x3fff))
		return GLANCE_LOOK;
	len = bpf_ntohs(READ_FIELD(ip, tot_len));
	if (len < sizeof(*ip) || offset + len > frame->wire_len ||
	    !tcp_is_plain(tcp, len - (__u32)sizeof(*ip)))
		return GLANCE_LOOK;
	*hash = flow_hash_ipv4(READ_FIELD(ip, saddr), READ_FIELD(ip, daddr),
			       READ_FIELD(tcp, source), READ_FIELD(tcp, dest),
			       prefilter->secrets);
	return glance_at_bit(prefilter, *hash);
}

static __always_inline enum glance
prefilter_ipv6(const struct frame *frame, __u64 offset,
	       const struct prefilter *prefilter, __u64 *hash)
{
	const struct ipv6hdr *ip =
		frame_at(frame, offset,
			 sizeof(struct ipv6hdr) + sizeof(struct tcphdr));
	const struct tcphdr *tcp;
	__u32 source[4], destination[4], len;

	if (!ip || *(const __u8 *)ip >> 4 != 6)
		return GLANCE_LOOK;
	tcp = (const void *)(ip + 1);
	len = bpf_ntohs(READ_FIELD(ip, payload_len));
	if (!len || offset + sizeof(*ip) + len > frame->wire_len)
		return GLANCE_LOOK;
	if (READ_FIELD(ip, nexthdr) == PROTO_UDP ||
	    READ_FIELD(ip, nexthdr) == PROTO_ICMPV6)
		return GLANCE_PASS;
	if (READ_FIELD(ip, nexthdr) != PROTO_TCP || !tcp_is_plain(tcp, len))
		return GLANCE_LOOK;
	read_ipv6_addresses(ip, source, destination);
	*hash = flow_hash_ipv6(source, destination, READ_FIELD(tcp, source),
			       READ_FIELD(tcp, dest), prefilter->secrets);
	return glance_at_bit(prefilter, *hash);
}

/*
 * What an IP packet is at first glance. `hash`: of its connection, set where the
 * result is GLANCE_BIT.
 */
static __always_inline enum glance
prefilter_ip(const struct frame *frame, __u64 offset,
	     const struct prefilter *prefilter, __u64 *hash)
{
	const __u8 *first = frame_at(frame, offset, 1);

	if (!first)
		return GLANCE_LOOK;
	return *first >> 4 == 4 ?
		       prefilter_ipv4(frame, offset, prefilter, hash) :
		       prefilter_ipv6(frame, offset, prefilter, hash);
}

/* Likewise of a packet that begins with an Ethernet header. */
static __always_inline enum glance
prefilter_ethernet(const struct frame *frame, const struct prefilter *prefilter,
		   __u64 *hash)
{
	const struct ethhdr *ethernet = frame_at(frame, 0, sizeof(*ethernet));

	if (!ethernet)
		return GLANCE_LOOK;
	switch (READ_FIELD(ethernet, h_proto)) {
	case bpf_htons(ETHERTYPE_IPV4):
		return prefilter_ipv4(frame, sizeof(*ethernet), prefilter,
				      hash);
	case bpf_htons(ETHERTYPE_IPV6):
		return prefilter_ipv6(frame, sizeof(*ethernet), prefilter,
				      hash);
	case bpf_htons(ETHERTYPE_8021Q):
	case bpf_htons(ETHERTYPE_8021AD):
	case bpf_htons(ETHERTYPE_QINQ_OLD):
	case bpf_htons(ETHERTYPE_MPLS):
	case bpf_htons(ETHERTYPE_MPLS_MULTICAST):
	case bpf_htons(ETHERTYPE_PPPOE):
		return GLANCE_LOOK;
	default: /* LLC may carry IP, too */
		return bpf_ntohs(READ_FIELD(ethernet, h_proto)) < ETHERTYPE_MIN ?
			       GLANCE_LOOK :
			       GLANCE_PASS;
	}
}

#endif
