/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A change of the inventory as a line of the log. */
#ifndef BANNERPROBE_FORMAT_CHANGE_H
#define BANNERPROBE_FORMAT_CHANGE_H

#include "format.h"
#include "inventory/change_stream.h"

_Static_assert(8 * CHANGE_SIZE_MAX + 1024 <= LINE_MAX_BYTES,
	       "a change fits, in any format");

/*
 * Writes a change as one line, as format_record() does. The change must be one
 * that stream_change_is_sound(). Returns its bytes; 0: the format has no such
 * line.
 */
size_t format_change(enum format format, char *to,
		     const struct stream_change *change);

#endif
