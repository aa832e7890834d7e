/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "looks.h"

#include "times.h"

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

/*
 * Whether four numbers are an IPv4 address: in a range that no version has, or
 * in brackets.
 */
static bool is_address(const unsigned int *part, int parts, bool bracketed)
{
	if (parts != 4)
		return false;
	for (int i = 0; i < 4; i++) {
		if (part[i] > 255)
			return false;
	}
	return bracketed || part[0] == 10 || part[0] >= 100 ||
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
	    (at == begin && to == end &&
	     is_address(part, parts, in_brackets(form, begin, end))))
		return at;
	return to;
}

static bool has_dotted(const struct form *form, size_t begin, size_t end)
{
	for (size_t at = begin; at < end; at++) {
		size_t to;

		if (!symbol_is_digit(form->symbol[at]) ||
		    (at > begin && (symbol_is_digit(form->symbol[at - 1]) ||
				    literal(form->symbol[at - 1]) == '.')))
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
	static const char *const words[] = { "version", "ver",	     "release",
					     "rel",	"build",     "revision",
					     "rev",	"firmware",  "fw",
					     "patch",	"patchlevel" };
	size_t to = begin;

	while (to && literal(form->symbol[to - 1]) &&
	       strchr(" :=#.(-", literal(form->symbol[to - 1])))
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

/* v5, between spaces or brackets: in a random token it is none. */
static bool is_short(const struct form *form, size_t begin, size_t end)
{
	const uint8_t before = begin ? literal(form->symbol[begin - 1]) : ' ',
		      after = end < form->len ? literal(form->symbol[end]) :
						' ';

	return begin + 1 < end && has_text(form, begin, end, "v") &&
	       count_digits(form, begin + 1, end) == end - begin - 1 &&
	       before && strchr(" ([,", before) && after &&
	       strchr(" )],;\r\n", after);
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

void looks_mark_versions(const struct form *form, uint8_t version[FORM_MAX])
{
	size_t end;

	memset(version, LOOKS_OTHER, FORM_MAX);
	for (size_t at = 0; at < form->len; at = end + 1) {
		/*
		 * A word that a slash joins to a version is one, too:
		 * 8.17/8.17/Deb-2
		 */
		const bool joined = at > 1 && version[at - 2] &&
				    literal(form->symbol[at - 1]) == '/' &&
				    at < form->len;

		for (end = at;
		     end < form->len && is_version_char(form->symbol[end]);)
			end++;
		memset(version + at, (int)looks_of(form, at, end, joined),
		       end - at);
	}
}

/* --- words ------------------------------------------------------------- */

/* For each letter, the letters that often follow it in names and in English. */
static const char *const followers[26] = {
	"bcdgiklmnprstuvwy",
	"abeilorsuy",
	"acehiklorstuy",
	"adeilmnorsuwy",
	"abcdefgilmnpqrstuvwxy",
	"aefilortu",
	"aeghilnorsuy",
	"aeiortuy",
	"abcdefgklmnoprstvxz",
	"aeou",
	"aeilnosy",
	"adefiklmopstuvy",
	"abeimnopsuy",
	"acdefgiknostuvy",
	"abcdfgiklmnoprstuvwx",
	"aehiloprstuy",
	"u",
	"abcdefgiklmnoprstuvy",
	"acehiklmopqstuwy",
	"acehilmoprstuwy",
	"abcdegilmnprst",
	"aeioy",
	"aehinors",
	"aceipt",
	"acelmnoprst",
	"aeiouz",
};

static char folded(uint16_t symbol)
{
	return (char)(literal(symbol) | 0x20);
}

/* Whether these two letters are usual in a row. */
static bool is_usual(uint16_t first, uint16_t second)
{
	const int at = folded(first) - 'a';

	return at >= 0 && at < 26 &&
	       strchr(followers[at], folded(second)) != NULL;
}

bool looks_like_word(const struct form *form, size_t from, size_t to)
{
	size_t usual = 0, rises = 0;

	if (to < from + 4)
		return false;
	for (size_t i = from; i < to; i++) {
		if (!symbol_is_letter(form->symbol[i]))
			return false;
		if (i == from)
			continue;
		usual += is_usual(form->symbol[i - 1], form->symbol[i]);
		rises += literal(form->symbol[i - 1]) >= 'a' &&
			 literal(form->symbol[i]) < 'a';
	}
	/* Three of four pairs are usual; of random letters one of two is. */
	return rises < 2 && usual * 4 >= (to - from - 1) * 3;
}

bool looks_like_hex(const struct form *form, size_t from, size_t to)
{
	for (; from < to; from++) {
		if (symbol_is_wild(form->symbol[from]) ||
		    !byte_in_class(literal(form->symbol[from]), CLASS_HEX))
			return false;
	}
	return true;
}

size_t looks_date_end(const struct form *form, size_t at)
{
	uint8_t bytes[64] = {};
	size_t n = 0, end = 0;

	while (n < sizeof(bytes) && at + n < form->len &&
	       !symbol_is_wild(form->symbol[at + n])) {
		bytes[n] = (uint8_t)form->symbol[at + n];
		n++;
	}
	return time_at(bytes, n, 0, 0, &end) == TIME_NONE ? at : at + end;
}
