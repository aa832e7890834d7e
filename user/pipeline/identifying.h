/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --identify: names in the log what a server is. */
#ifndef BANNERPROBE_IDENTIFYING_H
#define BANNERPROBE_IDENTIFYING_H

#include "pipeline.h"

/*
 * With --identify, reads the rules. To be called by a process that has given up
 * its capabilities and is not confined yet. False, with a message: the rules
 * cannot be used.
 */
bool identifying_open(struct pipeline *pipeline, const struct options *options);
void identifying_close(struct pipeline *pipeline);

/*
 * With --identify, identifies the event's server; NULL: it is not asked for, or
 * not known.
 */
const struct identified *identifying_ask(const struct pipeline *pipeline,
					 const struct event *event);

/* Called between two captures: the clock of the next one may be behind. */
void identifying_forget(const struct pipeline *pipeline);

/* Sets the counters of --identify. */
void identifying_read_counters(const struct pipeline *pipeline,
			       __u64 counters[COUNTER_MAX]);

#endif
