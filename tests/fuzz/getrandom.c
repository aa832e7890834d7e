/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Replaces the C library's, so that an input gives the same result each time.
 */
#include <sys/random.h>

#include <stdint.h>

ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
	uint64_t state = 1;

	(void)flags;
	for (size_t i = 0; i < length; i++) {
		/* Knuth's linear congruential generator (MMIX). */
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		((uint8_t *)buffer)[i] = (uint8_t)(state >> 56);
	}
	return (ssize_t)length;
}
