/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Parses packets of all link types that captures have, down to the TCP segment.
 * Hooks meet only Ethernet and IP.
 */
#ifndef BANNERPROBE_LINK_LAYER_H
#define BANNERPROBE_LINK_LAYER_H

#include "layers.h"
#include "tunnels.h"

/* As capture files number them: https://www.tcpdump.org/linktypes.html */
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51,
	LINK_RAW = 101,
	LINK_CISCO_HDLC = 104,
	LINK_WIFI = 105,
	LINK_LOOP = 108,
	LINK_COOKED = 113,
	LINK_RADIOTAP = 127,
	LINK_PPP_PPPD = 166,
	LINK_PPP_WITH_DIRECTION = 204,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_NFLOG = 239,
	LINK_COOKED_2 = 276,
};

/*
 * Parses a packet, with the tunnels that `decap` asks for. Moves the beginning
 * of the frame to the header with link-layer addresses or, if there is none, to
 * the IP header. `is_swapped`: a host of the other byte order wrote the
 * capture.
 */
enum parse_result link_layer_parse(__u32 link_type, bool is_swapped,
				   struct frame *frame,
				   const struct decap *decap,
				   struct segment *segment);

/*
 * Parses a packet by its first bytes as link_layer_parse() does, if it is TCP
 * without what few packets have. Inline: nearly all packets are so.
 */
static inline bool link_layer_parse_plain(__u32 link_type, const __u8 *bytes,
					  __u32 len, __u32 wire_len,
					  struct segment *segment)
{
	const struct frame frame = { .data = bytes,
				     .end = bytes + len,
				     .wire_len = wire_len };

	if (link_type != LINK_ETHERNET)
		return false;
	segment_reset(segment);
	return walk_ethernet(&frame, WALK_SHORT, segment) == PARSED;
}

/*
 * Parses a packet by its first bytes. False: more of them may give another
 * result.
 */
bool link_layer_parse_head(__u32 link_type, const struct frame *head,
			   const struct decap *decap, struct segment *segment,
			   enum parse_result *result);

/* --- for wifi.c */

/* Moves the beginning of a frame; false if fewer bytes are at hand. */
bool frame_advance(struct frame *frame, __u32 len);

/* Parses LLC with SNAP, at `offset`. */
enum parse_result parse_llc(const struct frame *frame, __u64 offset,
			    struct segment *segment);

/* Parse IEEE 802.11 frames, and those with a radiotap header before them. */
enum parse_result parse_wifi(struct frame *frame, struct segment *segment);
enum parse_result parse_radiotap(struct frame *frame, struct segment *segment);

#endif
