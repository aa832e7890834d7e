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

/*
 * A text of at most six bytes, in the last place its length. It is copied as a
 * whole: a constant length is one instruction.
 */
typedef char known_text[PUT_SPARE];

static inline char *put_known(char *to, const known_text text)
{
	memcpy(to, text, sizeof(known_text));
	return to + text[sizeof(known_text) - 1];
}

/* A number below 1000, copied likewise. */
struct decimal {
	char digits[4]; /* without leading zeros; a point follows them */
	char three[4];	/* with leading zeros; then the length of the others */
};

extern struct decimal decimals[1000];

static inline char *put_decimal(char *to, __u32 below_1000)
{
	const struct decimal *decimal = &decimals[below_1000];

	memcpy(to, decimal->digits, sizeof(decimal->digits));
	return to + decimal->three[3];
}

static inline char *put_three_digits(char *to, __u32 below_1000)
{
	memcpy(to, decimals[below_1000].three, 4);
	return to + 3;
}

/* For put_number(). */
char *put_great_number(char *to, __u64 value);

/* In decimal, at most 20 digits. Most numbers of a record are small. */
static inline char *put_number(char *to, __u64 value)
{
	return value < 1000 ? put_decimal(to, (__u32)value) :
			      put_great_number(to, value);
}

/* In base 62 with the digits 0 to 9, A to Z, a to z: eleven, the last first. */
char *put_base_62(char *to, __u64 value);

/* The microseconds of a time in ns: a point and six digits. */
char *put_microseconds(char *to, __u64 time);

/* ns as seconds and microseconds; finer digits are cut off. */
char *put_timestamp(char *to, __u64 time);

/* For put_address(). */
char *put_ipv4(char *to, const __u32 *address);
char *put_ipv6(char *to, const __u32 *address);

/*
 * `family` 4 or 6; in network byte order. As inet_ntop() writes it: IPv6 in RFC
 * 5952 form, INET6_ADDRSTRLEN bytes at most.
 */
static inline char *put_address(char *to, __u8 family, const __u32 *address)
{
	return family == 6 ? put_ipv6(to, address) : put_ipv4(to, address);
}

/* Each byte in hexadecimal: two digits. */
extern char hexadecimals[256][2];

static inline char *put_two_hex(char *to, __u8 byte)
{
	return put_text(to, hexadecimals[byte], 2);
}

/* \xhh: four bytes. */
char *put_hex(char *to, __u8 byte);

/* 0x20 to 0x7e as they are, a backslash doubled, any other byte as \xhh. */
char *put_escaped(char *to, const __u8 *bytes, size_t len);

/* Escapes as put_escaped(), and then as a JSON string. */
char *put_escaped_json(char *to, const __u8 *bytes, size_t len);

#endif
