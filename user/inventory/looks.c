/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "looks_pieces.h"

#include <string.h>

bool symbol_is_digit(uint16_t symbol)
{
	return literal(symbol) >= '0' && literal(symbol) <= '9';
}

bool symbol_is_letter(uint16_t symbol)
{
	uint8_t byte = literal(symbol) | 0x20;

	return byte >= 'a' && byte <= 'z';
}

bool symbol_is_word(uint16_t symbol)
{
	return symbol_is_digit(symbol) || symbol_is_letter(symbol);
}

bool symbol_is_space(uint16_t symbol)
{
	uint8_t byte = literal(symbol);

	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* --- versions ---------------------------------------------------------- */

/* Whether only letters precede, back to the word's beginning or a mark. */
static bool has_plain_prefix(const struct form *form, size_t begin, size_t at)
{
	while (at > begin && symbol_is_letter(form->symbol[at - 1]))
		at--;
	return at == begin || !symbol_is_digit(form->symbol[at - 1]);
}

/* [192.0.2.1]: so RFC 5321 writes an address. */
static bool in_brackets(const struct form *form, size_t begin, size_t end)
{
	return begin && literal(form->symbol[begin - 1]) == '[' &&
	       end < form->len && literal(form->symbol[end]) == ']';
}

/* "POP3 Server 10.2.0.2": a name is before a version, "at" before an address.
 */
static bool is_behind_name(const struct form *form, size_t begin)
{
	static const char *const words[] = { "at",   "on",    "to", "from",
					     "host", "ip",    "is", "by",
					     "for",  "ready", "me", "address",
					     "node", "of" };
	size_t end = begin ? begin - 1 : 0, at = end;

	while (at && symbol_is_letter(form->symbol[at - 1]))
		at--;
	if (at == end || literal(form->symbol[end]) != ' ')
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (end - at == strlen(words[i]) &&
		    has_text(form, at, end, words[i]))
			return false;
	}
	return true;
}

#define VERSION_PART_MAX 31

/*
 * Whether four numbers are an IPv4 address: in a range that no version has, or
 * in brackets. Versions have come to 10.
 */
static bool is_address(const struct form *form, size_t begin, size_t end,
		       const unsigned int *part)
{
	for (int i = 0; i < 4; i++) {
		if (part[i] > 255)
			return false;
	}
	if (in_brackets(form, begin, end))
		return true;
	if (part[0] == 10)
		return part[1] > VERSION_PART_MAX ||
		       part[2] > VERSION_PART_MAX ||
		       part[3] > VERSION_PART_MAX ||
		       !is_behind_name(form, begin);
	return part[0] >= 100 ||
	       (part[0] == 172 && part[1] >= 16 && part[1] < 32);
}

/* 1.2, 9.2.7 ...: its end, or `at` where there is none. */
static size_t dotted_end(const struct form *form, size_t begin, size_t at,
			 size_t end)
{
	unsigned int part[4];
	size_t n = count_digits(form, at, end), to = at;
	int parts = 0;

	while (n && n <= 8) {
		if (parts < 4)
			part[parts] = octet(form, to, n);
		parts++;
		to += n;
		if (to + 1 >= end || literal(form->symbol[to]) != '.')
			break;
		n = count_digits(form, to + 1, end);
		to += n ? 1 : 0;
	}
	/* More digits than a version has are a time stamp. */
	if (parts < 2 || n > 8 ||
	    (parts == 4 && at == begin && to == end &&
	     is_address(form, begin, end, part)))
		return at;
	return to;
}

static bool is_letter(uint16_t symbol, char letter)
{
	return (literal(symbol) | 0x20) == letter;
}

/* 2007e.104, v2007e.104: a letter behind the first number. */
static bool has_lettered(const struct form *form, size_t begin, size_t end)
{
	const size_t at = begin + is_letter(form->symbol[begin], 'v'),
		     letter = at + count_digits(form, at, end);

	return letter > at && letter + 2 < end &&
	       symbol_is_letter(form->symbol[letter]) &&
	       literal(form->symbol[letter + 1]) == '.' &&
	       symbol_is_digit(form->symbol[letter + 2]);
}

/* B.11.31: a letter is the first part. */
static bool is_behind_letter(const struct form *form, size_t begin, size_t at)
{
	return at == begin + 2 && symbol_is_letter(form->symbol[begin]);
}

static bool has_dotted(const struct form *form, size_t begin, size_t end)
{
	if (has_lettered(form, begin, end))
		return true;
	for (size_t at = begin; at < end; at++) {
		size_t to;

		if (!symbol_is_digit(form->symbol[at]) ||
		    (at > begin && (symbol_is_digit(form->symbol[at - 1]) ||
				    (literal(form->symbol[at - 1]) == '.' &&
				     !is_behind_letter(form, begin, at)))))
			continue;
		to = dotted_end(form, begin, at, end);
		if (to > at && has_plain_prefix(form, begin, at))
			return true;
	}
	return false;
}

/* The end of 40.5, which has one dot; `at`: there is no such number. */
static size_t fraction_end(const struct form *form, size_t at, size_t end,
			   size_t *dot)
{
	*dot = at + count_digits(form, at, end);
	if (*dot == at || *dot + 1 >= end ||
	    literal(form->symbol[*dot]) != '.' ||
	    !symbol_is_digit(form->symbol[*dot + 1]))
		return at;
	return *dot + 1 + count_digits(form, *dot + 1, end);
}

#define MICROSECONDS 6 /* digits */
#define MAJOR_MAX 4

/* 100.436688, 86000.82: with more digits than a version has. */
static bool is_precise(size_t begin, size_t dot, size_t end)
{
	return end - dot - 1 == MICROSECONDS || dot - begin > MAJOR_MAX;
}

bool looks_unit_follows(const struct form *form, size_t at)
{
	static const char *const units[] = {
		"%",	 "v",	  "hz",	     "khz", "mhz",  "ghz", "kb",
		"mb",	 "gb",	  "tb",	     "kib", "mib",  "gib", "tib",
		"kbps",	 "mbps",  "us",	     "ms",  "sec",  "kw",  "kwh",
		"db",	 "dbm",	  "rpm",     "hpa", "mbar", "ppm", "lux",
		"g",	 "kg",	  "lb",	     "mm",  "cm",   "km",  "deg",
		"volts", "knots", "percent",
	};

	/* Meters write 1.5*kWh (IEC 62056-21). */
	at += at < form->len && (literal(form->symbol[at]) == ' ' ||
				 literal(form->symbol[at]) == '*');
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const size_t end = at + strlen(units[i]);

		if (has_text(form, at, form->len, units[i]) &&
		    (end == form->len || !symbol_is_word(form->symbol[end])))
			return true;
	}
	return false;
}

/*
 * Behind a name a letter may be the version's, 2.4g, or an edition's, 12.04 V.
 * In capitals a word may be one, 6.4 US. With more digits before its dot it is
 * no version.
 */
static bool has_unit_by_chance(const struct form *form, size_t begin, size_t at)
{
	static const char *const words[] = { "US", "MS", "DB" };

	if (!is_behind_name(form, begin) || count_digits(form, begin, at) > 2)
		return false;
	at += at < form->len && literal(form->symbol[at]) == ' ';
	if (at == form->len)
		return false;
	if (is_letter(form->symbol[at], 'g') ||
	    is_letter(form->symbol[at], 'v'))
		return at + 1 == form->len ||
		       !symbol_is_word(form->symbol[at + 1]);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (at + 1 < form->len &&
		    literal(form->symbol[at]) == (uint8_t)words[i][0] &&
		    literal(form->symbol[at + 1]) == (uint8_t)words[i][1])
			return true;
	}
	return false;
}

static bool is_between(uint16_t symbol)
{
	return literal(symbol) == ' ' || literal(symbol) == ',';
}

/* Whether the number is one of a list: 0.38 0.63, or 0/0.81/310. */
static bool is_listed(const struct form *form, size_t begin, size_t end)
{
	size_t at = begin, dot;

	/* Before it */
	while (at && is_between(form->symbol[at - 1]))
		at--;
	if (at == begin && at > 1 && literal(form->symbol[at - 1]) == '/' &&
	    end < form->len && literal(form->symbol[end]) == '/')
		return symbol_is_digit(form->symbol[at - 2]);
	if (at < begin) {
		const size_t last = at;

		while (at && (symbol_is_digit(form->symbol[at - 1]) ||
			      literal(form->symbol[at - 1]) == '.'))
			at--;
		if (at < last && fraction_end(form, at, last, &dot) == last)
			return true;
	}
	/* Behind it */
	at = end;
	while (at < form->len && is_between(form->symbol[at]))
		at++;
	return at > end && fraction_end(form, at, form->len, &dot) > at;
}

/* 36.758,40: dots between thousands, and a comma before the fraction. */
static bool is_grouped(const struct form *form, size_t begin, size_t end)
{
	size_t at = begin + count_digits(form, begin, end);

	if (at == begin || at > begin + 3 || at == end)
		return false;
	for (; at < end; at += 4) {
		if (literal(form->symbol[at]) != '.' ||
		    count_digits(form, at + 1, end) != 3)
			return false;
	}
	return end + 1 < form->len && literal(form->symbol[end]) == ',' &&
	       symbol_is_digit(form->symbol[end + 1]);
}

/* 40.5 MiB, 98.2%, 36.758,40: a unit or a comma, which few versions have. */
static bool is_measured(const struct form *form, size_t begin, size_t end)
{
	size_t dot, at = fraction_end(form, begin, end, &dot);

	return (at > begin && looks_unit_follows(form, at) &&
		!has_unit_by_chance(form, begin, at)) ||
	       is_grouped(form, begin, end);
}

/*
 * [0.52, load: 40.5, VAL="3.2": one dot, perhaps letters, and no name just
 * before it, as in Exim 4.96; unless it is no version for another reason.
 */
static bool is_decimal(const struct form *form, size_t begin, size_t end)
{
	size_t dot, at = fraction_end(form, begin, end, &dot), before = begin;

	if (at == begin)
		return false;
	if (looks_unit_follows(form, at) ||
	    (at == end &&
	     (is_precise(begin, dot, end) || is_listed(form, begin, end))))
		return true;
	while (before && literal(form->symbol[before - 1]) == ' ')
		before--;
	if (!before || !literal(form->symbol[before - 1]) ||
	    !strchr(":=[,;\"'>\t", literal(form->symbol[before - 1])))
		return false;
	while (at < end && symbol_is_letter(form->symbol[at]))
		at++;
	return at == end;
}

/* 20230316: a day's release. */
static bool is_day(const struct form *form, size_t begin, size_t at, size_t end)
{
	/* The cheapest checks come first. */
	return (at == begin || !symbol_is_word(form->symbol[at - 1])) &&
	       (has_text(form, at, end, "20") ||
		has_text(form, at, end, "19")) &&
	       count_digits(form, at, end) == 8 &&
	       (at + 8 == end || !symbol_is_word(form->symbol[at + 8])) &&
	       octet(form, at + 4, 2) <= 12 && octet(form, at + 6, 2) <= 31;
}

/* A distribution's patch level: +deb12u3, 0ubuntu0.10, .el8, .fc39. */
static bool is_level(const struct form *form, size_t begin, size_t at,
		     size_t end)
{
	static const struct {
		const char *text, *before;
	} marks[] = { { "deb", "+-~" },
		      { "ubuntu", "+-~.0123456789" },
		      { "dfsg", "+-~." },
		      { "el", "." },
		      { "fc", "." } };
	const uint8_t before = at > begin ? literal(form->symbol[at - 1]) : 0;

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		size_t to = at + strlen(marks[i].text);

		if (before && strchr(marks[i].before, before) &&
		    has_text(form, at, end, marks[i].text) && to < end &&
		    symbol_is_digit(form->symbol[to]))
			return true;
	}
	return false;
}

static bool has_level(const struct form *form, size_t begin, size_t end)
{
	for (size_t at = begin; at < end; at++) {
		if (is_day(form, begin, at, end) ||
		    is_level(form, begin, at, end))
			return true;
	}
	return false;
}

/* "version 5", "build: 8f3a", "rev. 12" */
static bool is_announced(const struct form *form, size_t begin, size_t end)
{
	static const char *const words[] = {
		"version",    "ver",	"release",  "rel",   "build",
		"revision",   "rev",	"firmware", "fw",    "patch",
		"patchlevel", "commit", "protocol", "minor", "major"
	};
	size_t to = begin;

	while (to && literal(form->symbol[to - 1]) &&
	       strchr(" :=#.(-\"'>\t", literal(form->symbol[to - 1])))
		to--;
	if (to == begin || !has_digit(form, begin, end))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		if (to >= len && has_text(form, to - len, to, words[i]) &&
		    (to == len || !symbol_is_word(form->symbol[to - len - 1])))
			return true;
	}
	return false;
}

/* Where numbers end that r, m or p joins: 2R4M1, 5r7. */
static size_t joined_numbers_end(const struct form *form, size_t at, size_t end)
{
	size_t to = at + count_digits(form, at, end);

	while (to > at && to + 1 < end &&
	       (is_letter(form->symbol[to], 'r') ||
		is_letter(form->symbol[to], 'm') ||
		is_letter(form->symbol[to], 'p')) &&
	       symbol_is_digit(form->symbol[to + 1]))
		to += 1 + count_digits(form, to + 1, end);
	return to;
}

/* v5, V2R4, between spaces or brackets: in a random token it is none. */
static bool is_short(const struct form *form, size_t begin, size_t end)
{
	const uint8_t before = begin ? literal(form->symbol[begin - 1]) : ' ',
		      after = end < form->len ? literal(form->symbol[end]) :
						' ';

	return begin + 1 < end && has_text(form, begin, end, "v") &&
	       joined_numbers_end(form, begin + 1, end) == end && before &&
	       strchr(" ([,", before) && after && strchr(" )],;\r\n", after);
}

static enum looks_version looks_of(const struct form *form, size_t at,
				   size_t end, bool joined)
{
	if (end == at)
		return LOOKS_OTHER;
	if ((joined && has_digit(form, at, end)) || has_level(form, at, end) ||
	    is_announced(form, at, end) || is_short(form, at, end))
		return LOOKS_VERSION;
	if (!has_dotted(form, at, end) || is_measured(form, at, end))
		return LOOKS_OTHER;
	return is_decimal(form, at, end) ? LOOKS_DECIMAL : LOOKS_VERSION;
}

/* --- all of a form ------------------------------------------------------ */

void looks_mark_versions(const struct form *form, uint8_t version[FORM_MAX])
{
	size_t end;

	memset(version, LOOKS_OTHER, FORM_MAX);
	for (size_t at = 0; at < form->len; at = end + 1) {
		/*
		 * A word that a slash joins to a version is one, too:
		 * 8.17/8.17/Deb-2
		 */
		const bool joined = at > 1 && at < form->len &&
				    version[at - 2] == LOOKS_VERSION &&
				    literal(form->symbol[at - 1]) == '/';

		for (end = at;
		     end < form->len && is_version_char(form->symbol[end]);)
			end++;
		memset(version + at, (int)looks_of(form, at, end, joined),
		       end - at);
	}
	looks_mark_releases(form, version);
}
