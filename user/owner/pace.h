/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Limits how often the kernel is asked again: once a second, and less often if
 * the answers take long, so that they take at most a twentieth of the time. A
 * local user can make cgroups and sockets by the hundred thousand.
 */
#ifndef BANNERPROBE_PACE_H
#define BANNERPROBE_PACE_H

#include "system/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define PACE_SHARE 20

/* All 0: not asked yet. Times in nanoseconds. */
struct pace {
	uint64_t begun; /* CPU time when it began */
	uint64_t next;	/* CLOCK_MONOTONIC: not before this */
};

/* CPU time of this thread, so that other load on the host does not count. */
static inline uint64_t pace_processor(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static inline bool pace_is_due(const struct pace *pace, uint64_t now)
{
	return now >= pace->next;
}

static inline void pace_begin(struct pace *pace)
{
	pace->begun = pace_processor();
}

static inline void pace_end(struct pace *pace)
{
	const uint64_t rest = PACE_SHARE * (pace_processor() - pace->begun);

	pace->next =
		monotonic_ns() + (rest > NS_PER_SECOND ? rest : NS_PER_SECOND);
}

#endif
