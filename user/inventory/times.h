/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds dates and times in a greeting, in every usual spelling. */
#ifndef BANNERPROBE_TIMES_H
#define BANNERPROBE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spelled_time {
	TIME_NONE,
	TIME_NOW,   /* a clock, or a date within two days of now */
	TIME_OTHER, /* a date far from now: of a build, or of a wrong clock
		     */
};

/*
 * Finds a date, a time or both at `at`, where a word begins. *end: its end, 0
 * if there is none. `now`: the packet's time, in microseconds since 1970, which
 * a server's clock should be near to.
 */
enum spelled_time time_at(const uint8_t *bytes, size_t len, size_t at,
			  uint64_t now, size_t *end);

/*
 * The day of the date at `at`, since 1970. False: there is none with a year.
 */
bool time_day(const uint8_t *bytes, size_t len, size_t at, long *day);

#endif
