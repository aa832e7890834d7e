/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What looks like a word, a hexadecimal number or a date. */
#include "looks_pieces.h"

#include "times.h"

#include <string.h>

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

/* Whether these letters are a protocol's name, few of whose pairs are usual. */
static bool is_protocol(const struct form *form, size_t from, size_t to)
{
	static const char *const names[] = { "ftp",  "sftp",  "ftps",
					     "smtp", "esmtp", "lmtp",
					     "imap", "nntp",  "http" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = 0;

		while (from + n < to && names[i][n] &&
		       folded(form->symbol[from + n]) == names[i][n])
			n++;
		if (from + n == to && !names[i][n])
			return true;
	}
	return false;
}

bool looks_like_word(const struct form *form, size_t from, size_t to)
{
	size_t usual = 0, rises = 0;

	if (is_protocol(form, from, to))
		return true;
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

#define DATE_MAX 64

/* The bytes from `at` on, up to a wild part. Returns how many. */
static size_t bytes_at(const struct form *form, size_t at,
		       uint8_t bytes[DATE_MAX])
{
	size_t n = 0;

	while (n < DATE_MAX && at + n < form->len &&
	       !symbol_is_wild(form->symbol[at + n])) {
		bytes[n] = (uint8_t)form->symbol[at + n];
		n++;
	}
	return n;
}

size_t looks_date_end(const struct form *form, size_t at)
{
	uint8_t bytes[DATE_MAX];
	const size_t n = bytes_at(form, at, bytes);
	size_t end = 0;

	return time_at(bytes, n, 0, 0, &end) == TIME_NONE ? at : at + end;
}

bool looks_date_day(const struct form *form, size_t at, long *day)
{
	uint8_t bytes[DATE_MAX];
	const size_t n = bytes_at(form, at, bytes);

	return time_day(bytes, n, 0, day);
}
