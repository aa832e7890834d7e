/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Texts that many services share are kept once. */
#ifndef BANNERPROBE_INTERN_H
#define BANNERPROBE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct text {
	struct text *next; /* in its chain */
	uint32_t users, hash;
	uint32_t len;
	char bytes[]; /* and a NUL */
};

struct texts {
	struct text **chain;
	uint32_t chains; /* a power of two */
	uint32_t count;
	size_t memory; /* bytes taken */
};

int texts_open(struct texts *texts);
void texts_close(struct texts *texts);

/* NULL: out of memory. Each call is one user more. */
struct text *text_get(struct texts *texts, const char *bytes, size_t len);
void text_put(struct texts *texts, struct text *text);

#endif
