/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pieces of a line. Each function writes to `to`, where the caller provides
 * room, and returns the end of the text. No NUL is written. Less than PUT_SPARE
 * bytes behind the end may be overwritten.
 */
#ifndef BANNERPROBE_PUT_H
#define BANNERPROBE_PUT_H

#include "system/clock.h"

#include <linux/types.h>
#include <stddef.h>
#include <string.h>

#define PUT_SPARE 8

#define PUT(to, literal) put_text(to, literal, sizeof(literal) - 1)

extern const char hex_digits[];

/* Inline, so that the copy of a literal has a constant length. */
static inline char *put_text(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

/* A text, without its NUL. */
static inline char *put_text_of(char *to, const char *text)
{
	return put_text(to, text, strlen(text));
}

/* In decimal, at most 20 digits. */
char *put_number(char *to, __u64 value);

/* The microseconds of a time in ns: a point and six digits. */
char *put_microseconds(char *to, __u64 time);

/* ns as seconds and microseconds; finer digits are cut off. */
char *put_timestamp(char *to, __u64 time);

/* `family` 4 or 6; in network byte order. INET6_ADDRSTRLEN bytes at most. */
char *put_address(char *to, __u8 family, const __u32 *address);

/* \xhh: four bytes. */
char *put_hex(char *to, __u8 byte);

/* 0x20 to 0x7e as they are, a backslash doubled, any other byte as \xhh. */
char *put_escaped(char *to, const __u8 *bytes, size_t len);

/* Escapes as put_escaped(), and then as a JSON string. */
char *put_escaped_json(char *to, const __u8 *bytes, size_t len);

#endif
