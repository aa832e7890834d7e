/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The counters, for Prometheus: node_exporter's textfile collector. */
#ifndef BANNERPROBE_METRICS_H
#define BANNERPROBE_METRICS_H

#include "counters.h"
#include "attach/interfaces.h"
#include "sinks/line_sink.h"

#define METRICS_SECONDS 10 /* from one writing to the next */

/*
 * Writes the metrics of output->helper: whole, and then renamed into place. 0
 * or negative errno.
 */
int metrics_write(const __u64 counters[COUNTER_MAX], struct output *output,
		  const struct interfaces *interfaces);

#endif
