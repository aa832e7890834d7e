/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The counters, for Prometheus: node_exporter's textfile collector. */
#ifndef BANNERPROBE_METRICS_H
#define BANNERPROBE_METRICS_H

#include "interface_stats.h"
#include "options/options.h"
#include "stats.h"
#include "system/file_helper.h"

#define METRICS_SECONDS 10 /* between two writings */

/*
 * Writes the metrics' file beside its place, and renames it into place. 0 or
 * negative errno.
 */
int metrics_write(struct file_helper *helper, const struct options *options,
		  const struct stats *now,
		  const struct interface_stats *interfaces);

/*
 * Tries whether the metrics' file, if any, can be written, and leaves no file
 * behind. False, with a message, if not.
 */
bool metrics_try(struct file_helper *helper, const struct options *options);

/* Advice for a message about such an error. */
const char *metrics_advice(int error);

#endif
