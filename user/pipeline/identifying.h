/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --identify: what a server is, as the log tells it. */
#ifndef BANNERPROBE_IDENTIFYING_H
#define BANNERPROBE_IDENTIFYING_H

#include "pipeline.h"

/*
 * Reads the rules that the options name, where they ask for that, for this
 * pipeline. To be called by a process that has given up its capabilities, and
 * is not confined yet. False, with a message: they cannot be used.
 */
bool identifying_open(struct pipeline *pipeline, const struct options *options);
void identifying_close(struct pipeline *pipeline);

/* What said this is; NULL: not asked for, or not known. */
const struct identified *identifying_ask(const struct pipeline *pipeline,
					 const struct event *event);

/* The next event has nothing to do with those before. */
void identifying_forget(const struct pipeline *pipeline);

/* Sets what identifying counts. */
void identifying_read_counters(const struct pipeline *pipeline,
			       __u64 counters[COUNTER_MAX]);

#endif
