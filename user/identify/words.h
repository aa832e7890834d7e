/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The words of a greeting, without the protocol's codes and commands. */
#ifndef BANNERPROBE_IDENTIFY_WORDS_H
#define BANNERPROBE_IDENTIFY_WORDS_H

#include "dialect.h"

struct words {
	struct text text;
	uint8_t *owned; /* NULL where the text is a part of another */
};

/* 0 or negative errno. */
int words_take(const struct text *text, const struct spoken *spoken,
	       struct words *words);
void words_free(struct words *words);

#endif
