/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The words of a line of the project's rule files. */
#ifndef BANNERPROBE_IDENTIFY_TOKEN_H
#define BANNERPROBE_IDENTIFY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* A NUL stands after its bytes, among which there may be others. */
struct token {
	char *bytes;
	size_t len;
};

/*
 * Takes the next word, in place: what stands between double quotes may hold
 * spaces and \" \\ \r \n \t \0 \xhh. 1; 0: there is none; -1: it has no end,
 * or an unknown escape.
 */
int token_take(char **at, struct token *token);

/*
 * Takes a pattern that stands between two slashes, and the letters after it;
 * \/ is a slash in it. 0, or -1: there is none.
 */
int token_take_pattern(char **at, struct token *pattern, struct token *flags);

#endif
