/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads dates in rarer spellings. */
#include "spelled.h"
#include "time_names.h"

#include <string.h>

#define NAME_LETTERS 3 /* of a month within a word */

/* 21SEP26, 21Sep2026 */
static bool read_joined_date(struct spelled *s)
{
	uint64_t day, year;
	const size_t n = digits(s, s->at, &day), name = s->at + n;
	size_t len, n_year;
	int month;

	if (s->day || s->month || n < 1 || n > 2 || !in_range(day, 1, 31) ||
	    name + NAME_LETTERS > s->len)
		return false;
	month = month_named(s->bytes + name, NAME_LETTERS, &len);
	n_year = digits(s, name + NAME_LETTERS, &year);
	if (!month || len != NAME_LETTERS || (n_year != 2 && n_year != 4) ||
	    letter_at(s, name + NAME_LETTERS + n_year) ||
	    (n_year == 4 && !in_range(year, 1900, 2199)))
		return false;
	s->year = n_year == 4 ? (int)year : year_of_two_digits(year);
	s->month = month;
	s->day = (int)day;
	s->named = true;
	s->at = name + NAME_LETTERS + n_year;
	return true;
}

/* How many days after January 4 its week began: January 4 is in week 1. */
static int days_into_week(int year)
{
	const int y = year - 1;

	/* The weekday of January 4, from Monday: January 1 of year 1 is one. */
	return (y * 365 + y / 4 - y / 100 + y / 400 + 3) % 7;
}

/* 2026-W39-1 (ISO 8601, 5.2.3.2) */
static bool read_week_date(struct spelled *s)
{
	uint64_t year, week, day;
	const size_t at = s->at + 4;

	if (s->day || s->month || digits(s, s->at, &year) != 4 ||
	    !in_range(year, 1900, 2199) || !is_at(s, at, '-') ||
	    !is_at(s, at + 1, 'W') || digits(s, at + 2, &week) != 2 ||
	    !in_range(week, 1, 53) || !is_at(s, at + 4, '-') ||
	    digits(s, at + 5, &day) != 1 || !in_range(day, 1, 7))
		return false;
	s->year = (int)year;
	s->month = 1; /* its day, counted on beyond the month's end */
	s->day = (int)(week - 1) * 7 + (int)day + 3 - days_into_week(s->year);
	s->at = at + 6;
	return true;
}

/* 2026.264, the day of the year, beside a clock */
static bool read_dotted_day(struct spelled *s)
{
	uint64_t year, day;
	const size_t at = s->at + 5;

	if (s->day || s->month || digits(s, s->at, &year) != 4 ||
	    !in_range(year, 1900, 2199) || !is_at(s, at - 1, '.') ||
	    digits(s, at, &day) != 3 || !in_range(day, 1, 366) ||
	    (is_at(s, at + 3, '.') && digit_at(s, at + 4)))
		return false;
	s->year = (int)year;
	s->month = 1;
	s->day = (int)day;
	s->unsure = s->bare = true;
	s->at = at + 3;
	return true;
}

/* Reads a number, a dot and perhaps a space. */
static bool read_with_dot(struct spelled *s, uint64_t *value, size_t *n)
{
	*n = digits(s, s->at, value);
	if (!*n || !is_at(s, s->at + *n, '.'))
		return false;
	s->at += *n + 1;
	s->at += is_at(s, s->at, ' ');
	return true;
}

/* 2026. 9. 21., 21. 9. 2026 */
static bool read_spaced_date(struct spelled *s)
{
	const size_t begin = s->at;
	uint64_t value[3];
	size_t n[3];
	bool first;

	if (s->day || s->month || !read_with_dot(s, &value[0], &n[0]) ||
	    s->bytes[s->at - 1] != ' ' || !read_with_dot(s, &value[1], &n[1]))
		goto none;
	n[2] = digits(s, s->at, &value[2]);
	first = n[0] == 4;
	s->at += n[2];
	if (n[first ? 2 : 0] > 2 || n[1] > 2 || n[first ? 0 : 2] != 4 ||
	    !in_range(value[first ? 0 : 2], 1900, 2199) ||
	    !in_range(value[1], 1, 12) ||
	    !in_range(value[first ? 2 : 0], 1, 31) || letter_at(s, s->at))
		goto none;
	s->year = (int)value[first ? 0 : 2];
	s->month = (int)value[1];
	s->day = (int)value[first ? 2 : 0];
	s->at += first && is_at(s, s->at, '.');
	return true;
none:
	s->at = begin;
	return false;
}

/* 210926 or 260921, beside a clock or in a list; 260921141320S */
static bool read_short_date(struct spelled *s)
{
	const bool listed = s->at && s->bytes[s->at - 1] == ',';
	uint64_t value;
	const size_t n = digits(s, s->at, &value);

	/* Meters write S or W, for summer or winter time (IEC 62056-21). */
	const bool season =
		n == 12 && !letter_at(s, s->at + n + 1) &&
		(is_at(s, s->at + n, 'S') || is_at(s, s->at + n, 'W'));

	if (s->year || s->day || s->month || (n != 6 && n != 12) ||
	    (letter_at(s, s->at + n) && !season))
		return false;
	value /= n == 12 ? 1000000 : 1;
	s->first = year_of_two_digits(value / 10000);
	s->day = (int)(value / 10000);
	s->month = (int)(value / 100 % 100);
	s->year = year_of_two_digits(value % 100);
	if (!in_range((uint64_t)s->month, 1, 12)) {
		s->year = s->month = s->day = s->first = 0;
		return false;
	}
	s->day = s->day && s->day < 32 ? s->day : 1; /* a year, or no date */
	s->swapped = s->unsure = true;
	s->bare |= n == 6 && !listed;
	s->clock |= n == 12;
	s->at += n + season;
	return true;
}

/* 2026. szeptember: the year, before a month's name */
static bool read_first_year(struct spelled *s)
{
	const size_t begin = s->at;
	uint64_t year;
	size_t n, len;

	if (s->year || !read_with_dot(s, &year, &n) || n != 4 ||
	    !in_range(year, 1900, 2199) || s->bytes[s->at - 1] != ' ' ||
	    (!month_named(s->bytes + s->at, s->len - s->at, &len) &&
	     !rare_month_named(s->bytes + s->at, s->len - s->at, &len))) {
		s->at = begin;
		return false;
	}
	s->year = (int)year;
	return true;
}

bool read_rare_date(struct spelled *s)
{
	uint64_t value;
	size_t n;

	if (s->day || s->month)
		return false;
	/* Nearly all numbers are refused by their length. */
	n = digits(s, s->at, &value);
	switch (n) {
	case 1:
	case 2:
		return letter_at(s, s->at + n) ? read_joined_date(s) :
						 read_spaced_date(s);
	case 4:
		return read_week_date(s) || read_dotted_day(s) ||
		       read_spaced_date(s) || read_first_year(s);
	case 6:
	case 12:
		return read_short_date(s);
	default:
		return false;
	}
}
