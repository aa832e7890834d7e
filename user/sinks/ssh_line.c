/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "ssh_line.h"

#include <strings.h>

#define PREFIX 6 /* bytes of "SSH-2." */

/* Whether the bytes begin with the prefix, or are its beginning. */
static bool agrees(const __u8 *bytes, size_t len)
{
	const char *text = (const char *)bytes;

	return !strncasecmp(text, "ssh-", len < 4 ? len : 4) &&
	       (len < 5 || bytes[4] == '1' || bytes[4] == '2') &&
	       (len < PREFIX || bytes[5] == '.');
}

bool ssh_begins(const __u8 *bytes, size_t len)
{
	return len >= PREFIX && agrees(bytes, len);
}

static size_t before_line_end(const __u8 *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && bytes[at] != '\r' && bytes[at] != '\n')
		at++;
	return at;
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
