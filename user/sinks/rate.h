/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Limits the records of an interface that are logged in a second. */
#ifndef BANNERPROBE_RATE_H
#define BANNERPROBE_RATE_H

#include "system/clock.h"

#include <linux/types.h>
#include <stdbool.h>

#define RATE_PLACES 256 /* interfaces of one place share the limit */

struct rate {
	__u32 most; /* records a second; 0: no limit */
	struct {
		__u64 second; /* that `records` counts */
		__u32 records;
	} places[RATE_PLACES];
};

/*
 * Counts a record of this time, in ns. True: it is over the limit. A late
 * record counts in the latest second: strangers could alternate between two.
 */
static inline bool rate_is_over(struct rate *rate, __u32 ifindex, __u64 time)
{
	const __u64 second = time / NS_PER_SECOND;

	if (!rate->most)
		return false;
	ifindex %= RATE_PLACES;
	if (second > rate->places[ifindex].second) {
		rate->places[ifindex].second = second;
		rate->places[ifindex].records = 0;
	}
	return rate->places[ifindex].records++ >= rate->most;
}

#endif
