/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "losses.h"

#include "system/message.h"

const struct loss_metric_text loss_metrics[LOSS_METRICS] = {
	[LOSS_OF_BANNERS] = { "banners_lost_total",
			      "banners lost: the ring buffer was full, or they "
			      "could not be written",
			      "where" },
	[LOSS_OF_PARTS] = { "greetings_cut_total",
			    "greetings of which a part was lost, or that were "
			    "logged before their end",
			    "reason" },
	[LOSS_BY_RATE] = { "over_the_rate_total",
			   "banners not logged: more in a second than "
			   "--max-rate",
			   NULL },
};

const struct loss losses[] = {
	{ COUNT_LOST_RING, "banners lost: the ring buffer was full",
	  LOSS_OF_BANNERS, "ring" },
	{ COUNT_LOST_PART,
	  "segments of greetings lost: the ring buffer was full", LOSS_OF_PARTS,
	  "lost_part" },
	{ COUNT_CROWDED_OUT,
	  "greetings logged before their end: too many at once", LOSS_OF_PARTS,
	  "crowded_out" },
	{ COUNT_CROWDED_PART,
	  "segments of greetings left out: too many at once", LOSS_OF_PARTS,
	  "crowded_part" },
	{ COUNT_EVICTED,
	  "connections evicted before anything was decided: more --max-flows "
	  "would keep them",
	  LOSS_OUTCOME, NULL },
	{ COUNT_OVER_RATE,
	  "banners not logged: more in a second than --max-rate", LOSS_BY_RATE,
	  NULL },
	{ STATS_LOST_OUTPUT, "records lost: they could not be written",
	  LOSS_OF_BANNERS, "output" },
	{ STATS_LOST_INVENTORY,
	  "events lost for the inventory: not written in time, or for a "
	  "reason that a message names",
	  LOSS_OF_BANNERS, "inventory" },
	{ STATS_LOST_CHANGES,
	  "changes not logged: the log did not take them in time",
	  LOSS_OF_BANNERS, "changes" },
};

const size_t losses_count = sizeof(losses) / sizeof(*losses);

bool is_loss(int value)
{
	for (size_t i = 0; i < losses_count; i++) {
		if (losses[i].value == value)
			return true;
	}
	return false;
}

__u64 losses_sum(const struct stats *now)
{
	__u64 sum = 0;

	for (size_t i = 0; i < losses_count; i++)
		sum += now->by[losses[i].value];
	return sum;
}

void losses_print(const struct stats *now)
{
	for (size_t i = 0; i < losses_count; i++) {
		if (now->by[losses[i].value])
			message("%llu %s", now->by[losses[i].value],
				losses[i].meaning);
	}
}
