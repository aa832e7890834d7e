/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes an event as a line of text. Nothing is allocated, and nothing is read
 * beyond the event. The bytes of an event are written as printable ASCII: 0x20
 * to 0x7e as they are, a backslash doubled, any other byte as \xhh.
 */
#ifndef BANNERPROBE_FORMAT_H
#define BANNERPROBE_FORMAT_H

#include "event.h"
#include "format_identity.h"
#include "options/options.h"
#include "service_owner.h"
#include "source.h"

#include <stddef.h>
#include <time.h>

/*
 * The most bytes that an event takes in any format. A line of json: five for
 * each of the event's bytes, six for each byte of a file name of PATH_MAX, of
 * an interface's name and of an owner, 160 for each tunnel, IDENTITY_MAX_BYTES,
 * and the rest. In Zeek's format each HTTP header is a line: the shortest
 * header, "VIA:" and its line end, turns five bytes into 130 at most.
 */
#define LINE_MAX_BYTES (27 * BANNER_MAX + 1024)

_Static_assert(5 * BANNER_MAX + 6 * 4096 + 6 * CAPTURE_IFACE_MAX +
			       160 * TUNNELS_MAX + IDENTITY_MAX_BYTES +
			       6 * sizeof(struct service_owner) + 1024 <=
		       LINE_MAX_BYTES,
	       "a line of json fits");

/*
 * Writes an event as a line with a newline, in Zeek's format as one or more
 * lines, to `to`, which has room for LINE_MAX_BYTES. Returns the number of
 * bytes written: 0 where the format leaves such an event out.
 */
size_t format_record(enum format format, char *to, const struct event *record,
		     const struct source *source);

/* Write the lines before and after all records, likewise; 0: there are none. */
size_t format_header(enum format format, char *to, time_t now);
size_t format_footer(enum format format, char *to, time_t now);

#endif
