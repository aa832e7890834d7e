/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Small readers of a form, for looks.c and looks_release.c. */
#ifndef BANNERPROBE_LOOKS_PIECES_H
#define BANNERPROBE_LOOKS_PIECES_H

#include "looks.h"

#include <string.h>

static inline uint8_t literal(uint16_t symbol)
{
	return symbol_is_wild(symbol) ? 0 : (uint8_t)symbol;
}

/* Characters of versions: all but spaces, brackets and slashes. */
static inline bool is_version_char(uint16_t symbol)
{
	uint8_t byte = literal(symbol);

	return symbol_is_word(symbol) || (byte && strchr("._~+-", byte));
}

static inline size_t count_digits(const struct form *form, size_t at,
				  size_t end)
{
	size_t n = 0;

	while (at + n < end && symbol_is_digit(form->symbol[at + n]))
		n++;
	return n;
}

/* The value of `n` digits. */
static inline unsigned int octet(const struct form *form, size_t at, size_t n)
{
	unsigned int value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + literal(form->symbol[at + i]) - '0';
	return value;
}

/* Whether this text, in small letters, is at `at`. */
static inline bool has_text(const struct form *form, size_t at, size_t end,
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

static inline bool has_digit(const struct form *form, size_t from, size_t to)
{
	for (; from < to; from++) {
		if (symbol_is_digit(form->symbol[from]))
			return true;
	}
	return false;
}

/* Marks what belongs to a version, beside the versions that are marked. */
void looks_mark_releases(const struct form *form, uint8_t version[FORM_MAX]);

#endif
