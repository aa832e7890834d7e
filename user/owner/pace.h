/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Limits how often the kernel is asked again: once a second, and less often if
 * the answers take long, so that they take at most a twentieth of the time. A
 * local user can make cgroups and sockets by the hundred thousand.
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
	uint64_t begun; /* CPU time when it began */
	uint64_t next;	/* CLOCK_MONOTONIC: not before this */
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

/* CPU time of this thread, so that other load on the host does not count. */
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
