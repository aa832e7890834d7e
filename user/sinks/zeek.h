/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The log that IVRE's passive reconnaissance reads: Zeek's ASCII format, with
 * the rows that IVRE's script for Zeek writes for the same connection.
 */
#ifndef BANNERPROBE_ZEEK_H
#define BANNERPROBE_ZEEK_H

#include "event.h"
#include "source.h"

#include <time.h>

/*
 * Writes the rows of an event, whole lines, to `to`, which has room for
 * LINE_MAX_BYTES (format.h). Returns the number of bytes: 0 where there are no
 * rows.
 */
size_t zeek_record(char *to, const struct event *event,
		   const struct source *source);

/* The lines before and after the rows, likewise. */
size_t zeek_header(char *to, time_t now);
size_t zeek_footer(char *to, time_t now);

#endif
