/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the time of day, and its zone. */
#include "spelled.h"

#include <string.h>
#include <strings.h>

static const char *const zones[] = {
	"Z",	"UTC",	"UT",	"GMT",	"CET",	"CEST", "MET",	"MEST", "MEZ",
	"EST",	"EDT",	"CST",	"CDT",	"MST",	"MDT",	"PST",	"PDT",	"BST",
	"IST",	"JST",	"KST",	"HKT",	"SGT",	"MSK",	"EET",	"EEST", "WET",
	"SAST", "WEST", "AEST", "AEDT", "ACST", "AWST", "NZST", "NZDT", "BRT",
};

static size_t skip_half_day(const struct spelled *s, size_t at)
{
	size_t to = is_at(s, at, ' ') ? at + 1 : at;

	if (to + 4 <= s->len && s->bytes[to + 1] == '.' &&
	    (s->bytes[to] == 'a' || s->bytes[to] == 'p') &&
	    !memcmp(s->bytes + to + 2, "m.", 2))
		return to + 4;

	if (to + 2 <= s->len &&
	    (!strncasecmp((const char *)s->bytes + to, "am", 2) ||
	     !strncasecmp((const char *)s->bytes + to, "pm", 2)) &&
	    !letter_at(s, to + 2))
		return to + 2;
	return at;
}

/* 9:05, 09:05:59, 09:05:59.123, 9:05 PM */
static bool read_colon_clock(struct spelled *s)
{
	uint64_t hour, minute, second;
	size_t n = digits(s, s->at, &hour), at = s->at + n;

	if (s->clock || n < 1 || n > 2 || hour > 24 || !is_at(s, at, ':') ||
	    digits(s, at + 1, &minute) != 2 || minute > 59)
		return false;
	at += 3;
	if (is_at(s, at, ':') && digits(s, at + 1, &second) == 2 &&
	    second <= 60) {
		at += 3;
		if ((is_at(s, at, '.') || is_at(s, at, ',')) &&
		    digit_at(s, at + 1))
			at += 1 + digits(s, at + 1, &second);
	}
	at = skip_half_day(s, at);
	if (is_at(s, at, ':') || digit_at(s, at) ||
	    (letter_at(s, at) && !is_at(s, at, 'Z')))
		return false;
	s->clock = true;
	s->at = at;
	return true;
}

static bool two_digits(const struct spelled *s, size_t at, int most)
{
	uint64_t value;

	return digits(s, at, &value) == 2 && in_range(value, 0, most);
}

static bool ends_at(const struct spelled *s, size_t at)
{
	return !digit_at(s, at) && !letter_at(s, at) &&
	       !(is_at(s, at, '.') && digit_at(s, at + 1));
}

/* 14.13.20, which may be a version, or a date */
static bool read_dotted_clock(struct spelled *s)
{
	if (s->clock || s->date_first || !two_digits(s, s->at, 23) ||
	    !is_at(s, s->at + 2, '.') || !two_digits(s, s->at + 3, 59) ||
	    !is_at(s, s->at + 5, '.') || !two_digits(s, s->at + 6, 60) ||
	    !ends_at(s, s->at + 8))
		return false;
	s->clock = s->bare = true;
	s->at += 8;
	return true;
}

/*
 * Whether 15.13 is a clock behind this date: a word is before it, or the date
 * is written as where clocks are so, 21.9.2026. In "2026-09-21 15.13" it is a
 * release, and in English "v" is before one.
 */
static bool may_precede_dots(const struct spelled *s)
{
	size_t at = s->at;
	bool version = false;

	while (at > 5 && (s->bytes[at - 1] == ' ' || s->bytes[at - 1] == ',' ||
			  s->bytes[at - 1] == 'v'))
		version |= s->bytes[--at] == 'v';
	if (at < 5)
		return false;
	if (is_at(s, at - 1, '.') || (!version && !digit_at(s, at - 1)))
		return true;
	at -= is_at(s, at - 5, ' ') ? 6 : 5; /* behind the day and the month */
	return is_at(s, at, '.') || is_at(s, at, '/');
}

/* 15.13 or 3.13 PM, behind a date */
static bool read_short_dotted_clock(struct spelled *s)
{
	uint64_t hour;
	const size_t n = digits(s, s->at, &hour), at = s->at + n,
		     end = skip_half_day(s, at + 3);

	if (s->clock || !s->day || !s->month || !s->year || hour > 23 ||
	    !is_at(s, at, '.') || !two_digits(s, at + 1, 59) ||
	    !ends_at(s, end) || !may_precede_dots(s))
		return false;
	s->clock = true;
	s->at = end;
	return true;
}

/* The end of "min20s" or "m20s", behind 14h13; `at`: there is none. */
static size_t seconds_end(const struct spelled *s, size_t at)
{
	const bool min = at + 3 <= s->len && !memcmp(s->bytes + at, "min", 3);
	const size_t second = at + (min ? 3 : 1);

	if (!min && !is_at(s, at, 'm'))
		return at;
	if (!two_digits(s, second, 60))
		return second;
	return second + 2 + is_at(s, second + 2, 's');
}

/* 14h13, 14h13min20s */
static bool read_hour_clock(struct spelled *s)
{
	uint64_t hour;
	const size_t n = digits(s, s->at, &hour), at = s->at + n;
	size_t end;

	if (s->clock || n < 1 || n > 2 || hour > 23 ||
	    !(is_at(s, at, 'h') || is_at(s, at, 'H')) ||
	    !two_digits(s, at + 1, 59))
		return false;
	end = seconds_end(s, at + 3);
	if (!ends_at(s, end))
		return false;
	s->clock = s->bare = true;
	s->at = end;
	return true;
}

/* 141320, 141320.92 or 1413Z, behind a date */
static bool read_compact_clock(struct spelled *s)
{
	uint64_t value, fraction;
	const size_t n = digits(s, s->at, &value);
	size_t at = s->at + n;

	if (s->clock || !s->day || !s->month || !s->year ||
	    !(n == 6 || (n == 4 && is_at(s, at, 'Z'))))
		return false;
	value = n == 4 ? value * 100 : value;
	if (value / 10000 > 23 || value / 100 % 100 > 59 || value % 100 > 60)
		return false;
	if (is_at(s, at, '.') && digit_at(s, at + 1))
		at += 1 + digits(s, at + 1, &fraction);
	if (!ends_at(s, at) && !is_at(s, at, 'Z'))
		return false;
	s->clock = true;
	s->at = at;
	return true;
}

bool read_clock(struct spelled *s)
{
	size_t at = s->at;

	if (s->clock)
		return false;
	while (at < s->at + 3 && digit_at(s, at))
		at++;
	if (is_at(s, at, ':'))
		return read_colon_clock(s);
	if (is_at(s, at, '.'))
		return read_dotted_clock(s) || read_short_dotted_clock(s);
	return letter_at(s, at) ? read_hour_clock(s) :
				  digit_at(s, at) && read_compact_clock(s);
}

bool read_half_day(struct spelled *s)
{
	/* Korean, Chinese and Japanese */
	static const char words[][7] = {
		"\xec\x98\xa4\xec\xa0\x84", "\xec\x98\xa4\xed\x9b\x84",
		"\xe4\xb8\x8a\xe5\x8d\x88", "\xe4\xb8\x8b\xe5\x8d\x88",
		"\xe5\x8d\x88\xe5\x89\x8d", "\xe5\x8d\x88\xe5\xbe\x8c",
	};

	if (!s->year || s->clock)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t at = s->at + 6;

		if (at > s->len || memcmp(s->bytes + s->at, words[i], 6))
			continue;
		at += is_at(s, at, ' ');
		if (!digit_at(s, at))
			return false;
		s->at = at;
		return true;
	}
	return false;
}

/* +0100, -05:00 */
static size_t zone_offset(const struct spelled *s, size_t at)
{
	uint64_t value;
	size_t n;

	if (!is_at(s, at, '+') && !is_at(s, at, '-'))
		return at;
	n = digits(s, at + 1, &value);
	if (n == 4)
		return at + 5;
	if (n == 2 && is_at(s, at + 3, ':') && digits(s, at + 4, &value) == 2)
		return at + 6;
	return n == 2 && !is_at(s, at + 3, '-') ? at + 3 : at;
}

bool read_zone(struct spelled *s)
{
	const bool bracket = is_at(s, s->at, '(');
	size_t at = s->at + bracket, n = 0, end;

	if (!s->clock)
		return false;
	end = zone_offset(s, at);
	if (end == at) {
		while (letter_at(s, at + n))
			n++;
		for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
			if (n == strlen(zones[i]) &&
			    !memcmp(s->bytes + at, zones[i], n))
				end = at + n;
		}
	}
	if (end == at || (bracket && !is_at(s, end, ')')))
		return false;
	s->at = bracket ? end + 1 : end;
	return true;
}
