/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The counters, for Prometheus: node_exporter's textfile collector. */
#ifndef BANNERPROBE_METRICS_H
#define BANNERPROBE_METRICS_H

#include "interface_stats.h"
#include "options/options.h"
#include "stats.h"
#include "system/file_helper.h"

#define METRICS_SECONDS 10 /* from one writing to the next */

/*
 * Writes the metrics file that the helper knows: whole, and then renamed into
 * place. 0 or negative errno.
 */
int metrics_write(struct file_helper *helper, const struct options *options,
		  const struct stats *now,
		  const struct interface_stats *interfaces);

/*
 * Whether the file can be written, if one was asked for; leaves nothing. False,
 * with a message.
 */
bool metrics_try(struct file_helper *helper, const struct options *options);

/* The reason of a failure, for a message. */
const char *metrics_advice(int error);

#endif
