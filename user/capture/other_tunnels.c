/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "other_tunnels.h"

#include "tunnels.h"

/* IP protocols (IANA). */
#define PROTO_ESP 50   /* RFC 4303 */
#define PROTO_L2TP 115 /* version 3, RFC 3931 */

/* UDP ports (IANA). */
#define PORT_L2TP 1701 /* RFC 2661 */
#define PORT_GTP_U 2152
#define PORT_TEREDO 3544 /* RFC 4380 */
#define PORT_IPSEC 4500	 /* RFC 3948 */

static bool is_zero(const __u8 *bytes)
{
	return !(bytes[0] | bytes[1] | bytes[2] | bytes[3]);
}

/* The tunnel of UDP to or from `port`, or PARSE_UDP. */
static enum parse_result tunnel_of_port(__u16 port, const __u8 *payload)
{
	switch (port) {
	case PORT_L2TP: /* version 2, and not the T bit of control messages */
		return (payload[0] & 0x80) || (payload[1] & 0xf) != 2 ?
			       PARSE_UDP :
			       PARSE_L2TP;
	case PORT_GTP_U: /* version 1, a G-PDU (3GPP TS 29.281, 5 and 6.1) */
		return payload[0] >> 4 == 3 && payload[1] == 0xff ? PARSE_GTP :
								    PARSE_UDP;
	case PORT_TEREDO: /* IPv6, or an indication before it */
		return payload[0] >> 4 == 6 ||
				       (!payload[0] && payload[1] <= 1) ?
			       PARSE_TEREDO :
			       PARSE_UDP;
	case PORT_IPSEC: /* zeros: IKE; else the SPI of ESP */
		return is_zero(payload) ? PARSE_UDP : PARSE_IPSEC;
	default:
		return PARSE_UDP;
	}
}

static enum parse_result tunnel_of_udp(const struct frame *frame,
				       const struct segment *segment)
{
	const __u8 *udp = frame_at(frame, segment->payload_offset,
				   UDP_HEADER + OTHER_TUNNEL_BEGINNING);
	enum parse_result result;

	if (!udp || segment->is_later)
		return PARSE_UDP;
	result = tunnel_of_port(bpf_ntohs(be16_of(udp + 2)), udp + UDP_HEADER);
	return result != PARSE_UDP ? result :
				     tunnel_of_port(bpf_ntohs(be16_of(udp)),
						    udp + UDP_HEADER);
}

enum parse_result other_tunnel(const struct frame *frame,
			       const struct segment *segment,
			       enum parse_result result)
{
	if (result == PARSE_UDP)
		return tunnel_of_udp(frame, segment);
	if (result != PARSE_NOT_TCP)
		return result;
	switch (segment->protocol) {
	case PROTO_ESP:
		return PARSE_IPSEC;
	case PROTO_L2TP:
		return PARSE_L2TP;
	default:
		return result;
	}
}
