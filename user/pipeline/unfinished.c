/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "unfinished.h"

#include <string.h>

#include "telnet.h"

/* The length of telnet's negotiation at the beginning. */
static size_t negotiation(const __u8 *bytes, size_t len)
{
	size_t at = 0;

	while (at + 2 < len && bytes[at] == TELNET_IAC &&
	       bytes[at + 1] >= TELNET_WILL && bytes[at + 1] <= TELNET_DONT)
		at += 3;
	return at;
}

static bool is_control(__u8 byte)
{
	return byte == 0x7f ||
	       (byte < 0x20 && !memchr("\a\b\t\n\f\r\033", byte, 7));
}

static bool is_text(const __u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_control(bytes[i]))
			return false;
	}
	return true;
}

/* An HTTP response is finished with its headers: the body may be endless. */
static bool has_all_headers(const __u8 *bytes, size_t len)
{
	return len > 5 && !memcmp(bytes, "HTTP/", 5) &&
	       memmem(bytes, len, "\r\n\r\n", 4);
}

static bool is_digit(__u8 byte)
{
	return byte >= '0' && byte <= '9';
}

/* A reply of several lines: "220-" precedes every line but the last. */
static bool has_more_lines(const __u8 *line, size_t len)
{
	return len > 3 && is_digit(line[0]) && is_digit(line[1]) &&
	       is_digit(line[2]) && line[3] == '-';
}

bool greeting_is_unfinished(const __u8 *bytes, size_t len)
{
	const size_t begin = negotiation(bytes, len);
	const __u8 *newline;
	size_t line;

	bytes += begin;
	len -= begin;
	if (!len)
		return true;
	if (!is_text(bytes, len) || has_all_headers(bytes, len))
		return false;
	if (bytes[len - 1] != '\n')
		return true;
	newline = memrchr(bytes, '\n', len - 1);
	line = newline ? (size_t)(newline + 1 - bytes) : 0;
	return has_more_lines(bytes + line, len - line);
}
