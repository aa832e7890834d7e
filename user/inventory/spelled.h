/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A date and a time while they are read, piece by piece. */
#ifndef BANNERPROBE_SPELLED_H
#define BANNERPROBE_SPELLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The parts of a date and a time that were read so far. */
struct spelled {
	const uint8_t *bytes;
	size_t len, at;
	int year, month, day; /* 0: not given */
	int weekday;	      /* 1 is Sunday; 0: not given */
	bool clock;
	bool swapped;	 /* month and day may be the other way round */
	int first;	 /* the 24 of 24-03-05, which may be the year */
	bool named;	 /* the month has its name */
	bool bare;	 /* its clock is one only beside a date: 14.13.20 */
	bool date_first; /* 21.09.26 is no clock, before a date was read */
	bool unsure;	 /* its date is one only if it is near: 210926 */
};

/*
 * Each function reads a piece of its kind at s->at, and goes on behind it.
 * False: there is none, and nothing has changed.
 */
bool read_clock(struct spelled *s);
bool read_zone(struct spelled *s);
/* Where the clock comes before noon or after it, in front of the clock. */
bool read_half_day(struct spelled *s);
/* 2026年, 9月 and the like: numbers with marks, in East Asian languages. */
bool read_marked(struct spelled *s);
/* (月), 月曜日, 星期一 and the like, behind a year. */
bool read_marked_weekday(struct spelled *s);
/* Dates that are rarer: 21SEP26, 2026-W39-1, 2026. 9. 21., 210926. */
bool read_rare_date(struct spelled *s);

/* --- small readers ------------------------------------------------------ */

static inline bool digit_at(const struct spelled *s, size_t at)
{
	return at < s->len && s->bytes[at] >= '0' && s->bytes[at] <= '9';
}

static inline bool letter_at(const struct spelled *s, size_t at)
{
	return at < s->len && (s->bytes[at] | 0x20) >= 'a' &&
	       (s->bytes[at] | 0x20) <= 'z';
}

static inline bool is_at(const struct spelled *s, size_t at, char c)
{
	return at < s->len && s->bytes[at] == (uint8_t)c;
}

/* The number of digits at `at`; *value is set for at most 18 of them. */
static inline size_t digits(const struct spelled *s, size_t at, uint64_t *value)
{
	size_t n = 0;

	*value = 0;
	while (n <= 18 && digit_at(s, at + n))
		*value = *value * 10 + (uint64_t)(s->bytes[at + n++] - '0');
	return n;
}

/* 26 is 2026, and 98 is 1998. */
static inline int year_of_two_digits(uint64_t year)
{
	return (int)(year < 70 ? 2000 + year : 1900 + year);
}

static inline bool in_range(uint64_t value, int least, int most)
{
	return value >= (uint64_t)least && value <= (uint64_t)most;
}

#endif
