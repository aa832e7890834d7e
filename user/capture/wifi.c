/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IEEE 802.11 data frames, as captured in monitor mode. */
#include "link_layer.h"

#define FRAME_TYPE 0x0c /* mask for the first byte of Frame Control */
#define FRAME_TYPE_DATA 0x08
#define DATA_NULL 0x40 /* a subtype without data */
#define DATA_QOS 0x80
/* Flags in the second byte of Frame Control. */
#define TO_DS 0x01
#define FROM_DS 0x02
#define MORE_FRAGMENTS 0x04
#define PROTECTED 0x40
#define ORDER 0x80 /* in a QoS frame: HT Control follows */

#define HEADER 24 /* bytes, with three addresses */
#define ADDRESS_1 4
#define ADDRESS_2 10
#define ADDRESS_3 16
#define SEQUENCE_CONTROL 22
#define ADDRESS_4 24
#define QOS_CONTROL 2
#define QOS_AMSDU 0x80
#define HT_CONTROL 4

/* Notes the offsets of the source's and the destination's addresses. */
static void note_addresses(struct segment *segment, __u8 flags)
{
	static const struct {
		__u8 source, destination;
	} at[] = {
		[0] = { ADDRESS_2, ADDRESS_1 },
		[TO_DS] = { ADDRESS_2, ADDRESS_3 },
		[FROM_DS] = { ADDRESS_3, ADDRESS_1 },
		[TO_DS | FROM_DS] = { ADDRESS_4, ADDRESS_3 },
	};

	segment->source_mac = at[flags & (TO_DS | FROM_DS)].source;
	segment->destination_mac = at[flags & (TO_DS | FROM_DS)].destination;
}

/* `is_padded`: the header's length is made a multiple of four. */
static enum parse_result parse_data(const struct frame *frame, bool is_padded,
				    struct segment *segment)
{
	const __u8 *bytes = frame_at(frame, 0, HEADER);
	__u32 len = HEADER;
	bool is_qos;

	if (!bytes)
		return frame_short(frame, 0, HEADER);
	is_qos = bytes[0] & DATA_QOS;
	if ((bytes[1] & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS))
		len += MAC_LENGTH;
	if (is_qos) {
		if (!frame_at(frame, len, QOS_CONTROL))
			return frame_short(frame, len, QOS_CONTROL);
		if (bytes[len] & QOS_AMSDU)
			return bytes[1] & PROTECTED ? PARSE_WIFI_PROTECTED :
						      PARSE_WIFI_AMSDU;
		len += QOS_CONTROL;
		len += bytes[1] & ORDER ? HT_CONTROL : 0;
	}
	if (bytes[1] & PROTECTED)
		return PARSE_WIFI_PROTECTED;
	if (bytes[1] & MORE_FRAGMENTS || bytes[SEQUENCE_CONTROL] & 0x0f)
		return PARSE_FRAGMENT;
	if (is_padded)
		len = (len + 3) & ~3U;
	note_addresses(segment, bytes[1]);
	return parse_llc(frame, len, segment);
}

static enum parse_result parse_frame(const struct frame *frame, bool is_padded,
				     struct segment *segment)
{
	const __u8 *control = frame_at(frame, 0, 2);

	if (!control)
		return frame_short(frame, 0, 2);
	/* Version 0; management and control frames carry no packets. */
	if (control[0] & 0x03 || (control[0] & FRAME_TYPE) != FRAME_TYPE_DATA ||
	    control[0] & DATA_NULL)
		return PARSE_NOT_TCP;
	return parse_data(frame, is_padded, segment);
}

enum parse_result parse_wifi(struct frame *frame, struct segment *segment)
{
	return parse_frame(frame, false, segment);
}

#define RADIOTAP_HEADER 8 /* version, padding, length, what is present */
#define PRESENT_TSFT 0x01
#define PRESENT_FLAGS 0x02
#define PRESENT_MORE 0x80 /* in the fourth byte: another word follows */
#define PRESENT_WORDS 32
#define FLAG_PADDED 0x20
#define FLAG_DAMAGED 0x40 /* the frame's FCS is wrong */

/* The flags field (radiotap.org) of a header with `len` bytes at hand. */
static __u8 radiotap_flags(const __u8 *bytes, __u32 len)
{
	__u32 at = RADIOTAP_HEADER;

	if (!(bytes[4] & PRESENT_FLAGS))
		return 0;
	for (int i = 0; bytes[at - 1] & PRESENT_MORE; i++) {
		at += 4;
		if (at > len || i == PRESENT_WORDS)
			return 0;
	}
	if (bytes[4] & PRESENT_TSFT)
		at = ((at + 7) & ~7U) + 8;
	return at < len ? bytes[at] : 0;
}

enum parse_result parse_radiotap(struct frame *frame, struct segment *segment)
{
	const __u8 *bytes = frame_at(frame, 0, RADIOTAP_HEADER);
	__u32 len;
	__u8 flags;

	if (!bytes)
		return frame_short(frame, 0, RADIOTAP_HEADER);
	len = bytes[2] | (__u32)bytes[3] << 8;
	if (bytes[0] || len < RADIOTAP_HEADER || len > frame->wire_len)
		return PARSE_MALFORMED;
	if ((size_t)(frame->end - frame->data) < len)
		return PARSE_CUT;
	flags = radiotap_flags(bytes, len);
	if (flags & FLAG_DAMAGED)
		return PARSE_MALFORMED;
	frame_advance(frame, len);
	return parse_frame(frame, flags & FLAG_PADDED, segment);
}
