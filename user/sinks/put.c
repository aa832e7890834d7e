/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "put.h"

#include <endian.h>
#include <stdbool.h>

const char hex_digits[] = "0123456789abcdef";

/* The two digits of each number below 100. */
static const char pairs[] = "0001020304050607080910111213141516171819"
			    "2021222324252627282930313233343536373839"
			    "4041424344454647484950515253545556575859"
			    "6061626364656667686970717273747576777879"
			    "8081828384858687888990919293949596979899";

static char *put_pair(char *to, __u32 below_100)
{
	return put_text(to, &pairs[2 * below_100], 2);
}

/* Two digits as they stand in memory, in the lower bytes. */
static __u64 pair(__u32 below_100)
{
	__u16 digits;

	memcpy(&digits, &pairs[2 * below_100], sizeof(digits));
	return le16toh(digits);
}

#define EACH_BYTE(value) (0x0101010101010101ULL * (value))
#define EIGHT_DIGITS 100000000U

/*
 * Numbers below 10^8 in one word, its first byte first, from which leading
 * zeros are shifted out. Without a branch: numbers of unlike lengths alternate.
 */
static char *put_few_digits(char *to, __u32 value)
{
	const __u32 upper = value / 10000, lower = value % 10000;
	__u64 word = pair(upper / 100) | pair(upper % 100) << 16 |
		     pair(lower / 100) << 32 | pair(lower % 100) << 48;
	const int zeros =
		__builtin_ctzll((word ^ EACH_BYTE('0')) | 1ULL << 56) /
		8; /* the last digit stays */

	word = htole64(word >> 8 * zeros);
	memcpy(to, &word, sizeof(word));
	return to + sizeof(word) - zeros;
}

char *put_great_number(char *to, __u64 value)
{
	__u32 lower;

	if (value < EIGHT_DIGITS)
		return put_few_digits(to, (__u32)value);
	to = put_great_number(to, value / EIGHT_DIGITS);
	lower = (__u32)(value % EIGHT_DIGITS);
	to = put_pair(to, lower / 1000000);
	to = put_pair(to, lower / 10000 % 100);
	to = put_pair(to, lower / 100 % 100);
	return put_pair(to, lower % 100);
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
	const __u32 value = ns / 1000, upper = value / 10000;
	const __u32 lower = value % 10000;

	*to++ = '.';
	to = put_pair(to, upper);
	to = put_pair(to, lower / 100);
	return put_pair(to, lower % 100);
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

known_text decimals[256];

/* Each byte: escaped; escaped, and then as json. */
static known_text escaped[256], escaped_json[256];

/* --- escapes -------------------------------------------------------------- */

char *put_hex(char *to, __u8 byte)
{
	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex_digits[byte >> 4];
	*to++ = hex_digits[byte & 15];
	return to;
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
 * looked up.
 */
static inline char *put_runs(char *to, const __u8 *bytes, size_t len,
			     bool quotes, const known_text texts[256])
{
	sixteen_bytes next;

	for (; len >= sizeof(next); len -= sizeof(next)) {
		memcpy(&next, bytes, sizeof(next));
		if (are_clean(next, quotes))
			to = put_text(to, (const char *)bytes, sizeof(next));
		else
			to = put_each(to, bytes, sizeof(next), texts);
		bytes += sizeof(next);
	}
	return put_each(to, bytes, len, texts);
}

char *put_escaped_json(char *to, const __u8 *bytes, size_t len)
{
	return put_runs(to, bytes, len, true, escaped_json);
}

char *put_escaped(char *to, const __u8 *bytes, size_t len)
{
	return put_runs(to, bytes, len, false, escaped);
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

/* Before main(), so that no call has to ask whether it was done. */
__attribute__((constructor)) static void fill_tables(void)
{
	for (int i = 0; i < 256; i++) {
		const __u8 byte = (__u8)i;

		end_known(decimals[i], put_few_digits(decimals[i], byte));
		decimals[i][(int)decimals[i][sizeof(known_text) - 1]] = '.';
		end_known(escaped[i], put_escaped_byte(escaped[i], byte));
		end_known(escaped_json[i],
			  put_escaped_byte_json(escaped_json[i], byte));
	}
}
