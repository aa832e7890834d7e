/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pieces of a line. Each writes to `to`, where the caller has room, and
 * returns where the next one goes; nothing is ended with a 0.
 */
#ifndef BANNERPROBE_PUT_H
#define BANNERPROBE_PUT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ULL

#define PUT(to, literal) put_text(to, literal, sizeof(literal) - 1)

extern const char hex_digits[];

/* Inline, because the length of a literal is known where it is compiled. */
static inline char *put_text(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

/* To the end of the text. */
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

/* --- escapes -------------------------------------------------------------- */

#define EACH_BYTE(value) (0x0101010101010101ULL * (value))

/* The highest bit of some byte is set if any byte is below `limit`. */
static inline __u64 any_below(__u64 word, __u8 limit)
{
	return (word - EACH_BYTE(limit)) & ~word;
}

static inline __u64 any_equal(__u64 word, __u8 value)
{
	return any_below(word ^ EACH_BYTE(value), 1);
}

/*
 * Whether each of eight bytes is one of 0x20 to 0x7e, but no backslash and, with
 * `quotes`, no double quote.
 */
static inline bool is_clean(__u64 word, bool quotes)
{
	__u64 dirty = word | any_below(word, 0x20) | any_equal(word, 0x7f) |
		      any_equal(word, '\\');

	if (quotes)
		dirty |= any_equal(word, '"');
	return !(dirty & EACH_BYTE(0x80));
}

/*
 * Bytes as they are, eight at a time; where one of eight is to be escaped,
 * `escape` writes each of them.
 */
static inline char *put_runs(char *to, const __u8 *bytes, size_t len,
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

#endif
