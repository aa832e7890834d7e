/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How often the kernel is asked anew: at most once a second, and less often
 * where the answer takes long, so that it takes a twentieth of the time at
 * most. A local user can make cgroups and sockets by the hundred thousand.
 */
#ifndef BANNERPROBE_PACE_H
#define BANNERPROBE_PACE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define PACE_SECOND 1000000000ULL
#define PACE_SHARE 20

/* All 0: not asked yet. Times in nanoseconds, of CLOCK_MONOTONIC. */
struct pace {
	uint64_t begun, next;
};

static inline uint64_t pace_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * PACE_SECOND + (uint64_t)now.tv_nsec;
}

static inline bool pace_is_due(const struct pace *pace, uint64_t now)
{
	return now >= pace->next;
}

static inline void pace_begin(struct pace *pace)
{
	pace->begun = pace_clock();
}

static inline void pace_end(struct pace *pace)
{
	const uint64_t took = pace_clock() - pace->begun;

	pace->next = pace->begun + PACE_SECOND;
	if (took * PACE_SHARE > PACE_SECOND)
		pace->next = pace->begun + took * PACE_SHARE;
}

#endif
