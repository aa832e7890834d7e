/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Parts of a line. Each function writes at `to`, where there is room, and
 * returns where it ended.
 */
#ifndef BANNERPROBE_PUT_H
#define BANNERPROBE_PUT_H

#include <arpa/inet.h>
#include <linux/types.h>
#include <string.h>

static inline char *put_text(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

static inline char *put_text_of(char *to, const char *text)
{
	return put_text(to, text, strlen(text));
}

#define PUT(to, literal) put_text(to, literal, sizeof(literal) - 1)

/* In decimal, with leading zeros up to `width` digits. */
static inline char *put_number(char *to, __u64 value, int width)
{
	char digits[20];
	int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n < width)
		digits[n++] = '0';
	while (n)
		*to++ = digits[--n];
	return to;
}

static inline char *put_address(char *to, __u8 family, const __u32 *address)
{
	const __u8 *byte = (const __u8 *)address;

	if (family == 6) {
		inet_ntop(AF_INET6, address, to, INET6_ADDRSTRLEN);
		return to + strlen(to);
	}
	for (int i = 0; i < 4; i++) {
		if (i)
			*to++ = '.';
		to = put_number(to, byte[i], 1);
	}
	return to;
}

#endif
