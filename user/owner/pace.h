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

/* All 0: not asked yet. Times in nanoseconds. */
struct pace {
	uint64_t begun; /* processor time, until it has ended */
	uint64_t next;	/* CLOCK_MONOTONIC */
};

static inline uint64_t pace_clock_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * PACE_SECOND + (uint64_t)now.tv_nsec;
}

static inline uint64_t pace_clock(void)
{
	return pace_clock_of(CLOCK_MONOTONIC);
}

/* What this thread has used of a processor: a busy host changes no budget. */
static inline uint64_t pace_processor(void)
{
	return pace_clock_of(CLOCK_THREAD_CPUTIME_ID);
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

	pace->next = pace_clock() + (rest > PACE_SECOND ? rest : PACE_SECOND);
}

#endif
