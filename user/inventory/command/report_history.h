/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A service's timeline: its forms and its changes. */
#ifndef BANNERPROBE_REPORT_HISTORY_H
#define BANNERPROBE_REPORT_HISTORY_H

#include "report.h"

/* A service; times in microseconds since 1970. */
struct report_subject {
	int64_t id, current; /* the form that it has now */
	int64_t first_seen, last_seen;
	bool gone;
};

struct report_history;

/* NULL, with a message, on failure. */
struct report_history *report_history_open(struct report *report);
void report_history_close(struct report_history *history); /* or NULL */

/* EXIT_DONE, or a message and EXIT_FAILED. */
int report_history_read(struct report_history *history,
			const struct report_subject *subject);
/* Writes a small picture: the service's time within the inventory's. */
void report_history_span(const struct report_history *history, FILE *page);
/* Writes the whole timeline. Returns as report_history_read() does. */
int report_history_write(struct report_history *history, FILE *page);

#endif
