/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which of thousands of patterns may match a text: those of which four bytes
 * in a row, and the literal around them, are in it.
 */
#ifndef BANNERPROBE_IDENTIFY_CANDIDATES_H
#define BANNERPROBE_IDENTIFY_CANDIDATES_H

#include "text.h"

struct prefilter;

struct prefilter *prefilter_new(void);
void prefilter_free(struct prefilter *prefilter);

/*
 * Adds the next pattern: they are numbered from 0. 1: it was not understood,
 * and is tried on each text; 0; or negative errno.
 */
int prefilter_add(struct prefilter *prefilter, const char *regex, size_t len);

/* To be called when all are added. 0 or negative errno. */
int prefilter_build(struct prefilter *prefilter);

/* Looks which may match. 0 or negative errno. */
int prefilter_scan(struct prefilter *prefilter, const struct text *text);

/* The first of them from this number on, or -1. */
int prefilter_next(const struct prefilter *prefilter, unsigned int number);

#endif
