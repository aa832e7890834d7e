/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Conditions as numbers, 0 or 1, which are joined without branches: the
 * verifier would follow each branch through all that comes later. Portable C
 * without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_BITS_H
#define BANNERPROBE_BITS_H

#include "platform.h"

/* 0 for 0, 1 for any other number. */
static __always_inline __u32 is_any(__u32 number)
{
	number |= -number;
	OPAQUE(number);
	return number >> 31;
}

/* 1 where a number is at most another, else 0. */
static __always_inline __u32 is_at_most(__u32 number, __u32 most)
{
	return (__u32)(~((__u64)most - number) >> 63);
}

/*
 * `bit` is 0 or 1, which the compiler must not know: it would make a mask of
 * it, 0 or all ones. New kernels' verifiers (6.18) follow both values of a mask
 * wherever it meets a constant, through all that comes later.
 */
static __always_inline __u32 bit_times(__u32 bit, __u32 value)
{
	OPAQUE(bit);
	return bit * value;
}

/* `which`: 1 for the first value, 0 for the second. */
static __always_inline __u32 select_value(__u32 which, __u32 first,
					  __u32 second)
{
	return second ^ bit_times(which, first ^ second);
}

#endif
