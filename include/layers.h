/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One bounded walk over the headers of a packet, from the link layer to TCP:
 * Ethernet, VLAN tags and LLC here, IP in ip.h, TCP in segment.h. The prefilter
 * takes the same walk as far as plain packets go (WALK_PLAIN). Portable C
 * without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_LAYERS_H
#define BANNERPROBE_LAYERS_H

#include "ip.h"
#include "platform.h"
#include "segment.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_8021Q 0x8100
#define ETHERTYPE_8021AD 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100 /* before 802.1ad, still in use */
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE 0x8864	  /* its sessions, which carry packets */
#define ETHERTYPE_ETHERNET 0x6558 /* a whole frame, in GRE and its heirs */
#define ETHERTYPE_ERSPAN 0x88be	  /* in GRE: types I and II */
#define ETHERTYPE_ERSPAN_3 0x22eb
#define ETHERTYPE_MIN 0x0600 /* less is the length of an IEEE 802.3 frame */

#define VLAN_ID_MASK 0x0fff

struct vlan_tag {
	__be16 tci; /* priority, drop eligibility, and the VLAN ID in 12 bits */
	__be16 ethertype;
};

static __always_inline bool ethertype_is_tag(__be16 ethertype)
{
	return ethertype == bpf_htons(ETHERTYPE_8021Q) ||
	       ethertype == bpf_htons(ETHERTYPE_8021AD) ||
	       ethertype == bpf_htons(ETHERTYPE_QINQ_OLD);
}

/* Whether the field is no EtherType, but the length of an IEEE 802.3 frame. */
static __always_inline bool is_length(__be16 ethertype)
{
	return bpf_ntohs(ethertype) < ETHERTYPE_MIN;
}

/*
 * The result for an EtherType that is neither IP nor a skipped tag; in a plain
 * packet no tag was skipped.
 */
static __always_inline enum parse_result other_ethertype(__be16 ethertype,
							 enum walk walk)
{
	switch (ethertype) {
	case bpf_htons(ETHERTYPE_8021Q):
	case bpf_htons(ETHERTYPE_8021AD):
	case bpf_htons(ETHERTYPE_QINQ_OLD):
		return PARSE_THIRD_TAG;
	case bpf_htons(ETHERTYPE_MPLS):
	case bpf_htons(ETHERTYPE_MPLS_MULTICAST):
		return PARSE_MPLS;
	case bpf_htons(ETHERTYPE_PPPOE):
		return PARSE_PPPOE;
	default: /* LLC may carry IP, too */
		return walk != WALK_WHOLE && is_length(ethertype) ?
			       PARSE_NOT_PLAIN :
			       PARSE_NOT_TCP;
	}
}

/*
 * Notes an offset, and reads it back from memory. So the verifier knows nothing
 * of it, and follows what comes later once, not for each length of the headers
 * before. Otherwise it would also remember how many bytes of the packet a check
 * at that offset has found.
 */
static __always_inline __u64 forget_offset(__u64 offset,
					   struct segment *segment)
{
	segment->payload_offset = (__u32)offset;
	READ_AGAIN();
	return segment->payload_offset;
}

/*
 * Skips the tags at `*offset`, of which `*ethertype` announces the first. A tag
 * that the caller knows already (stripped by the hardware) is in segment->vlan.
 * PARSED: *ethertype is that of what follows.
 */
static __always_inline enum parse_result skip_tags(const struct frame *frame,
						   __u64 *offset,
						   __be16 *ethertype,
						   struct segment *segment)
{
#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < VLAN_DEPTH_MAX; i++) {
		const struct vlan_tag *tag;
		__u16 id;

		if (!ethertype_is_tag(*ethertype))
			break;
		if (segment->vlan_count >= VLAN_DEPTH_MAX)
			return PARSE_THIRD_TAG;
		tag = frame_at(frame, *offset, sizeof(*tag));
		if (!tag)
			return frame_short(frame, *offset, sizeof(*tag));
		/* Not vlan[vlan_count]: no variable index for the verifier. */
		id = bpf_ntohs(READ_FIELD(tag, tci)) & VLAN_ID_MASK;
		if (segment->vlan_count == 0)
			segment->vlan[0] = id;
		else
			segment->vlan[1] = id;
		segment->vlan_count++;
		*ethertype = READ_FIELD(tag, ethertype);
		*offset += sizeof(*tag);
	}
	return PARSED;
}

/* Walks on behind an EtherType in network byte order: tags, then IP. */
static __always_inline enum parse_result
walk_ethertype(const struct frame *frame, __u64 offset, __be16 ethertype,
	       enum walk walk, struct segment *segment)
{
	enum parse_result result = PARSED;

	if (walk == WALK_WHOLE)
		result = skip_tags(frame, &offset, &ethertype, segment);
	if (result != PARSED)
		return result;
	if (walk == WALK_WHOLE)
		offset = forget_offset(offset, segment);
	else
		segment->payload_offset = (__u32)offset;
	if (ethertype == bpf_htons(ETHERTYPE_IPV4))
		return walk_ipv4(frame, offset, walk, segment);
	if (ethertype == bpf_htons(ETHERTYPE_IPV6))
		return walk_ipv6(frame, offset, walk, segment);
	return other_ethertype(ethertype, walk);
}

#define LLC_SNAP_LENGTH 8

/*
 * Skips an LLC header with SNAP at `*offset` (RFC 1042). PARSED: *ethertype is
 * that of what follows. LLC that announces no EtherType is PARSE_LLC.
 */
static __always_inline enum parse_result
skip_llc(const struct frame *frame, __u64 *offset, __be16 *ethertype)
{
	const __u8 *llc = frame_at(frame, *offset, LLC_SNAP_LENGTH);

	if (!llc) /* too short for SNAP; LLC alone has three bytes */
		return *offset + LLC_SNAP_LENGTH <= frame->wire_len ?
			       PARSE_CUT :
			       PARSE_LLC;
	/* DSAP and SSAP of SNAP, unnumbered information, organization 0. */
	if (llc[0] != 0xaa || llc[1] != 0xaa || llc[2] != 0x03 ||
	    llc[3] | llc[4] | llc[5])
		return PARSE_LLC;
	*ethertype = bpf_htons((__u16)(llc[6] << 8 | llc[7]));
	llc += LLC_SNAP_LENGTH;
	OPAQUE(llc); /* see skip_ipv6_extensions() */
	*offset = (__u64)(llc - frame->data);
	return PARSED;
}

/*
 * Skips an Ethernet header at `*offset`, with LLC and SNAP behind it. PARSED:
 * *ethertype is that of what follows.
 */
static __always_inline enum parse_result
skip_ethernet(const struct frame *frame, __u64 *offset, __be16 *ethertype,
	      enum walk walk, struct segment *segment)
{
	const struct ethhdr *ethernet =
		frame_at(frame, *offset, sizeof(*ethernet));

	if (!ethernet)
		return frame_short(frame, *offset, sizeof(*ethernet));
	segment->destination_mac =
		(__u16)(*offset + offsetof(struct ethhdr, h_dest));
	segment->source_mac =
		(__u16)(*offset + offsetof(struct ethhdr, h_source));
	*ethertype = READ_FIELD(ethernet, h_proto);
	*offset += sizeof(*ethernet);
	if (walk != WALK_WHOLE)
		return PARSED;
	*offset = forget_offset(*offset, segment);
	return is_length(*ethertype) ? skip_llc(frame, offset, ethertype) :
				       PARSED;
}

/* Walks from an Ethernet header on, at the start of the frame. */
static __always_inline enum parse_result
walk_ethernet(const struct frame *frame, enum walk walk,
	      struct segment *segment)
{
	enum parse_result result;
	__be16 ethertype = 0;
	__u64 offset = 0;

	result = skip_ethernet(frame, &offset, &ethertype, walk, segment);
	if (result != PARSED)
		return result;
	return walk_ethertype(frame, offset, ethertype, walk, segment);
}

/*
 * Skips PPP's protocol field at `*offset`. If its first byte is odd, the field
 * is one byte long (RFC 1661, 6.5). PARSED: *ethertype is that of what follows.
 */
static __always_inline enum parse_result
skip_ppp(const struct frame *frame, __u64 *offset, __be16 *ethertype)
{
	const __u8 *bytes = frame_at(frame, *offset, 2);
	__u16 protocol;

	if (!bytes)
		return frame_short(frame, *offset, 2);
	protocol = bytes[0] & 1 ? bytes[0] : (__u16)(bytes[0] << 8 | bytes[1]);
	*offset += bytes[0] & 1 ? 1 : 2;
	switch (protocol) {
	case 0x0021:
		*ethertype = bpf_htons(ETHERTYPE_IPV4);
		return PARSED;
	case 0x0057:
		*ethertype = bpf_htons(ETHERTYPE_IPV6);
		return PARSED;
	case 0x0281:
	case 0x0283:
		*ethertype = bpf_htons(ETHERTYPE_MPLS);
		return PARSED;
	default:
		return PARSE_NOT_TCP;
	}
}

/* Walks from an IP header on; its version is in the first byte. */
static __always_inline enum parse_result walk_ip(const struct frame *frame,
						 __u64 offset, enum walk walk,
						 struct segment *segment)
{
	const __u8 *first = frame_at(frame, offset, 1);

	if (!first)
		return frame_short(frame, offset, 1);
	if (*first >> 4 == 4)
		return walk_ipv4(frame, offset, walk, segment);
	if (*first >> 4 == 6)
		return walk_ipv6(frame, offset, walk, segment);
	return PARSE_NOT_TCP;
}

/* Parses a packet that begins with an Ethernet header. */
static __always_inline enum parse_result
parse_ethernet(const struct frame *frame, struct segment *segment)
{
	return walk_ethernet(frame, WALK_WHOLE, segment);
}

/* Parses a packet that has IP at `offset`. */
static __always_inline enum parse_result
parse_ip(const struct frame *frame, __u64 offset, struct segment *segment)
{
	return walk_ip(frame, offset, WALK_WHOLE, segment);
}

#endif
