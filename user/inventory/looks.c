/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "looks.h"

#include <string.h>

static uint8_t literal(uint16_t symbol)
{
	return symbol_is_wild(symbol) ? 0 : (uint8_t)symbol;
}

bool symbol_is_digit(uint16_t symbol)
{
	return literal(symbol) >= '0' && literal(symbol) <= '9';
}

bool symbol_is_letter(uint16_t symbol)
{
	uint8_t byte = literal(symbol) | 0x20;

	return byte >= 'a' && byte <= 'z';
}

bool symbol_is_space(uint16_t symbol)
{
	uint8_t byte = literal(symbol);

	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_word(uint16_t symbol)
{
	return symbol_is_digit(symbol) || symbol_is_letter(symbol);
}

/* --- versions ---------------------------------------------------------- */

/* Characters of versions: all but spaces, brackets and slashes. */
static bool is_version_char(uint16_t symbol)
{
	uint8_t byte = literal(symbol);

	return is_word(symbol) || (byte && strchr("._~+-", byte));
}

static size_t count_digits(const struct form *form, size_t at, size_t end)
{
	size_t n = 0;

	while (at + n < end && symbol_is_digit(form->symbol[at + n]))
		n++;
	return n;
}

/* Whether only letters precede, back to the word's beginning or a mark. */
static bool has_plain_prefix(const struct form *form, size_t begin, size_t at)
{
	while (at > begin && symbol_is_letter(form->symbol[at - 1]))
		at--;
	return at == begin || !symbol_is_digit(form->symbol[at - 1]);
}

static unsigned int octet(const struct form *form, size_t at, size_t n)
{
	unsigned int value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + literal(form->symbol[at + i]) - '0';
	return value;
}

/* [192.0.2.1]: so RFC 5321 writes an address. */
static bool in_brackets(const struct form *form, size_t begin, size_t end)
{
	return begin && literal(form->symbol[begin - 1]) == '[' &&
	       end < form->len && literal(form->symbol[end]) == ']';
}

static bool has_text(const struct form *form, size_t at, size_t end,
		     const char *text)
{
	size_t len = strlen(text);

	if (at + len > end)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = literal(form->symbol[at + i]);

		if (byte >= 'A' && byte <= 'Z')
			byte |= 0x20;
		if (byte != (uint8_t)text[i])
			return false;
	}
	return true;
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
	return part[0] == 10 ?
		       !is_behind_name(form, begin) :
		       part[0] >= 100 || (part[0] == 172 && part[1] >= 16 &&
					  part[1] < 32);
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

/*
 * [0.52, load: 40.5, 36.6C: one dot, perhaps a unit, and no name just before
 * it, as in Exim 4.96.
 */
static bool is_decimal(const struct form *form, size_t begin, size_t end)
{
	size_t at = begin + count_digits(form, begin, end);

	while (begin && literal(form->symbol[begin - 1]) == ' ')
		begin--;
	if (!begin || !literal(form->symbol[begin - 1]) ||
	    !strchr(":=[,;", literal(form->symbol[begin - 1])) || at >= end ||
	    literal(form->symbol[at]) != '.')
		return false;
	at++;
	at += count_digits(form, at, end);
	while (at < end && symbol_is_letter(form->symbol[at]))
		at++;
	return at == end;
}

/* 20230316: a day's release. */
static bool is_day(const struct form *form, size_t begin, size_t at, size_t end)
{
	/* The cheapest checks come first. */
	return (at == begin || !is_word(form->symbol[at - 1])) &&
	       (has_text(form, at, end, "20") ||
		has_text(form, at, end, "19")) &&
	       count_digits(form, at, end) == 8 &&
	       (at + 8 == end || !is_word(form->symbol[at + 8])) &&
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

static bool has_digit(const struct form *form, size_t from, size_t to)
{
	for (; from < to; from++) {
		if (symbol_is_digit(form->symbol[from]))
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
	       strchr(" :=#.(-\"", literal(form->symbol[to - 1])))
		to--;
	if (to == begin || !has_digit(form, begin, end))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		if (to >= len && has_text(form, to - len, to, words[i]) &&
		    (to == len || !is_word(form->symbol[to - len - 1])))
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
	if (!has_dotted(form, at, end))
		return LOOKS_OTHER;
	return is_decimal(form, at, end) ? LOOKS_DECIMAL : LOOKS_VERSION;
}

/* --- what belongs to a version ------------------------------------------ */

#define FIRST_YEAR 1970
#define LAST_YEAR 2069

static bool is_number(const struct form *form, size_t at, size_t end,
		      unsigned int least, unsigned int most)
{
	const size_t n = count_digits(form, at, end);

	return n && n == end - at && n <= 4 && octet(form, at, n) >= least &&
	       octet(form, at, n) <= most;
}

static bool is_year(const struct form *form, size_t at, size_t end)
{
	return end == at + 4 && is_number(form, at, end, FIRST_YEAR, LAST_YEAR);
}

static bool is_part_of_date(const struct form *form, size_t at, size_t end)
{
	return end - at <= 2 ? is_number(form, at, end, 1, 31) :
			       is_year(form, at, end);
}

/*
 * The end of 2014, 1993-2023, 2017-11-22 or 11/26/2016: no more than three
 * numbers, among them a year. `at`: there is no such date.
 */
static size_t years_end(const struct form *form, size_t at)
{
	const uint8_t before = at ? literal(form->symbol[at - 1]) : ' ';
	size_t from = at, end;
	bool year = false;

	if (before && strchr("/-._", before))
		return at;
	for (int parts = 0; parts < 3; parts++, from = end + 1) {
		end = from + count_digits(form, from, form->len);
		if (end == from || !is_part_of_date(form, from, end))
			return at;
		year |= is_year(form, from, end);
		if (end + 1 >= form->len || !literal(form->symbol[end]) ||
		    !strchr("/-", literal(form->symbol[end])) ||
		    !symbol_is_digit(form->symbol[end + 1]))
			break;
	}
	if (!year || (end < form->len && is_word(form->symbol[end])) ||
	    (end + 1 < form->len && literal(form->symbol[end]) == '.' &&
	     is_word(form->symbol[end + 1])))
		return at;
	return end;
}

/* Whether these characters, and before them a version, are before `at`. */
static bool is_behind_version(const struct form *form, const uint8_t *version,
			      size_t at, const char *between)
{
	const size_t n = strlen(between);

	return at > n && version[at - n - 1] >= LOOKS_DECIMAL &&
	       has_text(form, at - n, at, between);
}

#define BUILD_MAX 4
#define PATCH_LETTERS 3

/* 9.0.1FP10 HF197, 4.96 #2, 5.5(16), 2.6.1(PHNE_38578), 6.11 (151030) */
static bool is_patch(const struct form *form, const uint8_t *version, size_t at,
		     size_t end)
{
	const size_t n = count_digits(form, at, end);
	size_t letters = 0;

	while (at + letters < end &&
	       symbol_is_letter(form->symbol[at + letters]))
		letters++;
	if (is_behind_version(form, version, at, " "))
		return letters && letters <= PATCH_LETTERS &&
		       count_digits(form, at + letters, end) ==
			       end - at - letters;
	if (is_behind_version(form, version, at, " #"))
		return n == end - at && n <= BUILD_MAX;
	if (is_behind_version(form, version, at, "("))
		return has_digit(form, at, end) &&
		       (n < end - at || n <= BUILD_MAX);
	return is_behind_version(form, version, at, " (") && n == 6 &&
	       n == end - at && is_number(form, at + 2, at + 4, 1, 12) &&
	       is_number(form, at + 4, at + 6, 1, 31);
}

/* OTP/24: a product's name, with a capital, and its release. */
static bool is_product(const struct form *form, size_t at, size_t end)
{
	size_t name = at ? at - 1 : 0;

	if (!is_number(form, at, end, 0, 9999) ||
	    literal(form->symbol[name]) != '/')
		return false;
	while (name && symbol_is_letter(form->symbol[name - 1]))
		name--;
	return name + 2 < at && literal(form->symbol[name]) < 'a';
}

static void mark_releases(const struct form *form, uint8_t version[FORM_MAX])
{
	size_t end;

	for (size_t at = 0; at < form->len; at = end + (end == at)) {
		const size_t years = years_end(form, at);

		for (end = at;
		     end < form->len && is_version_char(form->symbol[end]);)
			end++;
		if (end == at || version[at])
			continue;
		if (years > at)
			memset(version + at, LOOKS_RELEASE, years - at);
		else if (is_patch(form, version, at, end) ||
			 is_product(form, at, end))
			memset(version + at, LOOKS_RELEASE, end - at);
		end = years > end ? years : end;
	}
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
		const bool joined =
			at > 1 && version[at - 2] >= LOOKS_DECIMAL &&
			literal(form->symbol[at - 1]) == '/' && at < form->len;

		for (end = at;
		     end < form->len && is_version_char(form->symbol[end]);)
			end++;
		memset(version + at, (int)looks_of(form, at, end, joined),
		       end - at);
	}
	mark_releases(form, version);
}
