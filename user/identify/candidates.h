/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds which of thousands of patterns may match a text: those with a literal
 * that is in the text. A literal is looked for by its rarest gram, which is
 * four bytes in a row.
 */
#ifndef BANNERPROBE_IDENTIFY_CANDIDATES_H
#define BANNERPROBE_IDENTIFY_CANDIDATES_H

#include "text.h"

struct prefilter;

struct prefilter *prefilter_new(void);
void prefilter_free(struct prefilter *prefilter);

/*
 * Adds a pattern; patterns are numbered from 0. 0; 1: it was not understood,
 * and is a candidate for each text; or negative errno.
 */
int prefilter_add(struct prefilter *prefilter, const char *regex, size_t len);

/* Called when all patterns are added. 0 or negative errno. */
int prefilter_build(struct prefilter *prefilter);

/* Finds the candidates for a text. 0 or negative errno. */
int prefilter_scan(struct prefilter *prefilter, const struct text *text);

/* The first candidate from this number on, or -1. */
int prefilter_next(const struct prefilter *prefilter, unsigned int number);

#endif
