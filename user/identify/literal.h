/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The bytes that a text must hold so that a regular expression can match. */
#ifndef BANNERPROBE_IDENTIFY_LITERAL_H
#define BANNERPROBE_IDENTIFY_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LITERALS_MAX 8
#define LITERAL_MAX 32

/* In lower case: the text is to be compared so, whatever the pattern wants. */
struct literal {
	uint8_t len;
	char bytes[LITERAL_MAX];
};

struct literals {
	int count;
	struct literal all[LITERALS_MAX];
};

/*
 * Finds such literals, not each of them. Whether the pattern was understood:
 * otherwise there are none, and it may be no valid pattern at all.
 */
bool literals_of(const char *regex, size_t len, struct literals *literals);

#endif
