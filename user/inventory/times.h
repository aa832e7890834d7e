/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Dates and times in a greeting, in every usual spelling. */
#ifndef BANNERPROBE_TIMES_H
#define BANNERPROBE_TIMES_H

#include <stddef.h>
#include <stdint.h>

enum spelled_time {
	TIME_NONE,
	TIME_NOW,   /* a clock, or a date within two days of now */
	TIME_OTHER, /* a date that is not now: of a build, or by a wrong clock
		     */
};

/*
 * Is there a date, a time or both at `at`, where a word begins? Its end comes
 * back in `end`, 0 for none. `now` is the packet's time, in microseconds since
 * 1970: a server that tells the time tells about this one.
 */
enum spelled_time time_at(const uint8_t *bytes, size_t len, size_t at,
			  uint64_t now, size_t *end);

#endif
