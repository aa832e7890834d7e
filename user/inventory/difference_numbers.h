/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The part of difference.h that is about numbers in text. */
#ifndef BANNERPROBE_DIFFERENCE_NUMBERS_H
#define BANNERPROBE_DIFFERENCE_NUMBERS_H

#include "difference.h"

/*
 * mx1 and mx2: in how many runs only digits differ while all else is the same;
 * 0: more differs.
 */
size_t runs_that_differ(const struct part *a, const struct part *b);

/* With more runs of digits it is a random token, equal letters by chance. */
bool digits_alone_differ(const struct part *a, const struct part *b);

/* A number that is below zero now: -7, with nothing before it but a mark. */
bool is_negative(const struct part *a, const struct part *b);

/*
 * Whether the part is one side of a decimal whose other side is wild: the 2 of
 * 2,\{number}, which becomes 3 more slowly.
 */
bool is_part_of_decimal(const struct part *a, const struct part *b);

#endif
