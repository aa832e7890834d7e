/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How long a server has been up: spans of time, which are wild. */
#include "structure.h"

#include <string.h>

/* In English, German, French, Spanish, Portuguese and Italian. */
static const char *const units[] = {
	"ms",	       "msec",	     "seconds",	  "second",    "secs",
	"sec",	       "minutes",    "minute",	  "mins",      "min",
	"hours",       "hour",	     "hrs",	  "hr",	       "days",
	"day",	       "weeks",	     "week",	  "tagen",     "tage",
	"tag",	       "stunden",    "stunde",	  "minuten",   "sekunden",
	"sekunde",     "wochen",     "woche",	  "jours",     "jour",
	"heures",      "heure",	     "secondes",  "seconde",   "semaines",
	"semaine",     "minutos",    "minuto",	  "segundos",  "segundo",
	"d\303\255as", "d\303\255a", "d\355as",	  "d\355a",    "dias",
	"dia",	       "horas",	     "hora",	  "semanas",   "semana",
	"giorni",      "giorno",     "ore",	  "ora",       "minuti",
	"secondi",     "secondo",    "settimane", "settimana",
};

/* Whether a span of time follows; a timeout is not wild. */
static bool lasts(const struct greeting *g, size_t at)
{
	static const char *const words[] = {
		"up",	  "uptime", "up time", "laufzeit", "seit",
		"depuis", "hace",   "desde",   "da",
	};
	size_t end = at;

	/* "Runtime 1.8" is a product. */
	if (greeting_follows(g, at, "took ") ||
	    greeting_follows(g, at, "in ") ||
	    greeting_follows(g, at, "runtime: "))
		return true;
	while (end && g->bytes[end - 1] && strchr(" \t:=", g->bytes[end - 1]))
		end--;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (end < at && greeting_follows(g, end, words[i]))
			return true;
	}
	return false;
}

#define PLURAL "(s)"

static size_t unit_end(const struct greeting *g, size_t at)
{
	if (at < g->len && g->bytes[at] == ' ')
		at++;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t end = at + strlen(units[i]);

		if (greeting_has(g, at, units[i]) && !greeting_is_word(g, end))
			return greeting_has(g, end, PLURAL) ?
				       end + strlen(PLURAL) :
				       end;
	}
	if (at < g->len && strchr("smhdw", g->bytes[at]) && g->bytes[at] &&
	    !greeting_is_letter(g, at + 1))
		return at + 1;
	return 0;
}

/* 5, 5.3, 4:05, 4:05:33 */
static size_t number_end(const struct greeting *g, size_t at)
{
	at = greeting_digits_end(g, at);
	while (at < g->len && (g->bytes[at] == '.' || g->bytes[at] == ':') &&
	       greeting_is_digit(g, at + 1))
		at = greeting_digits_end(g, at + 1);
	return at;
}

#define BETWEEN_MAX 3

/*
 * Where the next number of a span begins: 3 days, 4 hours and 5 minutes; hours
 * may be padded.
 */
static size_t skip_between(const struct greeting *g, size_t at)
{
	static const char *const words[] = { "and ", "und ", "et ", "y ",
					     "e " };
	const size_t from = at;

	while (at < g->len && at < from + BETWEEN_MAX &&
	       (g->bytes[at] == ',' || g->bytes[at] == ' ' ||
		g->bytes[at] == ':'))
		at++;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (greeting_has(g, at, words[i]))
			return at + strlen(words[i]);
	}
	return at;
}

/* 2 08:12: days have no unit before a time of day. */
static bool are_days(const struct greeting *g, size_t at)
{
	const size_t end = greeting_digits_end(g, at + 1);

	return at < g->len && g->bytes[at] == ' ' && end > at + 1 &&
	       end < g->len && g->bytes[end] == ':' &&
	       greeting_is_digit(g, end + 1);
}

static size_t span_end(const struct greeting *g, size_t at)
{
	size_t end = 0, unit, number = at;

	while (greeting_is_digit(g, number)) {
		const size_t digits = greeting_digits_end(g, number);

		number = number_end(g, number);
		unit = unit_end(g, number);
		if (!unit && !end && !are_days(g, number))
			return 0;
		/* "3 days, 9:05, 2 users": no unit, no time of day */
		if (!unit && end && number == digits)
			break;
		end = unit ? unit : number;
		number = skip_between(g, end);
	}
	return end;
}

/* [12345.586645]: since the kernel's start, at a line's beginning. */
static size_t since_boot_end(const struct greeting *g, size_t at)
{
	const size_t dot = greeting_digits_end(g, at),
		     end = greeting_digits_end(g, dot + 1);
	size_t begin = at;

	while (begin && g->bytes[begin - 1] == ' ')
		begin--;
	if (!begin || g->bytes[--begin] != '[' || dot >= g->len ||
	    g->bytes[dot] != '.' || end != dot + 7 || end >= g->len ||
	    g->bytes[end] != ']')
		return 0;
	return !begin || g->bytes[begin - 1] == '\n' ||
			       g->bytes[begin - 1] == '>' ?
		       end :
		       0;
}

size_t duration_at(const struct greeting *g, size_t at, enum wild *wild)
{
	*wild = WILD_DURATION;
	if (!greeting_is_digit(g, at))
		return 0;
	return lasts(g, at) ? span_end(g, at) : since_boot_end(g, at);
}
