/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The seed of a random test, from its command line. Without one it is always
 * the same, so that a run can be repeated; 0 takes the time.
 */
#ifndef BANNERPROBE_TESTS_SEED_H
#define BANNERPROBE_TESTS_SEED_H

#include <linux/types.h>
#include <stdlib.h>
#include <time.h>

#define USUAL_SEED 20261127

static inline __u64 seed_from(const char *word)
{
	const __u64 seed = word ? strtoull(word, NULL, 0) : USUAL_SEED;

	return seed ? seed : (__u64)time(NULL);
}

#endif
