/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The headers of tunnels, a function for each kind in TUNNELS. Portable C
 * without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_TUNNEL_HEADERS_H
#define BANNERPROBE_TUNNEL_HEADERS_H

#include "layers.h"
#include "platform.h"
#include "segment.h"
#include "tunnel.h"

/*
 * A tunnel's header. The caller fills in the first half, the function of the
 * tunnel's kind the second. Offsets are bytes from the start of the frame.
 */
struct opened {
	__u64 offset;  /* offset of the header; then of the inside */
	__u16 port;    /* UDP destination; 0: not in UDP */
	__u8 protocol; /* in the IP packet around it */

	__be16 ethertype; /* of the inside */
	__u32 id;
	__u32 end; /* of the inside, if the header has a length; else 0 */
};

static __always_inline __be16 be16_of(const __u8 *bytes)
{
	return bpf_htons((__u16)(bytes[0] << 8 | bytes[1]));
}

static __always_inline __u32 number24(const __u8 *bytes)
{
	return (__u32)bytes[0] << 16 | (__u32)bytes[1] << 8 | bytes[2];
}

/* --- a function for each kind of tunnel ----------------------------------- */

/*
 * The EtherType for a next protocol (draft-ietf-nvo3-vxlan-gpe, 3.2); 0:
 * another protocol.
 */
static __always_inline __be16 gpe_ethertype(__u8 next_protocol)
{
	switch (next_protocol) {
	case 1:
		return bpf_htons(ETHERTYPE_IPV4);
	case 2:
		return bpf_htons(ETHERTYPE_IPV6);
	case 3:
		return bpf_htons(ETHERTYPE_ETHERNET);
	case 5:
		return bpf_htons(ETHERTYPE_MPLS);
	default:
		return 0;
	}
}

/* RFC 7348, 5; on PORT_VXLAN_GPE: VXLAN-GPE. */
static __always_inline enum parse_result open_vxlan(const struct frame *frame,
						    struct opened *opened)
{
	const __u8 *flags = frame_at(frame, opened->offset, 1);
	const __u8 *header = frame_at(frame, opened->offset, 8);

	if (flags && !(*flags & 0x08)) /* no VNI */
		return PARSE_UDP;
	if (!header)
		return frame_short(frame, opened->offset, 8);
	opened->offset += 8;
	opened->id = number24(header + 4);
	opened->ethertype = bpf_htons(ETHERTYPE_ETHERNET);
	if (opened->port != PORT_VXLAN_GPE)
		return PARSED;
	if (header[0] & 0x31) /* another version, or OAM */
		return PARSE_VXLAN;
	if (header[0] & 0x04)
		opened->ethertype = gpe_ethertype(header[3]);
	return opened->ethertype ? PARSED : PARSE_VXLAN;
}

/* RFC 8926, 3.4 */
static __always_inline enum parse_result open_geneve(const struct frame *frame,
						     struct opened *opened)
{
	const __u8 *version = frame_at(frame, opened->offset, 1);
	const __u8 *header = frame_at(frame, opened->offset, 8);

	if (version && *version >> 6)
		return PARSE_UDP;
	if (!header)
		return frame_short(frame, opened->offset, 8);
	if (header[1] & 0x80) /* control */
		return PARSE_GENEVE;
	opened->ethertype = be16_of(header + 2);
	opened->id = number24(header + 4);
	opened->offset += 8 + (header[0] & 0x3fU) * 4;
	switch (opened->ethertype) {
	case bpf_htons(ETHERTYPE_ETHERNET):
	case bpf_htons(ETHERTYPE_IPV4):
	case bpf_htons(ETHERTYPE_IPV6):
		return PARSED;
	default:
		return PARSE_GENEVE;
	}
}

#define GRE_CHECKSUM 0x80
#define GRE_KEY 0x20
#define GRE_SEQUENCE 0x10
#define GRE_REFUSED 0x4c /* bits 1, 4 and 5: RFC 2784, 2.3 */

/* Skips a GRE header and reads its key. *flags is set to its first byte. */
static __always_inline enum parse_result
skip_gre(const struct frame *frame, struct opened *opened, __u8 *flags)
{
	const __u8 *header = frame_at(frame, opened->offset, 4);
	const __u8 *key;

	if (!header)
		return frame_short(frame, opened->offset, 4);
	*flags = header[0];
	if (header[0] & GRE_REFUSED || header[1] & 0x07) /* version */
		return PARSE_GRE;
	opened->ethertype = be16_of(header + 2);
	opened->offset += header[0] & GRE_CHECKSUM ? 8 : 4;
	if (header[0] & GRE_KEY) {
		key = frame_at(frame, opened->offset, 4);
		if (!key)
			return frame_short(frame, opened->offset, 4);
		opened->id = number24(key) << 8 | key[3];
		opened->offset += 4;
	}
	opened->offset += *flags & GRE_SEQUENCE ? 4 : 0;
	return PARSED;
}

/* RFC 2784 and RFC 2890 */
static __always_inline enum parse_result open_gre(const struct frame *frame,
						  struct opened *opened)
{
	enum parse_result result;
	__u8 flags;

	result = skip_gre(frame, opened, &flags);
	if (result != PARSED)
		return result;
	switch (opened->ethertype) {
	case bpf_htons(ETHERTYPE_ETHERNET):
	case bpf_htons(ETHERTYPE_IPV4):
	case bpf_htons(ETHERTYPE_IPV6):
	case bpf_htons(ETHERTYPE_MPLS):
	case bpf_htons(ETHERTYPE_MPLS_MULTICAST):
		return PARSED;
	default:
		return PARSE_GRE;
	}
}

static __always_inline __u32 erspan_session(const __u8 *header)
{
	return (__u32)(header[2] & 0x03) << 8 | header[3];
}

static __always_inline enum parse_result
open_erspan_2(const struct frame *frame, struct opened *opened)
{
	const __u8 *header = frame_at(frame, opened->offset, 8);

	if (!header)
		return frame_short(frame, opened->offset, 8);
	if (header[0] >> 4 != 1) /* version */
		return PARSE_GRE;
	opened->ethertype = bpf_htons(ETHERTYPE_ETHERNET);
	opened->id = erspan_session(header);
	opened->offset += 8;
	return PARSED;
}

static __always_inline enum parse_result
open_erspan_3(const struct frame *frame, struct opened *opened)
{
	const __u8 *header = frame_at(frame, opened->offset, 12);
	__u8 frame_type;

	if (!header)
		return frame_short(frame, opened->offset, 12);
	if (header[0] >> 4 != 2)
		return PARSE_GRE;
	opened->id = erspan_session(header);
	opened->offset += header[11] & 0x01 ? 12 + 8 : 12; /* a subheader */
	frame_type = header[10] >> 2 & 0x1f;
	if (frame_type == 2) { /* IP of either version */
		opened->ethertype = 0;
		return PARSED;
	}
	opened->ethertype = bpf_htons(ETHERTYPE_ETHERNET);
	return frame_type ? PARSE_GRE : PARSED;
}

/* draft-foschiano-erspan, 4, with the GRE header around it. */
static __always_inline enum parse_result open_erspan(const struct frame *frame,
						     struct opened *opened)
{
	__u8 flags = 0;
	const enum parse_result result = skip_gre(frame, opened, &flags);

	if (result != PARSED)
		return result;
	opened->id = 0;
	if (flags & GRE_SEQUENCE)
		return opened->ethertype == bpf_htons(ETHERTYPE_ERSPAN_3) ?
			       open_erspan_3(frame, opened) :
			       open_erspan_2(frame, opened);
	/* Type I has no header. */
	if (opened->ethertype == bpf_htons(ETHERTYPE_ERSPAN_3))
		return PARSE_GRE;
	opened->ethertype = bpf_htons(ETHERTYPE_ETHERNET);
	return PARSED;
}

/* RFC 2003, RFC 2473, RFC 4213 */
static __always_inline enum parse_result open_ipip(const struct frame *frame,
						   struct opened *opened)
{
	(void)frame;
	opened->ethertype = opened->protocol == PROTO_IPIP ?
				    bpf_htons(ETHERTYPE_IPV4) :
				    bpf_htons(ETHERTYPE_IPV6);
	return PARSED;
}

#define MPLS_LABELS_MAX 8

/*
 * RFC 3032: labels, the last of which has the S bit. IP follows them, or
 * Ethernet behind a control word that begins with 16 bits of 0 (RFC 4448, 4.6).
 */
static __always_inline enum parse_result open_mpls(const struct frame *frame,
						   struct opened *opened)
{
	const __u8 *label, *inside;
	bool is_last = false;

#ifdef __bpf__
#pragma clang loop unroll(disable)
#endif
	for (int i = 0; i < MPLS_LABELS_MAX && !is_last; i++) {
		label = frame_at(frame, opened->offset, 4);
		if (!label)
			return frame_short(frame, opened->offset, 4);
		is_last = label[2] & 0x01;
		opened->offset += 4;
	}
	if (!is_last)
		return PARSE_MPLS;
	inside = frame_at(frame, opened->offset, 4);
	if (!inside)
		return frame_short(frame, opened->offset, 4);
	opened->ethertype = 0;
	if (inside[0] || inside[1])
		return inside[0] >> 4 == 4 || inside[0] >> 4 == 6 ? PARSED :
								    PARSE_MPLS;
	opened->ethertype = bpf_htons(ETHERTYPE_ETHERNET);
	opened->offset += 4;
	return PARSED;
}

/* RFC 2516, 4: a session's header; its length field ends the inside. */
static __always_inline enum parse_result open_pppoe(const struct frame *frame,
						    struct opened *opened)
{
	const __u8 *header = frame_at(frame, opened->offset, 6);
	enum parse_result result;

	if (!header)
		return frame_short(frame, opened->offset, 6);
	if (header[0] != 0x11 || header[1])
		return PARSE_PPPOE;
	opened->offset += 6;
	opened->end = (__u32)opened->offset + bpf_ntohs(be16_of(header + 4));
	result = skip_ppp(frame, &opened->offset, &opened->ethertype);
	if (opened->end > frame_limit(frame) || opened->offset > opened->end)
		return PARSE_MALFORMED;
	return result;
}

/* Reads a header by the function in the kind's row of TUNNELS. */
static __always_inline enum parse_result open_header(enum tunnel_kind kind,
						     const struct frame *frame,
						     struct opened *opened)
{
	switch (kind) {
#define TUNNEL_OPEN(id, name, unopened, opener)                                \
	case TUNNEL_##id:                                                      \
		return opener(frame, opened);
		TUNNELS(TUNNEL_OPEN)
#undef TUNNEL_OPEN
	default:
		return PARSE_NOT_TCP;
	}
}

/* The parse result for a packet with a tunnel that is not opened. */
static __always_inline enum parse_result tunnel_unopened(enum tunnel_kind kind)
{
	switch (kind) {
#define TUNNEL_UNOPENED(id, name, unopened, opener)                            \
	case TUNNEL_##id:                                                      \
		return unopened;
		TUNNELS(TUNNEL_UNOPENED)
#undef TUNNEL_UNOPENED
	default:
		return PARSE_NOT_TCP;
	}
}

#endif
