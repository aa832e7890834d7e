/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "ssh_line.h"

#include <string.h>

#define PREFIX 6 /* bytes of "SSH-2." */

/* Whether a byte is a letter, of which the lower case is given, in any case. */
static bool is_letter(__u8 byte, __u8 letter)
{
	return (byte | 0x20) == letter;
}

/* Whether the bytes begin with the prefix, or are its beginning. */
static bool agrees(const __u8 *bytes, size_t len)
{
	return (len < 1 || is_letter(bytes[0], 's')) &&
	       (len < 2 || is_letter(bytes[1], 's')) &&
	       (len < 3 || is_letter(bytes[2], 'h')) &&
	       (len < 4 || bytes[3] == '-') &&
	       (len < 5 || bytes[4] == '1' || bytes[4] == '2') &&
	       (len < PREFIX || bytes[5] == '.');
}

bool ssh_begins(const __u8 *bytes, size_t len)
{
	return len >= PREFIX && agrees(bytes, len);
}

static size_t before_line_end(const __u8 *bytes, size_t len)
{
	const __u8 *end = memchr(bytes, '\n', len);

	len = end ? (size_t)(end - bytes) : len;
	end = memchr(bytes, '\r', len);
	return end ? (size_t)(end - bytes) : len;
}

size_t ssh_line(const __u8 *bytes, size_t len)
{
	const size_t line = before_line_end(bytes, len);

	return ssh_begins(bytes, len) && line < len ? line : 0;
}

bool ssh_is_incomplete(const __u8 *bytes, size_t len)
{
	return len < SSH_LINE_MAX && agrees(bytes, len) &&
	       before_line_end(bytes, len) == len;
}
