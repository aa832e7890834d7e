/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "put.h"

#include <stdbool.h>

struct decimal decimals[1000];

static char *put_millions(char *to, __u64 value)
{
	to = put_number(to, value / 1000000);
	to = put_three_digits(to, (__u32)(value / 1000 % 1000));
	return put_three_digits(to, (__u32)(value % 1000));
}

char *put_great_number(char *to, __u64 value)
{
	if (value >= 1000000)
		return put_millions(to, value);
	to = put_decimal(to, (__u32)value / 1000);
	return put_three_digits(to, (__u32)value % 1000);
}

#define FIVE_DIGITS 916132832U /* 62 ^ 5 */

static const char base_62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz";

/*
 * Five digits, the last one first. The number is made a fraction of 2^64; 62
 * times a fraction is a digit and what is left of the fraction. A digit takes a
 * multiplication then, where a division takes several.
 */
static char *put_five_digits(char *to, __u64 value)
{
	__u64 fraction = value * (~0ULL / FIVE_DIGITS + 1);

	for (int i = 4; i >= 0; i--) {
		const unsigned __int128 product =
			(unsigned __int128)fraction * 62;

		to[i] = base_62[(__u64)(product >> 64)];
		fraction = (__u64)product;
	}
	return to + 5;
}

char *put_base_62(char *to, __u64 value)
{
	to = put_five_digits(to, value % FIVE_DIGITS);
	value /= FIVE_DIGITS;
	to = put_five_digits(to, value % FIVE_DIGITS);
	*to++ = base_62[value / FIVE_DIGITS];
	return to;
}

/* A point and six digits, of the nanoseconds of a second. */
static inline char *put_fraction(char *to, __u32 ns)
{
	const __u32 value = ns / 1000;

	*to++ = '.';
	to = put_three_digits(to, value / 1000);
	return put_three_digits(to, value % 1000);
}

char *put_microseconds(char *to, __u64 time)
{
	return put_fraction(to, (__u32)(time % NS_PER_SECOND));
}

/* The text of the seconds is computed once a second. */
char *put_timestamp(char *to, __u64 time)
{
	static __u64 last;
	static char text[24] = "0";
	static size_t len = 1;
	const __u64 second = time / NS_PER_SECOND;

	if (second != last) {
		len = (size_t)(put_number(text, second) - text);
		last = second;
	}
	memcpy(to, text, sizeof(text)); /* a constant size: one instruction or
					 * two; `to` has room for a line */
	return put_fraction(to + len, (__u32)(time - second * NS_PER_SECOND));
}

/* Each byte: escaped; escaped, and then as json. */
static known_text escaped[256], escaped_json[256];

/* --- escapes -------------------------------------------------------------- */

char hexadecimals[256][2];

char *put_hex(char *to, __u8 byte)
{
	to = PUT(to, "\\x");
	return put_two_hex(to, byte);
}

typedef signed char sixteen_bytes __attribute__((vector_size(16)));

/*
 * Whether all of them are 0x20 to 0x7e, and none is a backslash or, with
 * `quotes`, a double quote. Bytes from 0x80 on are negative.
 */
static inline bool are_clean(sixteen_bytes bytes, bool quotes)
{
	sixteen_bytes dirty =
		(bytes < 0x20) | (bytes == 0x7f) | (bytes == '\\');
	__u64 halves[2];

	if (quotes)
		dirty |= bytes == '"';
	memcpy(halves, &dirty, sizeof(halves));
	return !(halves[0] | halves[1]);
}

static inline char *put_each(char *to, const __u8 *bytes, size_t len,
			     const known_text texts[256])
{
	for (size_t i = 0; i < len; i++)
		to = put_known(to, texts[bytes[i]]);
	return to;
}

/*
 * Copies 16 bytes at a time. If one of them has to be escaped, each of them is
 * looked up. What is left behind them is copied with bytes before it, again 16,
 * if none of these has to be escaped: then they are written where they are.
 */
static inline char *put_runs(char *to, const __u8 *bytes, size_t len,
			     bool quotes, const known_text texts[256])
{
	sixteen_bytes next;
	size_t left = len;

	for (; left >= sizeof(next); left -= sizeof(next)) {
		memcpy(&next, bytes, sizeof(next));
		if (are_clean(next, quotes))
			to = put_text(to, (const char *)bytes, sizeof(next));
		else
			to = put_each(to, bytes, sizeof(next), texts);
		bytes += sizeof(next);
	}
	if (left && len >= sizeof(next)) {
		memcpy(&next, bytes + left - sizeof(next), sizeof(next));
		if (are_clean(next, quotes)) {
			memcpy(to + left - sizeof(next), &next, sizeof(next));
			return to + left;
		}
	}
	return put_each(to, bytes, left, texts);
}

/* Most banners are lines of text: all before the line's end is clean. */
static inline size_t line_end_len(const __u8 *bytes, size_t len)
{
	return len >= 2 && !memcmp(bytes + len - 2, "\r\n", 2) ? 2 : 0;
}

char *put_escaped_json(char *to, const __u8 *bytes, size_t len)
{
	const size_t line_end = line_end_len(bytes, len);

	to = put_runs(to, bytes, len - line_end, true, escaped_json);
	return line_end ? PUT(to, "\\\\x0d\\\\x0a") : to;
}

char *put_escaped(char *to, const __u8 *bytes, size_t len)
{
	const size_t line_end = line_end_len(bytes, len);

	to = put_runs(to, bytes, len - line_end, false, escaped);
	return line_end ? PUT(to, "\\x0d\\x0a") : to;
}

/* --- the tables ----------------------------------------------------------- */

static char *put_escaped_byte(char *to, __u8 byte)
{
	if (byte == '\\')
		return PUT(to, "\\\\");
	if (byte < 0x20 || byte > 0x7e)
		return put_hex(to, byte);
	*to++ = (char)byte;
	return to;
}

static char *put_escaped_byte_json(char *to, __u8 byte)
{
	if (byte == '\\')
		return PUT(to, "\\\\\\\\");
	if (byte == '"')
		return PUT(to, "\\\"");
	if (byte < 0x20 || byte > 0x7e)
		*to++ = '\\';
	return put_escaped_byte(to, byte);
}

static void end_known(known_text text, const char *end)
{
	text[sizeof(known_text) - 1] = (char)(end - text);
}

static void fill_decimal(struct decimal *decimal, int number)
{
	const int zeros = (number < 100) + (number < 10);

	decimal->three[0] = (char)('0' + number / 100);
	decimal->three[1] = (char)('0' + number / 10 % 10);
	decimal->three[2] = (char)('0' + number % 10);
	decimal->three[3] = (char)(3 - zeros);
	memcpy(decimal->digits, decimal->three + zeros, 3 - (size_t)zeros);
	decimal->digits[3 - zeros] = '.';
}

/* Before main(), so that no call has to ask whether it was done. */
__attribute__((constructor)) static void fill_tables(void)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 1000; i++)
		fill_decimal(&decimals[i], i);
	for (int i = 0; i < 256; i++) {
		const __u8 byte = (__u8)i;

		hexadecimals[i][0] = digits[byte >> 4];
		hexadecimals[i][1] = digits[byte & 15];
		end_known(escaped[i], put_escaped_byte(escaped[i], byte));
		end_known(escaped_json[i],
			  put_escaped_byte_json(escaped_json[i], byte));
	}
}
