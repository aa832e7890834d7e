/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Breaks long lines for a terminal: nothing is cut. */
#ifndef BANNERPROBE_FOLD_H
#define BANNERPROBE_FOLD_H

#include <stddef.h>

/*
 * Called with each piece of a line. `indent` spaces come before the piece, and
 * a newline comes after it.
 */
typedef void (*fold_piece)(void *context, const char *piece, size_t len,
			   size_t indent);

/*
 * Breaks a line without its newline into pieces of at most `width` characters:
 * between columns if it can be, else between words, else anywhere. All pieces
 * but the first are indented by `indent`, which is less than `width`; the first
 * one is not broken before that column. A terminal's sequences for reverse
 * video have no width, and what stands between them is not broken where it
 * fits.
 */
#define FOLD_INDENT 4
#define FOLD_INDENT_MAX 12
void fold_line(const char *line, size_t len, size_t width, size_t indent,
	       fold_piece put, void *context);

/* A fold_piece that prints; it needs no context. */
void fold_print(void *context, const char *piece, size_t len, size_t indent);

/* Between them is reverse video. */
#define REVERSE_BEGIN "\033[7m"
#define REVERSE_END "\033[0m"

#endif
