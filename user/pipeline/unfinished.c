/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "unfinished.h"

#include "inventory/text_end.h"

#include <string.h>

static bool is_control(__u8 byte)
{
	static const __u8 of_text[] = { '\a', '\b', '\t',  '\n',
					'\f', '\r', '\033' };

	return byte == 0x7f ||
	       (byte < 0x20 && !memchr(of_text, byte, sizeof(of_text)));
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

bool greeting_is_unfinished(const __u8 *bytes, size_t len)
{
	const size_t commands = telnet_commands(bytes, len);

	return is_text(bytes + commands, len - commands) &&
	       !has_all_headers(bytes, len) && text_end_is_open(bytes, len);
}
