/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The words of a line of the project's rule files. */
#ifndef BANNERPROBE_IDENTIFY_TOKEN_H
#define BANNERPROBE_IDENTIFY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* A word. A NUL follows its bytes, which may contain NULs, too. */
struct token {
	char *bytes;
	size_t len;
};

/*
 * Takes the next word, in place. Text in double quotes may contain spaces and
 * \" \\ \r \n \t \0 \xhh. 1; 0: there is no word; -1: a quote has no end, or an
 * escape is unknown.
 */
int token_take(char **at, struct token *token);

/*
 * Takes a pattern between two slashes, and the letters after it. \/ is a slash
 * in the pattern. 0, or -1: there is none.
 */
int token_take_pattern(char **at, struct token *pattern, struct token *flags);

#endif
