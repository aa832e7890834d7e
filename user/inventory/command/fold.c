/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "fold.h"

#include <stdio.h>
#include <string.h>

/* The length of a sequence for reverse video at the beginning of a text. */
static size_t sequence_at(const char *text)
{
	const size_t len = sizeof(REVERSE_BEGIN) - 1;

	return !strncmp(text, REVERSE_BEGIN, len) ||
			       !strncmp(text, REVERSE_END, len) ?
		       len :
		       0;
}

/*
 * How much of a text is at most so many characters wide. It does not end in
 * reverse video, unless it begins with it.
 */
static size_t within(const char *text, size_t len, size_t most)
{
	size_t at = 0, reverse = 0; /* where it began; 0: it did not */

	while (at < len) {
		const size_t sequence = sequence_at(text + at);

		if (sequence)
			reverse = text[at + 2] == '7' ? at : 0;
		else if (!most--)
			return reverse ? reverse : at;
		at += sequence ? sequence : 1;
	}
	return len;
}

/*
 * The last place to break from `least` on and within `most`; 0: there is none.
 */
static size_t last_gap(const char *text, size_t least, size_t most,
		       const char *gap)
{
	const size_t len = strlen(gap);

	for (size_t at = most; at > least; at--) {
		if (!strncmp(text + at, gap, len) && text[at - 1] != ' ')
			return at;
	}
	return 0;
}

/* How much of a text goes into a piece. */
static size_t piece_of(const char *text, size_t len, size_t least, size_t most)
{
	const size_t whole = within(text, len, most);
	size_t at;

	if (whole == len)
		return len;
	at = last_gap(text, least, whole, "  ");
	if (!at)
		at = last_gap(text, least, whole, " ");
	return at ? at : whole;
}

void fold_line(const char *line, size_t len, size_t width, size_t indent,
	       fold_piece put, void *context)
{
	size_t before = 0;

	do {
		const size_t piece = piece_of(line, len, before ? 0 : indent,
					      width - before);

		put(context, line, piece, before);
		line += piece;
		len -= piece;
		for (; len && *line == ' '; len--)
			line++;
		before = indent;
	} while (len);
}

void fold_print(void *context, const char *piece, size_t len, size_t indent)
{
	(void)context;
	printf("%*s%.*s\n", (int)indent, "", (int)len, piece);
}
