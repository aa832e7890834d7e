/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A record as a line of text. Nothing is allocated, nothing is read beyond
 * the record, and no byte of a banner comes out but as printable ASCII: 0x20
 * to 0x7e stand for themselves, a backslash is doubled, any other byte is \xhh.
 */
#ifndef BANNERPROBE_FORMAT_H
#define BANNERPROBE_FORMAT_H

#include "event.h"
#include "options/options.h"
#include "service_owner.h"
#include "source.h"

#include <stddef.h>
#include <time.h>

/*
 * The most bytes that come of a record, in any format. A line of json: five for
 * each byte of the banner, six for each byte of a file name of PATH_MAX and of
 * an interface's name, 160 for each layer of tunnels, and the rest. In Zeek's
 * format each header of HTTP is a line: the shortest, "VIA:" and its line end,
 * makes at most 130 of five. An owner: six for each of its bytes.
 */
#define LINE_MAX_BYTES (27 * BANNER_MAX + 1024)

_Static_assert(5 * BANNER_MAX + 6 * 4096 + 6 * CAPTURE_IFACE_MAX +
			       160 * TUNNELS_MAX +
			       6 * sizeof(struct service_owner) + 1024 <=
		       LINE_MAX_BYTES,
	       "a line of json fits");

/*
 * Writes a record as one line with its newline to `to`, which has room for
 * LINE_MAX_BYTES; in Zeek's format it may be several. Returns the bytes
 * written: 0 where the format leaves such a record out.
 */
size_t format_record(enum format format, char *to, const struct event *record,
		     const struct source *source);

/* The lines before and after the records, likewise; 0 where there are none. */
size_t format_header(enum format format, char *to, time_t now);
size_t format_footer(enum format format, char *to, time_t now);

#endif
