/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "when.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define US_PER_SECOND 1000000LL
#define MOST_SECONDS (1000LL * 366 * 86400)

static const struct {
	const char *name;
	int64_t seconds;
} units[] = {
	{ "s", 1 },
	{ "sec", 1 },
	{ "second", 1 },
	{ "m", 60 },
	{ "min", 60 },
	{ "minute", 60 },
	{ "h", 3600 },
	{ "hr", 3600 },
	{ "hour", 3600 },
	{ "d", 86400 },
	{ "day", 86400 },
	{ "w", 7 * 86400 },
	{ "week", 7 * 86400 },
	{ "month", 30 * 86400 },
	{ "year", 365 * 86400 },
};

static const char *skip_spaces(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

/* Reads a number of `least` to `most` digits; NULL: there is none. */
static const char *number(const char *text, int least, int most, int64_t *value)
{
	int n = 0;

	*value = 0;
	for (; n < most && isdigit((unsigned char)text[n]); n++)
		*value = *value * 10 + text[n] - '0';
	return n < least ? NULL : text + n;
}

static int64_t unit_seconds(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const size_t n = strlen(units[i].name);

		if (!strncasecmp(units[i].name, name, n) &&
		    (len == n || (len == n + 1 && n > 1 &&
				  tolower((unsigned char)name[n]) == 's')))
			return units[i].seconds;
	}
	return 0;
}

/* "a" and "an" count as one, with a blank behind them. */
static const char *read_count(const char *text, int64_t *count)
{
	static const char *const ones[] = { "a ", "an " };

	for (size_t i = 0; i < sizeof(ones) / sizeof(*ones); i++) {
		const size_t len = strlen(ones[i]);

		if (!strncasecmp(text, ones[i], len)) {
			*count = 1;
			return text + len;
		}
	}
	return number(text, 1, 9, count);
}

/* Reads a span. Returns the text behind it; NULL: there is none. */
static const char *read_span(const char *text, int64_t *span)
{
	int64_t count, seconds;
	const char *at = read_count(text, &count);
	size_t len = 0;

	if (!at)
		return NULL;
	at = skip_spaces(at);
	while (isalpha((unsigned char)at[len]))
		len++;
	seconds = unit_seconds(at, len);
	if (!seconds || count > MOST_SECONDS / seconds)
		return NULL;
	*span = count * seconds * US_PER_SECOND;
	return at + len;
}

bool span_parse(const char *text, int64_t *span)
{
	const char *end = read_span(skip_spaces(text), span);

	return end && !*end;
}

/* --- dates ------------------------------------------------------------- */

/* The calendar has no 30th of February: timegm() makes another day of it. */
static bool is_day(const struct tm *c)
{
	struct tm day = { .tm_year = c->tm_year,
			  .tm_mon = c->tm_mon,
			  .tm_mday = c->tm_mday };

	timegm(&day);
	return day.tm_mon == c->tm_mon && day.tm_mday == c->tm_mday;
}

static bool in_calendar(const struct tm *c)
{
	return c->tm_mon >= 0 && c->tm_mon < 12 && is_day(c) &&
	       c->tm_hour < 24 && c->tm_min < 60 && c->tm_sec <= 60;
}

/* HH:MM[:SS[.fraction]] */
static const char *read_clock(const char *at, struct tm *c, int64_t *us)
{
	int64_t hour, minute, second = 0, digit, scale = US_PER_SECOND;

	at = number(at, 2, 2, &hour);
	at = at && *at == ':' ? number(at + 1, 2, 2, &minute) : NULL;
	if (at && *at == ':')
		at = number(at + 1, 2, 2, &second);
	if (!at)
		return NULL;
	c->tm_hour = (int)hour;
	c->tm_min = (int)minute;
	c->tm_sec = (int)second;
	if (*at != '.')
		return at;
	for (at++; isdigit((unsigned char)*at); at++) {
		digit = *at - '0';
		scale /= 10;
		*us += digit * scale;
	}
	return at;
}

/* Z, +01:00; without a zone, local time. */
static const char *read_zone(const char *at, bool *local, int64_t *offset)
{
	int64_t hour, minute;
	const char sign = *at;

	*local = false;
	*offset = 0;
	if (*at == 'Z' || *at == 'z')
		return at + 1;
	if (sign != '+' && sign != '-') {
		*local = true;
		return at;
	}
	at = number(at + 1, 2, 2, &hour);
	if (at && *at == ':')
		at++;
	at = at ? number(at, 2, 2, &minute) : NULL;
	if (at && (hour > 23 || minute > 59))
		return NULL;
	if (at)
		*offset = (sign == '-' ? -60 : 60) * (hour * 60 + minute);
	return at;
}

static bool read_date(const char *text, int64_t *when)
{
	struct tm c = { .tm_isdst = -1 };
	int64_t year, month, day, us = 0, offset = 0;
	bool local = true;
	const char *at = number(text, 4, 4, &year);

	at = at && *at == '-' ? number(at + 1, 2, 2, &month) : NULL;
	at = at && *at == '-' ? number(at + 1, 2, 2, &day) : NULL;
	if (!at)
		return false;
	c.tm_year = (int)year - 1900;
	c.tm_mon = (int)month - 1;
	c.tm_mday = (int)day;
	if (*at == 'T' || *at == 't' || *at == ' ') {
		at = read_clock(at + 1, &c, &us);
		at = at ? read_zone(at, &local, &offset) : NULL;
	}
	if (!at || *at || !in_calendar(&c))
		return false;
	*when = (local ? mktime(&c) : timegm(&c) - offset) * US_PER_SECOND + us;
	return true;
}

static int64_t midnight(int64_t now, int days_before)
{
	const time_t second = (time_t)(now / US_PER_SECOND);
	struct tm c;

	localtime_r(&second, &c);
	c.tm_hour = c.tm_min = c.tm_sec = 0;
	c.tm_mday -= days_before;
	c.tm_isdst = -1;
	return (int64_t)mktime(&c) * US_PER_SECOND;
}

/* "last week" */
static bool read_last(const char *text, int64_t *span)
{
	static const char last[] = "last ";
	char one[16];

	if (strncasecmp(text, last, sizeof(last) - 1))
		return false;
	snprintf(one, sizeof(one), "1 %s", text + sizeof(last) - 1);
	return span_parse(one, span);
}

bool when_parse(const char *text, int64_t now, int64_t *when)
{
	const char *end;
	int64_t span;

	text = skip_spaces(text);
	if (!strcasecmp(text, "now"))
		*when = now;
	else if (!strcasecmp(text, "today"))
		*when = midnight(now, 0);
	else if (!strcasecmp(text, "yesterday"))
		*when = midnight(now, 1);
	else if (read_date(text, when))
		return true;
	else if (read_last(text, &span) ||
		 ((end = read_span(text, &span)) &&
		  (!*end || !strcasecmp(end, " ago"))))
		*when = now - span;
	else
		return false;
	return true;
}
