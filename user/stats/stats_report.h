/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The reports of --stats: at an interval, on a signal, at the end. */
#ifndef BANNERPROBE_STATS_REPORT_H
#define BANNERPROBE_STATS_REPORT_H

#include "options/options.h"
#include "stats_json.h"

enum report_reason {
	REPORT_INTERVAL, /* in a line */
	REPORT_SIGNAL,
	REPORT_END,
};

struct report {
	enum stats_format format;
	struct stats last;		/* as last printed */
	stats_writer *write_interfaces; /* into a JSON object; or NULL */
	void (*print_interfaces)(const void *interfaces); /* or NULL */
	const void *interfaces;
};

/* Prints the statistics to standard error. */
void report_print(struct report *report, const struct stats *now,
		  enum report_reason reason);

#endif
