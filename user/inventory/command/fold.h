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
 * Breaks a line without its newline into pieces of at most `width` characters,
 * which is more than FOLD_INDENT: between columns if it can be, else between
 * words, else anywhere.
 */
#define FOLD_INDENT 4
void fold_line(const char *line, size_t len, size_t width, fold_piece put,
	       void *context);

#endif
