/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random numbers that come from a seed alone. */
#ifndef BANNERPROBE_TESTS_CHANCE_H
#define BANNERPROBE_TESTS_CHANCE_H

#include "platform.h"

struct chance {
	__u64 state;
};

/* SplitMix64. */
static inline __u64 draw(struct chance *chance)
{
	__u64 z = chance->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline int below(struct chance *chance, int limit)
{
	return (int)((draw(chance) >> 32) * (__u64)limit >> 32);
}

static inline bool one_in(struct chance *chance, int number)
{
	return below(chance, number) == 0;
}

#endif
