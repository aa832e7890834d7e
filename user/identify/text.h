/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The bytes that a server said, or a part of them. */
#ifndef BANNERPROBE_IDENTIFY_TEXT_H
#define BANNERPROBE_IDENTIFY_TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct text {
	const uint8_t *bytes;
	size_t len;
	bool complete; /* no bytes are missing at its end */
};

static inline bool text_begins(const struct text *text, const char *prefix)
{
	const size_t len = strlen(prefix);

	return text->len >= len && !memcmp(text->bytes, prefix, len);
}

static inline bool text_is(const struct text *text, const char *word)
{
	return text->len == strlen(word) &&
	       !strncasecmp((const char *)text->bytes, word, text->len);
}

/* The text after so many bytes. */
static inline struct text text_after(const struct text *text, size_t count)
{
	return (struct text){ text->bytes + count, text->len - count,
			      text->complete };
}

/* A part that ends before the text does is complete. */
static inline struct text text_part(const struct text *text, size_t start,
				    size_t end)
{
	return (struct text){ text->bytes + start, end - start,
			      text->complete || end < text->len };
}

static inline bool is_one_of(uint8_t byte, const char *set)
{
	return byte && strchr(set, byte);
}

/* The first bytes up to one of `stops`, or all. */
static inline struct text text_until(const struct text *text, const char *stops)
{
	size_t end = 0;

	while (end < text->len && !is_one_of(text->bytes[end], stops))
		end++;
	return text_part(text, 0, end);
}

/* The offset of a word, in any case; -1: it is not in the text. */
static inline ptrdiff_t text_find(const struct text *text, const char *word)
{
	const size_t len = strlen(word);

	for (size_t i = 0; i + len <= text->len; i++) {
		if (!strncasecmp((const char *)text->bytes + i, word, len))
			return (ptrdiff_t)i;
	}
	return -1;
}

#endif
