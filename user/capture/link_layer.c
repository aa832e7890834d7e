/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "link_layer.h"

#include "other_tunnels.h"

#include <sys/socket.h>

#define LOOPBACK_HEADER 4 /* the address family */

bool frame_advance(struct frame *frame, __u32 len)
{
	if ((size_t)(frame->end - frame->data) < len)
		return false;
	frame->data += len;
	frame->wire_len -= len;
	return true;
}

/* A field in network byte order, unchanged. */
static __be16 be16_at(const __u8 *bytes)
{
	__be16 value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

enum parse_result parse_llc(const struct frame *frame, __u64 offset,
			    struct segment *segment)
{
	__be16 ethertype;
	const enum parse_result result = skip_llc(frame, &offset, &ethertype);

	return result == PARSED ? walk_ethertype(frame, offset, ethertype,
						 WALK_WHOLE, segment) :
				  result;
}

/* BSD loopback; IPv4 and IPv6 are parsed, other families are not. */
static enum parse_result parse_loopback(const struct frame *frame,
					struct segment *segment)
{
	const __u8 *family = frame_at(frame, 0, LOOPBACK_HEADER);

	if (!family)
		return frame_short(frame, 0, LOOPBACK_HEADER);
	/*
	 * In either byte order, a family is the one byte that is not 0: 2 is
	 * IPv4; IPv6 is 10 on Linux, 24, 28 or 30 on the BSDs and macOS.
	 */
	switch (family[0] | family[3]) {
	case 2:
	case 10:
	case 24:
	case 28:
	case 30:
		return parse_ip(frame, LOOPBACK_HEADER, segment);
	default:
		return PARSE_NOT_TCP;
	}
}

/*
 * A Linux cooked header. It has the sender's link-layer address, but not the
 * receiver's.
 */
struct cooked {
	__u32 len;	   /* bytes of the header */
	__u32 protocol;	   /* offset of the EtherType */
	__u32 address_len; /* offset of the address length's last byte */
	__u8 address;	   /* offset of the sender's address */
};

static const struct cooked cooked_1 = { 16, 14, 5, 6 };
static const struct cooked cooked_2 = { 20, 0, 11, 12 };

#define COOKED_LLC 4 /* ETH_P_802_2 in place of an EtherType: LLC follows */

static enum parse_result parse_cooked(const struct frame *frame,
				      const struct cooked *header,
				      struct segment *segment)
{
	const __u8 *bytes = frame_at(frame, 0, header->len);
	__be16 protocol;

	if (!bytes)
		return frame_short(frame, 0, header->len);
	if (bytes[header->address_len] == MAC_LENGTH)
		segment->source_mac = header->address;
	protocol = be16_at(bytes + header->protocol);
	if (protocol == bpf_htons(COOKED_LLC))
		return parse_llc(frame, header->len, segment);
	return walk_ethertype(frame, header->len, protocol, WALK_WHOLE,
			      segment);
}

static enum parse_result parse_ppp_protocol(const struct frame *frame,
					    __u64 offset,
					    struct segment *segment)
{
	__be16 ethertype;
	const enum parse_result result = skip_ppp(frame, &offset, &ethertype);

	return result == PARSED ? walk_ethertype(frame, offset, ethertype,
						 WALK_WHOLE, segment) :
				  result;
}

/* PPP with the address and control of HDLC, or without; or Cisco's HDLC. */
static enum parse_result parse_ppp(const struct frame *frame, __u64 offset,
				   struct segment *segment)
{
	const __u8 *bytes = frame_at(frame, offset, 4);

	if (!bytes)
		return frame_short(frame, offset, 4);
	if (bytes[0] == 0xff && bytes[1] == 0x03)
		return parse_ppp_protocol(frame, offset + 2, segment);
	if (bytes[0] == 0x0f || bytes[0] == 0x8f)
		return walk_ethertype(frame, offset + 4, be16_at(bytes + 2),
				      WALK_WHOLE, segment);
	return parse_ppp_protocol(frame, offset, segment);
}

#define PPPOE_HEADER 6 /* version and type, code, session, length */

/* A PPPoE session as a device of its own, not on Ethernet. */
static enum parse_result parse_pppoe_session(struct frame *frame,
					     struct segment *segment)
{
	const __u8 *bytes = frame_at(frame, 0, PPPOE_HEADER);
	__u32 len;

	if (!bytes)
		return frame_short(frame, 0, PPPOE_HEADER);
	if (bytes[0] != 0x11 || bytes[1]) /* RFC 2516, 4: not a session's */
		return PARSE_NOT_TCP;
	len = (__u32)(bytes[4] << 8 | bytes[5]);
	if (PPPOE_HEADER + len > frame->wire_len)
		return PARSE_MALFORMED;
	frame->wire_len = PPPOE_HEADER + len;
	if (frame->end > frame->data + frame->wire_len)
		frame->end = frame->data + frame->wire_len;
	return parse_ppp_protocol(frame, PPPOE_HEADER, segment);
}

#define NFLOG_HEADER 4
#define NFLOG_ATTRIBUTE 4 /* bytes of its header: length, then type */
/* linux/netfilter/nfnetlink_log.h */
#define NFLOG_PACKET_HEADER 1 /* begins with the EtherType */
#define NFLOG_PAYLOAD 9
#define NFLOG_ATTRIBUTES 64 /* limit; there are far fewer kinds */

/*
 * The packet: of the families IPv4 and IPv6 as such, of others, such as that of
 * bridges, by its EtherType (0: not given).
 */
static enum parse_result parse_nflog_payload(const struct frame *frame,
					     __u8 family, __be16 ethertype,
					     struct segment *segment)
{
	if (family == AF_INET || family == AF_INET6)
		return parse_ip(frame, 0, segment);
	return ethertype ? walk_ethertype(frame, 0, ethertype, WALK_WHOLE,
					  segment) :
			   PARSE_NOT_TCP;
}

/* Attributes in the byte order of the writing host; one holds the packet. */
static enum parse_result parse_nflog(struct frame *frame, bool is_swapped,
				     struct segment *segment)
{
	const __u8 *header = frame_at(frame, 0, NFLOG_HEADER);
	__u32 offset = NFLOG_HEADER;
	__be16 ethertype = 0;

	if (!header)
		return frame_short(frame, 0, NFLOG_HEADER);
	for (int i = 0; i < NFLOG_ATTRIBUTES; i++) {
		const __u8 *attribute =
			frame_at(frame, offset, NFLOG_ATTRIBUTE);
		__u16 len, type;

		if (offset >= frame->wire_len)
			return PARSE_NOT_TCP; /* no attribute holds a packet */
		if (!attribute)
			return frame_short(frame, offset, NFLOG_ATTRIBUTE);
		memcpy(&len, attribute, 2);
		memcpy(&type, attribute + 2, 2);
		if (is_swapped) {
			len = __builtin_bswap16(len);
			type = __builtin_bswap16(type);
		}
		if (len < NFLOG_ATTRIBUTE || offset + len > frame->wire_len)
			return PARSE_MALFORMED;
		if (type == NFLOG_PAYLOAD) {
			frame->wire_len = offset + len;
			frame_advance(frame, offset + NFLOG_ATTRIBUTE);
			if ((size_t)(frame->end - frame->data) >
			    frame->wire_len)
				frame->end = frame->data + frame->wire_len;
			return parse_nflog_payload(frame, header[0], ethertype,
						   segment);
		}
		if (type == NFLOG_PACKET_HEADER &&
		    frame_at(frame, offset, NFLOG_ATTRIBUTE + 2))
			ethertype = be16_at(attribute + NFLOG_ATTRIBUTE);
		offset += (len + 3U) & ~3U;
	}
	return PARSE_MALFORMED;
}

/*
 * The most frequent link type. The compiler leaves out what it knows of this
 * frame: it is not inside of a tunnel.
 */
static enum parse_result parse_outer_ethernet(const struct frame *frame,
					      struct segment *segment)
{
	const struct frame outer = { .data = frame->data,
				     .end = frame->end,
				     .wire_len = frame->wire_len };

	return parse_ethernet(&outer, segment);
}

static enum parse_result parse_link(__u32 link_type, bool is_swapped,
				    struct frame *frame,
				    struct segment *segment)
{
	switch (link_type) {
	case LINK_ETHERNET:
		return parse_outer_ethernet(frame, segment);
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		return parse_ip(frame, 0, segment);
	case LINK_COOKED:
		return parse_cooked(frame, &cooked_1, segment);
	case LINK_COOKED_2:
		return parse_cooked(frame, &cooked_2, segment);
	case LINK_NULL:
	case LINK_LOOP:
		return parse_loopback(frame, segment);
	case LINK_PPP:
	case LINK_PPP_HDLC:
	case LINK_CISCO_HDLC:
		return parse_ppp(frame, 0, segment);
	case LINK_PPP_PPPD: /* the direction in place of the address */
		return parse_ppp_protocol(frame, 2, segment);
	case LINK_PPP_WITH_DIRECTION:
		return parse_ppp(frame, 1, segment);
	case LINK_PPP_ETHER:
		return parse_pppoe_session(frame, segment);
	case LINK_NFLOG:
		return parse_nflog(frame, is_swapped, segment);
	case LINK_WIFI:
		return parse_wifi(frame, segment);
	case LINK_RADIOTAP:
		return parse_radiotap(frame, segment);
	default:
		return PARSE_LINK_TYPE;
	}
}

enum parse_result link_layer_parse(__u32 link_type, bool is_swapped,
				   struct frame *frame,
				   const struct decap *decap,
				   struct segment *segment)
{
	enum parse_result result;

	segment_reset(segment);
	result = parse_link(link_type, is_swapped, frame, segment);
	result = walk_tunnels(frame, segment, result, decap);
	return other_tunnel(frame, segment, result);
}

/* Whether it is known that UDP carries no tunnel that is opened or counted. */
static bool is_plain_udp(const struct frame *frame,
			 const struct segment *segment,
			 const struct decap *decap)
{
	const __u8 *udp = frame_at(frame, segment->payload_offset,
				   UDP_HEADER + OTHER_TUNNEL_BEGINNING);

	return udp && !segment->is_later &&
	       kind_of_port(bpf_ntohs(be16_at(udp + 2)), decap) ==
		       TUNNEL_NONE &&
	       other_tunnel(frame, segment, PARSE_UDP) == PARSE_UDP;
}

bool link_layer_parse_head(__u32 link_type, const struct frame *head,
			   const struct decap *decap, struct segment *segment,
			   enum parse_result *result)
{
	if (link_type != LINK_ETHERNET)
		return false;
	segment_reset(segment);
	*result = parse_outer_ethernet(head, segment);
	if (*result == PARSE_UDP)
		return is_plain_udp(head, segment, decap);
	*result = other_tunnel(head, segment, *result);
	/* By lengths alone, a packet is malformed, but never cut. */
	return *result != PARSE_CUT && !tunnel_may_follow(*result);
}
