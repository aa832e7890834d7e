/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "fold.h"

#include <string.h>

/* The last place to break within `most` characters; 0: there is none. */
static size_t last_gap(const char *text, size_t most, const char *gap)
{
	const size_t len = strlen(gap);

	for (size_t at = most; at; at--) {
		if (!strncmp(text + at, gap, len) && text[at - 1] != ' ')
			return at;
	}
	return 0;
}

/* How much of a text goes into a piece. */
static size_t piece_of(const char *text, size_t len, size_t most)
{
	size_t at;

	if (len <= most)
		return len;
	at = last_gap(text, most, "  ");
	if (!at)
		at = last_gap(text, most, " ");
	return at ? at : most;
}

void fold_line(const char *line, size_t len, size_t width, fold_piece put,
	       void *context)
{
	size_t indent = 0;

	do {
		const size_t piece = piece_of(line, len, width - indent);

		put(context, line, piece, indent);
		line += piece;
		len -= piece;
		for (; len && *line == ' '; len--)
			line++;
		indent = FOLD_INDENT;
	} while (len);
}
