/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Aligns two forms: finds the gaps at which they differ. */
#ifndef BANNERPROBE_ALIGN_H
#define BANNERPROBE_ALIGN_H

#include "form.h"

/* A place at which two forms differ: the symbols of each; one may be empty. */
struct gap {
	uint16_t a_from, a_to, b_from, b_to;
};

#define ALIGN_CELLS (512 * 512)

/* A word, or one other symbol. */
struct align_token {
	uint16_t from, to;
	uint32_t hash;
};

/* Working memory, too large for a stack. */
struct align {
	struct gap gap[FORM_MAX + 1];
	size_t gaps;
	struct align_token a[FORM_MAX], b[FORM_MAX];
	size_t a_len, b_len;
	uint16_t score[ALIGN_CELLS];
};

/*
 * Finds the longest common part of two forms, by words. The rest are the gaps,
 * in their order. Learned wild parts always lie in a gap. Binary forms of the
 * same length are compared byte by byte.
 */
void align_forms(struct align *align, const struct form *a,
		 const struct form *b);

/*
 * Widens a gap on both sides by symbols that belong to it, but not beyond the
 * gaps beside it. `belongs`: whether the symbol at a place of the first form
 * does. (The second form has the same symbols there.)
 */
void align_widen(struct align *align, size_t gap, const struct form *a,
		 bool (*belongs)(const struct form *a, size_t at,
				 const void *context),
		 const void *context);

#endif
