/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "times.h"

#include "calendar.h"
#include "russian_names.h"
#include "spelled.h"
#include "time_names.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_SECOND 1000000ULL
#define SECONDS_PER_DAY 86400

/* --- pieces ------------------------------------------------------------ */

static bool read_weekday(struct spelled *s)
{
	size_t len, of_month;
	int found = s->weekday ? 0 :
				 weekday_named(s->bytes + s->at, s->len - s->at,
					       &len);

	if (!found && !s->weekday)
		found = rare_weekday_named(s->bytes + s->at, s->len - s->at,
					   s->day, &len);
	if (!found || month_named(s->bytes + s->at, s->len - s->at, &of_month))
		return false;
	s->weekday = found;
	s->at += len;
	s->at += is_at(s, s->at, '.');
	return true;
}

/* "mar" is March, or a Tuesday in French, if another month follows. */
static bool read_month(struct spelled *s)
{
	const bool was_weekday =
		s->month == MONTH_MARCH && s->named && !s->weekday;
	size_t len;
	int found = s->month && !was_weekday ?
			    0 :
			    month_named(s->bytes + s->at, s->len - s->at, &len);

	if (!found && !s->month && (s->day || s->year))
		found = rare_month_named(s->bytes + s->at, s->len - s->at,
					 &len);
	if (!found)
		return false;
	if (was_weekday)
		s->weekday = WEEKDAY_TUESDAY;
	s->month = found;
	s->named = true;
	s->at += len;
	/* sept. 2026, but not the end of a sentence */
	s->at += is_at(s, s->at, '.') && is_at(s, s->at + 1, ' ');
	return true;
}

static bool is_separator(uint8_t byte)
{
	return byte == '-' || byte == '/' || byte == '.';
}

static int full_year(uint64_t year, size_t n)
{
	if (n == 4)
		return in_range(year, 1900, 2199) ? (int)year : 0;
	return n == 2 ? year_of_two_digits(year) : 0;
}

/* 2024-03-05, 5.3.2024, 03/05/24 */
static bool read_numeric_date(struct spelled *s)
{
	uint64_t one, two, three;
	size_t n = digits(s, s->at, &one), at = s->at + n, n2, n3;
	uint8_t separator = at < s->len ? s->bytes[at] : 0;

	if (s->year || s->day || s->month || !n || !is_separator(separator))
		return false;
	n2 = digits(s, at + 1, &two);
	at += 1 + n2;
	if (!n2 || n2 > 2 || !is_at(s, at, (char)separator))
		return false;
	n3 = digits(s, at + 1, &three);
	at += 1 + n3;
	if (is_at(s, at, (char)separator) && digit_at(s, at + 1))
		return false;
	if (n == 4 && n3 >= 1 && n3 <= 2) {
		s->year = full_year(one, 4);
		s->month = (int)two;
		s->day = (int)three;
	} else if (n == 2 && n3 == 1) { /* 26.10.1, as 26.9.21 */
		s->year = full_year(one, 2);
		s->month = (int)two;
		s->day = (int)three;
	} else if (n <= 2 && (n3 == 4 || n3 == 2)) {
		s->year = full_year(three, n3);
		s->day = (int)one;
		s->month = (int)two;
		s->swapped = true;
		s->first = n == 2 && n3 == 2 ? full_year(one, 2) : 0;
		if (s->first && !in_range(one, 1, 31))
			s->day = 1; /* a year, or no date */
	}
	if (!s->year ||
	    !in_range((uint64_t)s->month, 1, s->swapped ? 31 : 12) ||
	    !in_range((uint64_t)s->day, 1, 31)) {
		s->year = s->month = s->day = 0;
		return false;
	}
	/* Or a version. */
	s->bare |= n <= 2 && (n3 == 1 || (n3 == 2 && separator == '.'));
	s->date_first = false;
	s->at = at;
	return true;
}

/* 20240305101112, 20240305T101112Z, 20240305 */
static bool read_compact_date(struct spelled *s)
{
	uint64_t value, clock;
	size_t n = digits(s, s->at, &value);

	if (s->day || (n != 8 && n != 14 && n != 12))
		return false;
	s->clock |= n > 8;
	for (size_t i = n; i > 8; i--)
		value /= 10;
	s->year = full_year(value / 10000, 4);
	s->month = (int)(value / 100 % 100);
	s->day = (int)(value % 100);
	if (!s->year || !in_range((uint64_t)s->month, 1, 12) ||
	    !in_range((uint64_t)s->day, 1, 31)) {
		s->year = s->month = s->day = 0;
		return false;
	}
	s->at += n;
	if (n == 8 && is_at(s, s->at, 'T') &&
	    digits(s, s->at + 1, &clock) == 6) {
		s->clock = true;
		s->at += 7;
	}
	return true;
}

/* 2026-331, 2026331: the day of the year (ISO 8601, 5.2.2.2) */
static bool read_ordinal_date(struct spelled *s)
{
	uint64_t value, day;
	size_t n = digits(s, s->at, &value), at = s->at + n;

	if (n == 4 && is_at(s, at, '-')) {
		n += digits(s, at + 1, &day);
		at = s->at + n + 1;
		value = value * 1000 + day;
	}
	if (s->day || s->month || n != 7 || !in_range(value % 1000, 1, 366) ||
	    !full_year(value / 1000, 4) || is_at(s, at, '.') ||
	    (is_at(s, at, '-') && digit_at(s, at + 1)))
		return false;
	s->year = full_year(value / 1000, 4);
	s->month = 1; /* its day, counted on beyond the month's end */
	s->day = (int)(value % 1000);
	s->at = at;
	return true;
}

/* 5, 05, 5th */
static bool read_day(struct spelled *s)
{
	static const char suffixes[] = "stndrdth";
	uint64_t day;
	size_t n = digits(s, s->at, &day), at = s->at + n;

	if (s->day || n < 1 || n > 2 || !in_range(day, 1, 31) ||
	    is_at(s, at, ':') || (is_at(s, at, '.') && digit_at(s, at + 1)))
		return false;
	for (int i = 0; i < 8; i += 2) {
		if (at + 2 <= s->len && !letter_at(s, at + 2) &&
		    !memcmp(s->bytes + at, suffixes + i, 2))
			at += 2;
	}
	if (letter_at(s, at))
		return false;
	s->day = (int)day;
	s->at = is_at(s, at, '.') ? at + 1 : at;
	return true;
}

static bool read_year(struct spelled *s)
{
	uint64_t year;
	size_t n = digits(s, s->at, &year);
	const bool joined = s->at && s->bytes[s->at - 1] == '-';

	if (s->year || !s->month || (n != 4 && !(n == 2 && joined)) ||
	    (n == 2 && is_at(s, s->at + n, ':')) || letter_at(s, s->at + n))
		return false;
	s->year = full_year(year, n);
	if (!s->year)
		return false;
	s->at += n;
	return true;
}

static bool read_piece(struct spelled *s)
{
	if (digit_at(s, s->at))
		return read_marked(s) || read_clock(s) ||
		       read_numeric_date(s) || read_compact_date(s) ||
		       read_ordinal_date(s) || read_rare_date(s) ||
		       read_day(s) || read_year(s);
	return read_weekday(s) || read_month(s) || read_half_day(s) ||
	       read_marked_weekday(s) || read_zone(s);
}

/* Skips the characters that may be between two pieces. */
static size_t skip_joint(const struct spelled *s)
{
	static const char *const words[] = {
		" at ",	   " of ",	  " on ",	", the ", " de ",
		" um ",	   " a las ",	  " \xc3\xa0 ", " \xe0 ", " alle ",
		" kl. ",   " om ",	  " klo ",	" v ",	  " o godz. ",
		" \xe0s ", " \xc3\xa0s ",
	};
	size_t at = s->at;
	const size_t word = at + is_at(s, at, ',');

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const size_t n = strlen(words[i]),
			     from = *words[i] == ' ' ? word : at;

		if (from + n <= s->len && !memcmp(s->bytes + from, words[i], n))
			return from + n;
	}
	at += russian_joint(s->bytes + at, s->len - at);
	if (at > s->at)
		return at;
	if (is_at(s, at, 'T') || is_at(s, at, '-') || is_at(s, at, '/') ||
	    is_at(s, at, '_'))
		return at + 1;
	/* A clock may follow: 21/Sep/2026:14:13:20, 26/09/21. 14.13.20 */
	if (s->year && s->day && !s->clock) {
		if (is_at(s, at, ':') && digit_at(s, at + 1))
			return at + 1;
		if (is_at(s, at, '.') && is_at(s, at + 1, ' '))
			return at + 2;
	}
	if (is_at(s, at, ',') || is_at(s, at, ';'))
		at++;
	while (at < s->at + 3 && is_at(s, at, ' '))
		at++;
	if (at + 2 < s->len && !memcmp(s->bytes + at, "- ", 2))
		at += 2;
	return at;
}

/* --- comparison with the packet's time ---------------------------------- */

static enum spelled_time judge(const struct spelled *s, uint64_t now)
{
	const long today = (long)(now / US_PER_SECOND / SECONDS_PER_DAY);
	const int weekday = (int)((today + 4) % 7); /* 1970 began on Thursday */
	const int off = s->weekday ? (s->weekday - 1 - weekday + 7) % 7 : 0;

	if (s->month && s->day) {
		if (is_near_date(s->year, s->month, s->day, today) ||
		    (s->swapped &&
		     is_near_date(s->year, s->day, s->month, today)) ||
		    (s->first &&
		     is_near_date(s->first, s->month, s->year % 100, today)))
			return s->bare && !s->clock ? TIME_NONE : TIME_NOW;
		/* 5.3.2024 may be a version. */
		return !s->unsure && !s->bare && (s->named || s->clock) ?
			       TIME_OTHER :
			       TIME_NONE;
	}
	if (s->month || s->day)
		return TIME_NONE; /* "May" is a word, too */
	if (s->clock)
		return s->bare ? TIME_NONE : TIME_NOW;
	return s->weekday && (off <= 1 || off == 6) ? TIME_NOW : TIME_NONE;
}

/* The modified Julian day of 1970. */
#define JULIAN_1970 40587

/*
 * Seconds, milliseconds or microseconds since 1970, or a modified Julian day.
 */
static bool is_epoch(uint64_t value, size_t n, uint64_t now)
{
	static const struct {
		size_t digits;
		uint64_t us;
	} units[] = { { 10, US_PER_SECOND }, { 13, 1000 }, { 16, 1 } };
	const uint64_t most = NEAR_DAYS * SECONDS_PER_DAY * US_PER_SECOND;
	const long day = (long)(now / US_PER_SECOND / SECONDS_PER_DAY);

	if (n == 5)
		return labs((long)value - JULIAN_1970 - day) <= NEAR_DAYS;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (n == units[i].digits) {
			uint64_t us = value * units[i].us;

			return us > now ? us - now < most : now - us < most;
		}
	}
	return false;
}

static bool epoch_at(const struct spelled *s, uint64_t now, size_t *end)
{
	uint64_t value, fraction;
	size_t n = digits(s, s->at, &value);

	if (!is_epoch(value, n, now) || letter_at(s, s->at + n))
		return false;
	*end = s->at + n;
	if (n == 10 && is_at(s, *end, '.') && digit_at(s, *end + 1))
		*end += 1 + digits(s, *end + 1, &fraction);
	return true;
}

/* Reads all pieces. Returns how many; *last: where the last one ends. */
static int read_pieces(struct spelled *s, size_t *last)
{
	int pieces = 0;

	for (; s->at < s->len && read_piece(s); s->at = skip_joint(s)) {
		*last = s->at;
		pieces++;
	}
	return pieces;
}

/* Reads again, where 21.09.26 at the beginning was taken for a clock. */
static int read_date_first(struct spelled *s, size_t at, size_t *last)
{
	*s = (struct spelled){
		.bytes = s->bytes, .len = s->len, .at = at, .date_first = true
	};
	return read_pieces(s, last);
}

bool time_day(const uint8_t *bytes, size_t len, size_t at, long *day)
{
	struct spelled s = { .bytes = bytes, .len = len, .at = at };
	size_t last;

	if (!read_pieces(&s, &last) ||
	    (!s.year && !read_date_first(&s, at, &last)) || !s.year ||
	    !in_range((uint64_t)s.month, 1, 12))
		return false;
	*day = calendar_days(s.year, s.month, s.day);
	return true;
}

enum spelled_time time_at(const uint8_t *bytes, size_t len, size_t at,
			  uint64_t now, size_t *end)
{
	struct spelled s;
	enum spelled_time found;
	size_t last = 0;

	*end = 0;
	if (at >= len || !may_begin_time(bytes + at, len - at))
		return TIME_NONE;
	s = (struct spelled){ .bytes = bytes, .len = len, .at = at };
	if (epoch_at(&s, now, end))
		return TIME_NOW;
	found = read_pieces(&s, &last) ? judge(&s, now) : TIME_NONE;
	if (found == TIME_NONE && s.clock && s.bare &&
	    read_date_first(&s, at, &last))
		found = judge(&s, now);
	/* "Sun" without a date is a company. */
	if (found == TIME_NOW && s.weekday && !s.day && !s.clock &&
	    last - at <= 4)
		found = TIME_NONE;
	*end = found == TIME_NONE ? 0 : last;
	return found;
}
