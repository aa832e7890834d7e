/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "put.h"

#include <arpa/inet.h>
#include <stdbool.h>

const char hex_digits[] = "0123456789abcdef";

/* The two digits of each number below 100. */
static const char pairs[] =
	"0001020304050607080910111213141516171819"
	"2021222324252627282930313233343536373839"
	"4041424344454647484950515253545556575859"
	"6061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static char *put_pair(char *to, __u32 below_100)
{
	return put_text(to, &pairs[2 * below_100], 2);
}

static int digits_of(__u64 value)
{
	int digits = 1;

	for (__u64 limit = 10; digits < 20 && value >= limit; limit *= 10)
		digits++;
	return digits;
}

char *put_number(char *to, __u64 value)
{
	int digits = digits_of(value);
	char *const end = to + digits;

	for (; digits >= 2; digits -= 2) {
		put_pair(to + digits - 2, (__u32)(value % 100));
		value /= 100;
	}
	if (digits)
		*to = (char)('0' + value);
	return end;
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

static char *put_byte(char *to, __u8 value)
{
	if (value >= 100) {
		*to++ = (char)('0' + value / 100);
		return put_pair(to, value % 100);
	}
	if (value >= 10)
		return put_pair(to, value);
	*to++ = (char)('0' + value);
	return to;
}

char *put_address(char *to, __u8 family, const __u32 *address)
{
	const __u8 *byte = (const __u8 *)address;

	if (family == 6) {
		inet_ntop(AF_INET6, address, to, INET6_ADDRSTRLEN);
		return to + strlen(to);
	}
	for (int i = 0; i < 4; i++) {
		if (i)
			*to++ = '.';
		to = put_byte(to, byte[i]);
	}
	return to;
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

#define EACH_BYTE(value) (0x0101010101010101ULL * (value))

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
 * Copies eight bytes at a time. If one of the eight has to be escaped, `escape`
 * writes each of them.
 */
static char *put_runs(char *to, const __u8 *bytes, size_t len,
			     bool quotes, char *(*escape)(char *to, __u8 byte))
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
			to = escape(to, bytes[at]);
	}
	return to;
}

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
	if (byte < 0x20 || byte > 0x7e) {
		*to++ = '\\';
		return put_hex(to, byte);
	}
	*to++ = (char)byte;
	return to;
}

char *put_escaped_json(char *to, const __u8 *bytes, size_t len)
{
	return put_runs(to, bytes, len, true, put_escaped_byte_json);
}

char *put_escaped(char *to, const __u8 *bytes, size_t len)
{
	return put_runs(to, bytes, len, false, put_escaped_byte);
}
