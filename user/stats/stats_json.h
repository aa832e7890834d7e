/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The counters, for a program: one JSON object a line, on standard error. */
#ifndef BANNERPROBE_STATS_JSON_H
#define BANNERPROBE_STATS_JSON_H

#include "stats.h"

#include <stdio.h>

/* Writes another member of the object, with a comma before it. */
typedef void stats_writer(FILE *file, const void *context);

/*
 * `why`: the reason for the report, "interval", "signal" or "end".
 * `write_interfaces`: writes the statistics of each interface; NULL: there are
 * none.
 */
void stats_print_json(const struct stats *now, const struct stats *before,
		      const char *why, stats_writer *write_interfaces,
		      const void *interfaces);

/* A string, with JSON's quotes, and escaped as in a record. */
void stats_write_json_string(FILE *file, const char *text);

#endif
