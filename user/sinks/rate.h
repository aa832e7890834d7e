/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How many records of an interface are logged in a second. */
#ifndef BANNERPROBE_RATE_H
#define BANNERPROBE_RATE_H

#include "system/clock.h"

#include <linux/types.h>
#include <stdbool.h>

#define RATE_PLACES 256 /* interfaces of one place share what is allowed */

struct rate {
	__u32 most; /* 0: no limit */
	struct {
		__u64 second;
		__u32 records;
	} places[RATE_PLACES];
};

/*
 * Whether a record of this time (ns) is one too many; else it is counted. One
 * that comes late counts in the latest second: strangers could take turns
 * between two.
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
