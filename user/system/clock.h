/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Clocks in nanoseconds. */
#ifndef BANNERPROBE_CLOCK_H
#define BANNERPROBE_CLOCK_H

#include <linux/types.h>
#include <time.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_SECOND 1000000000ULL

static inline __u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (__u64)now.tv_sec * NS_PER_SECOND + (__u64)now.tv_nsec;
}

/* The clock of an event's times. */
static inline __u64 monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

#endif
