/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages for a wrong command line: one line each, with advice. */
#ifndef BANNERPROBE_USAGE_H
#define BANNERPROBE_USAGE_H

#include "system/message.h"
#include "options.h"

#include <stdlib.h>

/* Prints what is wrong, and ends the process. */
#define wrong_usage(...)                                                       \
	do {                                                                   \
		message(__VA_ARGS__);                                          \
		exit(EXIT_USAGE);                                              \
	} while (0)

/*
 * Notes something about the command line. Notes are printed only if the command
 * line turns out to be right; a wrong one gets one line only.
 */
void usage_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void usage_print_notes(void);

/* The word of a list, ended by NULL, that is most like this one; or NULL. */
const char *usage_nearest(const char *word, const char *const *list);

/*
 * What a message says at its end of a word in a list of words, `len` bytes of
 * `word`: ": did you mean X?", or "" where none of the choices is near.
 */
#define SUGGESTION_MAX 64
const char *usage_suggest(char text[SUGGESTION_MAX], const char *word,
			  size_t len, const char *const *choices);

/* A usage error for an unknown option: "-x", "--word" or "--word=value". */
void usage_unknown_option(const char *word) __attribute__((noreturn));

/* Whether a word begins an expression in the language of tcpdump's filters. */
bool usage_is_filter_word(const char *word);

#endif
