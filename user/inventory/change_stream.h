/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A change as the keeper sends it to the probe, which logs it: a datagram in
 * the protocol of inventory_stream.h.
 */
#ifndef BANNERPROBE_CHANGE_STREAM_H
#define BANNERPROBE_CHANGE_STREAM_H

#include "inventory.h"

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define CHANGE_BYTES_MAX 2048 /* bytes of a side's banner; more are cut off */
#define CHANGE_TEXT_MAX 256   /* bytes of another text; more are cut off */

/* The names of the kinds in records and metrics. */
static const char *const change_kind_names[] __attribute__((unused)) = {
#define CHANGE_KIND_NAME(name, text) [name] = text,
	FOR_EACH_CHANGE(CHANGE_KIND_NAME)
#undef CHANGE_KIND_NAME
};

enum change_side_name { CHANGE_OLD, CHANGE_NEW_SIDE, CHANGE_SIDES };

/* The texts of a side, the service before or after; the first is its banner. */
enum change_text {
	CHANGE_SAID,
	CHANGE_SERVICE,
	CHANGE_PRODUCT_NAME,
	CHANGE_VERSION_NAME,
	CHANGE_OWNER_NAME, /* escaped as in the log; of CHANGE_OWNER alone */
	CHANGE_TEXTS,
};

struct stream_change {
	__u64 time;	 /* ns since 1970 */
	__u64 number;	 /* as in struct inventory_change */
	__u32 server[4]; /* as in struct event */
	__u16 server_port;
	__u8 family;
	__u8 kind;		     /* enum change_kind */
	__u8 is_there[CHANGE_SIDES]; /* whether the side has a banner */
	/* Bytes of each text; 0: it is not known. */
	__u16 len[CHANGE_SIDES][CHANGE_TEXTS];
	__u16 tunnel_len; /* bytes of the tunnels' identifiers, as "42/7" */
	__u16 reserved[2];
	/* The texts in the order of `len`, without gaps, then the identifiers.
	 */
	__u8 bytes[];
};
_Static_assert(sizeof(struct stream_change) ==
		       offsetof(struct stream_change, bytes),
	       "the texts follow what describes them");

#define CHANGE_SIZE_MAX                                                        \
	(sizeof(struct stream_change) +                                        \
	 CHANGE_SIDES *                                                        \
		 (CHANGE_BYTES_MAX + (CHANGE_TEXTS - 1) * CHANGE_TEXT_MAX) +   \
	 CHANGE_TEXT_MAX)

static inline size_t change_text_max(int text)
{
	return text == CHANGE_SAID ? CHANGE_BYTES_MAX : CHANGE_TEXT_MAX;
}

/* Whether a datagram of this size is a change: none of it is trusted. */
static inline bool stream_change_is_sound(const struct stream_change *change,
					  size_t size)
{
	size_t sum = sizeof(*change);

	if (size < sum || (change->family != 4 && change->family != 6) ||
	    change->tunnel_len > CHANGE_TEXT_MAX)
		return false;
	for (int side = 0; side < CHANGE_SIDES; side++) {
		for (int text = 0; text < CHANGE_TEXTS; text++) {
			if (change->len[side][text] > change_text_max(text))
				return false;
			sum += change->len[side][text];
		}
	}
	return sum + change->tunnel_len == size;
}

#endif
