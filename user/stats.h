/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The counters, for a person, and what they are called. */
#ifndef BANNERPROBE_STATS_H
#define BANNERPROBE_STATS_H

#include "counters.h"
#include "output.h"

extern const struct counter_text {
	const char *name, *meaning;
} counter_texts[COUNTER_MAX];

/*
 * Prints how many packets there were, every counter, and what became of the
 * records, to standard error.
 */
void stats_print(__u64 packets, const __u64 counters[COUNTER_MAX],
		 const struct output *output);

/* One line for each kind of loss; nothing where nothing was lost. */
void stats_print_losses(const __u64 counters[COUNTER_MAX],
			const struct output *output);

#endif
