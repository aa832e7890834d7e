/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The part of the walk that continues inside of tunnels. layers.h stops where a
 * tunnel may begin; open_tunnel() reads its header, notes the layer in the
 * segment and walks on to the next tunnel or to TCP. Portable C without a
 * helper call, like segment.h.
 *
 * To add a tunnel: a function in tunnel_headers.h, and its row in TUNNELS. One
 * with an IP protocol or an EtherType of its own is recognised in ip.h or
 * layers.h.
 */
#ifndef BANNERPROBE_TUNNELS_H
#define BANNERPROBE_TUNNELS_H

#include "layers.h"
#include "platform.h"
#include "segment.h"
#include "tunnel.h"
#include "tunnel_headers.h"

#define UDP_HEADER 8
#define TUNNELS_IN_UDP (TUNNEL_BIT(TUNNEL_VXLAN) | TUNNEL_BIT(TUNNEL_GENEVE))
#define GRE_HEADER 4 /* without its optional fields */
#define TUNNELS_IN_GRE (TUNNEL_BIT(TUNNEL_GRE) | TUNNEL_BIT(TUNNEL_ERSPAN))

/* --- which kind it is ----------------------------------------------------- */

static __always_inline bool port_is_among(const __u16 ports[DECAP_PORTS],
					  __u16 port)
{
	bool found = false;

#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < DECAP_PORTS; i++)
		found |= ports[i] == port;
	return found && port;
}

static __always_inline enum tunnel_kind kind_of_port(__u16 port,
						     const struct decap *decap)
{
	if (port == PORT_VXLAN_GPE || port_is_among(decap->vxlan_ports, port))
		return TUNNEL_VXLAN;
	return port_is_among(decap->geneve_ports, port) ? TUNNEL_GENEVE :
							  TUNNEL_NONE;
}

/*
 * Whether UDP at `offset` has the port of VXLAN or Geneve, and one of these is
 * opened. The other one is then counted.
 */
static __always_inline bool udp_may_be_tunnel(const struct frame *frame,
					      __u64 offset,
					      const struct decap *decap)
{
	const __u8 *udp;

	if (!(decap->kinds & TUNNELS_IN_UDP))
		return false;
	udp = frame_at(frame, offset, UDP_HEADER);
	return udp &&
	       kind_of_port(bpf_ntohs(be16_of(udp + 2)), decap) != TUNNEL_NONE;
}

static __always_inline enum tunnel_kind kind_of_gre(const struct frame *frame,
						    __u64 offset)
{
	const __u8 *gre = frame_at(frame, offset, GRE_HEADER);
	const __be16 ethertype = gre ? be16_of(gre + 2) : 0;

	return ethertype == bpf_htons(ETHERTYPE_ERSPAN) ||
			       ethertype == bpf_htons(ETHERTYPE_ERSPAN_3) ?
		       TUNNEL_ERSPAN :
		       TUNNEL_GRE;
}

/*
 * Sets *limit to the end of the UDP payload if the UDP length ends it before
 * the IP packet ends. False: malformed, because the length is beyond the IP
 * packet or less than a UDP header.
 */
static __always_inline bool udp_ends(const __u8 *udp, __u64 offset,
				     const struct segment *segment,
				     __u32 *limit)
{
	const __u32 len = bpf_ntohs(be16_of(udp + 4));
	const __u32 end = (__u32)offset + len;

	if (!len || (segment->is_fragment && len >= UDP_HEADER))
		return true;
	if (len < UDP_HEADER || end > segment->ip_end)
		return false;
	if (end < segment->ip_end)
		*limit = end;
	return true;
}

/*
 * Two kinds of tunnels begin alike, in UDP and in GRE, and differ in the header
 * that follows. PARSED: it can be read, or no such tunnel is opened; else why
 * it cannot be read.
 */
static __always_inline enum parse_result
find_kind_header(const struct frame *frame, __u64 offset,
		 enum parse_result result, const struct decap *decap)
{
	if (result == PARSE_UDP && decap->kinds & TUNNELS_IN_UDP &&
	    !frame_at(frame, offset, UDP_HEADER))
		return frame_short(frame, offset, UDP_HEADER);
	if (result == PARSE_GRE && decap->kinds & TUNNELS_IN_GRE &&
	    !frame_at(frame, offset, GRE_HEADER))
		return frame_short(frame, offset, GRE_HEADER);
	return PARSED;
}

/* The tunnel that a walk stopped at, and where the packet around it ends. */
struct doorway {
	enum tunnel_kind kind;
	bool is_malformed;
	__u32 limit; /* of the inside, as in struct frame */
};

static __always_inline struct doorway doorway_of(const struct frame *frame,
						 const struct segment *segment,
						 enum parse_result result,
						 const struct decap *decap,
						 struct opened *opened)
{
	struct doorway door = { .kind = TUNNEL_NONE, .limit = LIMIT_NONE };
	const __u8 *udp;

	switch (result) {
	case PARSE_UDP:
		udp = frame_at(frame, opened->offset, UDP_HEADER);
		if (!udp)
			return door;
		opened->port = bpf_ntohs(be16_of(udp + 2));
		door.kind = kind_of_port(opened->port, decap);
		door.is_malformed =
			!udp_ends(udp, opened->offset, segment, &door.limit);
		opened->offset += UDP_HEADER;
		break;
	case PARSE_GRE:
		door.kind = kind_of_gre(frame, opened->offset);
		break;
	case PARSE_IP_IN_IP:
		door.kind = TUNNEL_IPIP;
		break;
	case PARSE_MPLS:
		door.kind = TUNNEL_MPLS;
		break;
	case PARSE_PPPOE:
		door.kind = TUNNEL_PPPOE;
		break;
	default:
		break;
	}
	if (door.kind == TUNNEL_MPLS || door.kind == TUNNEL_PPPOE)
		door.limit = frame_limit(frame);
	else if (segment->ip_end < segment->payload_offset ||
		 segment->ip_end > frame_limit(frame))
		door.is_malformed = true;
	return door;
}

/* --- going in ------------------------------------------------------------- */

/* Adds a tunnel to the segment's list. */
static __always_inline void note_tunnel(struct segment *segment,
					enum tunnel_kind kind, __u32 id)
{
	const bool has_addresses = kind != TUNNEL_MPLS && kind != TUNNEL_PPPOE;
	const __u32 at = segment->tunnel_count & (TUNNELS_MAX - 1);
	struct tunnel *tunnel = &segment->tunnels[at];

	*tunnel = (struct tunnel){
		.kind = (__u8)kind,
		.id = id,
		.family = has_addresses ? segment->family : 0,
	};
	if (has_addresses) {
		__builtin_memcpy(tunnel->source, segment->source, 16);
		__builtin_memcpy(tunnel->destination, segment->destination, 16);
	}
	segment->tunnel_count++;
}

static __always_inline __u32 least(__u32 one, __u32 other)
{
	return one < other ? one : other;
}

/* The frame of the layer that a segment stopped in. */
static __always_inline struct frame
frame_of_layer(const struct frame *frame, const struct segment *segment)
{
	struct frame layer = *frame;

	layer.is_inner = true;
	if (segment->bytes_end) {
		layer.wire_len = segment->bytes_end;
		layer.limit = segment->limit;
	}
	return layer;
}

/*
 * The position of the walk. It is read back from the segment, because the
 * verifier then does not distinguish the paths to it.
 */
static __always_inline void note_inside(struct segment *segment, __u64 offset,
					__be16 ethertype, enum walk walk)
{
	segment->payload_offset = (__u32)offset;
	segment->inside = ethertype;
	if (walk == WALK_WHOLE)
		READ_AGAIN();
}

/* Walks on with the protocol that the tunnel announces. */
static __always_inline enum parse_result
walk_inside(const struct frame *frame, enum walk walk, struct segment *segment)
{
	const struct frame layer = frame_of_layer(frame, segment);
	const struct frame *inner = &layer;
	__be16 ethertype = segment->inside;
	__u64 offset = segment->payload_offset;
	enum parse_result result;
	const __u8 *first;

	if (ethertype == bpf_htons(ETHERTYPE_ETHERNET)) {
		segment->vlan[0] = segment->vlan[1] = 0;
		segment->vlan_count = 0;
		result = skip_ethernet(inner, &offset, &ethertype, walk,
				       segment);
		if (result != PARSED)
			return result;
	} else if (!ethertype) { /* IP; its first byte has the version */
		first = frame_at(inner, offset, 1);
		if (!first)
			return frame_short(inner, offset, 1);
		ethertype = *first >> 4 == 4 ? bpf_htons(ETHERTYPE_IPV4) :
					       bpf_htons(ETHERTYPE_IPV6);
	}
	note_inside(segment, offset, ethertype, walk);
	return walk_ethertype(inner, segment->payload_offset, segment->inside,
			      walk, segment);
}

/*
 * Continues a walk that stopped with `result` through one tunnel, if that kind
 * is opened. Returns the result of the walk inside, or why there was none. The
 * caller repeats the call with this result while tunnel_may_follow() holds.
 */
static __always_inline enum parse_result
open_tunnel(const struct frame *frame, struct segment *segment,
	    enum parse_result result, enum walk walk, const struct decap *decap)
{
	const struct frame outer = frame_of_layer(frame, segment);
	struct opened opened = { .offset = segment->payload_offset,
				 .protocol = segment->protocol };
	const bool in_ip = result != PARSE_MPLS && result != PARSE_PPPOE;
	struct frame inner = outer;
	enum parse_result header;
	struct doorway door;

	if (in_ip && segment->is_later) /* its first fragment has the header */
		return result == PARSE_UDP || !decap->kinds ? result :
							      PARSE_FRAGMENT;
	header = find_kind_header(&outer, opened.offset, result, decap);
	if (header != PARSED)
		return header;
	door = doorway_of(&outer, segment, result, decap, &opened);
	if (door.kind == TUNNEL_NONE)
		return result;
	header = open_header(door.kind, &outer, &opened);
	if (header == PARSE_UDP)
		return header;
	if (!(decap->kinds & TUNNEL_BIT(door.kind)) ||
	    segment->tunnel_count >= TUNNELS_MAX)
		return tunnel_unopened(door.kind);
	if (door.is_malformed)
		return PARSE_MALFORMED;
	if (header != PARSED)
		return header;

	note_tunnel(segment, door.kind, opened.id);
	if (in_ip)
		inner.wire_len = least(inner.wire_len, segment->ip_end);
	inner.limit = door.limit;
	if (opened.end)
		inner.limit = opened.end;
	inner.wire_len = least(inner.wire_len, inner.limit);
	segment->bytes_end = inner.wire_len;
	segment->limit = inner.limit;
	note_inside(segment, opened.offset, opened.ethertype, walk);
	return walk_inside(frame, walk, segment);
}

/* Whether a walk stopped where a tunnel may begin. */
static __always_inline bool tunnel_may_follow(enum parse_result result)
{
	switch (result) {
	case PARSE_UDP:
	case PARSE_GRE:
	case PARSE_IP_IN_IP:
	case PARSE_MPLS:
	case PARSE_PPPOE:
		return true;
	default:
		return false;
	}
}

/*
 * Walks through all tunnels that are opened. open_tunnel() is called up to
 * TUNNELS_MAX + 1 times: the last call returns the kind of the tunnel that is
 * beyond the limit.
 */
static __always_inline enum parse_result walk_tunnels(const struct frame *frame,
						      struct segment *segment,
						      enum parse_result result,
						      const struct decap *decap)
{
	__u8 layers = segment->tunnel_count;

	for (int i = 0; i <= TUNNELS_MAX && tunnel_may_follow(result); i++) {
		result = open_tunnel(frame, segment, result, WALK_WHOLE, decap);
		if (segment->tunnel_count == layers)
			break; /* not opened */
		layers = segment->tunnel_count;
	}
	return result;
}

#endif
