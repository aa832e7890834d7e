/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every kind of loss: its name, and where it is counted. */
#ifndef BANNERPROBE_LOSSES_H
#define BANNERPROBE_LOSSES_H

#include "stats.h"

/* The metrics that losses are counted in. */
enum loss_metric {
	LOSS_OF_BANNERS,
	LOSS_OF_PARTS,
	LOSS_BY_RATE,
	LOSS_METRICS,
	LOSS_OUTCOME = LOSS_METRICS, /* in no metric of losses: an outcome */
};

extern const struct loss_metric_text {
	const char *name, *meaning;
	const char *label; /* name of the label with the kind; or NULL */
} loss_metrics[LOSS_METRICS];

extern const struct loss {
	int value;	     /* enum stats_value */
	const char *meaning; /* in a message, behind the number */
	enum loss_metric metric;
	const char *kind; /* value of the metric's label; or NULL */
} losses[];

extern const size_t losses_count;

/* Whether a value of the statistics counts a loss. */
bool is_loss(int value);

/* The sum of all losses. */
__u64 losses_sum(const struct stats *now);

/* Prints a message for each kind of loss that occurred. */
void losses_print(const struct stats *now);

#endif
