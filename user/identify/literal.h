/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Literals: bytes that each match of a regular expression contains. */
#ifndef BANNERPROBE_IDENTIFY_LITERAL_H
#define BANNERPROBE_IDENTIFY_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LITERALS_MAX 8
#define LITERAL_MAX 32

/* In lower case: compare it with the text in lower case. */
struct literal {
	uint8_t len;
	char bytes[LITERAL_MAX];
};

struct literals {
	int count;
	struct literal all[LITERALS_MAX];
};

/*
 * Finds literals of a pattern, not necessarily all. False: the pattern was not
 * understood, and may be invalid; then there are none.
 */
bool literals_of(const char *regex, size_t len, struct literals *literals);

#endif
