/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Interned texts: a text that many services share is in memory once. */
#ifndef BANNERPROBE_INTERN_H
#define BANNERPROBE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct text {
	struct text *next; /* the next in its chain */
	uint32_t users, hash;
	uint32_t len;
	char bytes[]; /* followed by a NUL */
};

struct texts {
	struct text **chain;
	uint32_t chains; /* a power of two */
	uint32_t count;
	size_t memory; /* bytes taken */
};

int texts_open(struct texts *texts);
void texts_close(struct texts *texts);

/* Counts another user of the text. NULL: out of memory. */
struct text *text_get(struct texts *texts, const char *bytes, size_t len);
void text_put(struct texts *texts, struct text *text);

#endif
