/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The part of align.c that is about text among binary bytes. */
#ifndef BANNERPROBE_ALIGN_TEXT_H
#define BANNERPROBE_ALIGN_TEXT_H

#include "align.h"

/* Widens the gaps of binary forms to the numbers and dates that they are in. */
void align_text(struct align *align, const struct form *a,
		const struct form *b);

#endif
