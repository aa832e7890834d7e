/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "spoken_by_both.h"

#include <stddef.h>
#include <string.h>

#define BGP_MARKER 16 /* bytes of 0xff */

static bool begins(const __u8 *bytes, __u32 len, const char *text)
{
	const size_t wanted = strlen(text);

	return len >= wanted && !memcmp(bytes, text, wanted);
}

static bool is_bgp(const __u8 *bytes, __u32 len)
{
	for (int i = 0; i < BGP_MARKER; i++) {
		if (len < BGP_MARKER || bytes[i] != 0xff)
			return false;
	}
	return true;
}

/* "NOTICE AUTH :...", or ":irc.example.org NOTICE * :...". */
static bool is_irc_notice(const __u8 *bytes, __u32 len)
{
	const __u8 *space;

	if (begins(bytes, len, "NOTICE "))
		return true;
	if (!begins(bytes, len, ":"))
		return false;
	space = memchr(bytes, ' ', len);
	return space && begins(space, len - (__u32)(space - bytes), " NOTICE ");
}

bool is_spoken_by_both(const __u8 *bytes, __u32 len)
{
	static const char *const beginnings[] = { "SSH-",  "@RSYNCD:", "220 ",
						  "220-",  "+OK ",     "* OK ",
						  "RFB 00" };

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (begins(bytes, len, beginnings[i]))
			return true;
	}
	return is_bgp(bytes, len) || is_irc_notice(bytes, len);
}
