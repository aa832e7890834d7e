/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where two forms agree, and where they differ. */
#ifndef BANNERPROBE_ALIGN_H
#define BANNERPROBE_ALIGN_H

#include "form.h"

/* A place at which two forms differ: symbols of each, one may be empty. */
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
 * The longest common part of both, by words; what is not of it are the gaps,
 * in their order. Wild parts that were learned always lie in a gap. Bytes of
 * the same length, if they are no text, are compared place by place.
 */
void align_forms(struct align *align, const struct form *a,
		 const struct form *b);

#endif
