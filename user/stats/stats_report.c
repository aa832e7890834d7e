/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stats_report.h"

void report_print(struct report *report, const struct stats *now,
		  enum report_reason reason)
{
	static const char *const names[] = { "interval", "signal", "end" };

	if (report->format == STATS_JSON) {
		stats_print_json(now, &report->last, names[reason],
				 report->write_interfaces, report->interfaces);
	} else if (reason == REPORT_INTERVAL) {
		stats_print_line(now, &report->last);
	} else {
		if (report->print_interfaces)
			report->print_interfaces(report->interfaces);
		stats_print_table(now);
	}
	report->last = *now;
}
