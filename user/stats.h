/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The counters, for a person, and what they are called. */
#ifndef BANNERPROBE_STATS_H
#define BANNERPROBE_STATS_H

#include "counters.h"
#include "output.h"

struct interfaces;

extern const struct counter_text {
	const char *name, *meaning;
} counter_texts[COUNTER_MAX];

/* Prints a line for each interface that is watched, to standard error. */
void stats_print_interfaces(const struct interfaces *interfaces);

/*
 * Likewise how many packets there were, every counter, and what became of the
 * records.
 */
void stats_print(__u64 packets, const __u64 counters[COUNTER_MAX],
		 const struct output *output);

/* One line for each kind of loss; nothing where nothing was lost. */
void stats_print_losses(const __u64 counters[COUNTER_MAX],
			const struct output *output);

#endif
