/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "put.h"

#include <arpa/inet.h>
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

char *put_number(char *to, __u64 value)
{
	__u32 lower;

	if (value < EIGHT_DIGITS)
		return put_few_digits(to, (__u32)value);
	to = put_number(to, value / EIGHT_DIGITS);
	lower = (__u32)(value % EIGHT_DIGITS);
	to = put_pair(to, lower / 1000000);
	to = put_pair(to, lower / 10000 % 100);
	to = put_pair(to, lower / 100 % 100);
	return put_pair(to, lower % 100);
}

char *put_microseconds(char *to, __u64 time)
{
	const __u32 value = (__u32)(time % NS_PER_SECOND) / 1000;

	*to++ = '.';
	to = put_pair(to, value / 10000);
	to = put_pair(to, value / 100 % 100);
	return put_pair(to, value % 100);
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
	return put_microseconds(to + len, time);
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

/* Each byte: in decimal; escaped; escaped, and then as json. */
static known_text numbers[256], escaped[256], escaped_json[256];

char *put_address(char *to, __u8 family, const __u32 *address)
{
	const __u8 *byte = (const __u8 *)address;

	if (family == 6) {
		inet_ntop(AF_INET6, address, to, INET6_ADDRSTRLEN);
		return to + strlen(to);
	}
	for (int i = 0; i < 4; i++) {
		to = put_known(to, numbers[byte[i]]);
		*to++ = '.';
	}
	return to - 1;
}

/* --- escapes -------------------------------------------------------------- */

char *put_hex(char *to, __u8 byte)
{
	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex_digits[byte >> 4];
	*to++ = hex_digits[byte & 15];
	return to;
}

/* Some byte has its highest bit set exactly if a byte is below `limit`. */
static __u64 any_below(__u64 word, __u8 limit)
{
	return (word - EACH_BYTE(limit)) & ~word;
}

static __u64 any_equal(__u64 word, __u8 value)
{
	return any_below(word ^ EACH_BYTE(value), 1);
}

/*
 * Whether all of eight bytes are 0x20 to 0x7e, and none is a backslash or, with
 * `quotes`, a double quote.
 */
static bool is_clean(__u64 word, bool quotes)
{
	__u64 dirty = word | any_below(word, 0x20) | any_equal(word, 0x7f) |
		      any_equal(word, '\\');

	if (quotes)
		dirty |= any_equal(word, '"');
	return !(dirty & EACH_BYTE(0x80));
}

/*
 * Copies eight bytes at a time. If one of the eight has to be escaped, each of
 * them is looked up.
 */
static inline char *put_runs(char *to, const __u8 *bytes, size_t len,
			     bool quotes, const known_text texts[256])
{
	size_t at = 0, end;
	__u64 word;

	while (at < len) {
		end = at + sizeof(word) < len ? at + sizeof(word) : len;
		if (end - at == sizeof(word)) {
			memcpy(&word, bytes + at, sizeof(word));
			if (is_clean(word, quotes)) {
				to = put_text(to, (const char *)&word,
					      sizeof(word));
				at = end;
			}
		}
		for (; at < end; at++)
			to = put_known(to, texts[bytes[at]]);
	}
	return to;
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

		end_known(numbers[i], put_number(numbers[i], byte));
		end_known(escaped[i], put_escaped_byte(escaped[i], byte));
		end_known(escaped_json[i],
			  put_escaped_byte_json(escaped_json[i], byte));
	}
}
