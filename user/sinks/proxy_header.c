/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "proxy_header.h"

#include <string.h>

#define LINE_MAX_V1 107 /* bytes, with its end */
#define SIGNATURE 12
#define HEADER_V2 16 /* bytes before the addresses */

/* One line, "PROXY TCP4 ...", "PROXY TCP6 ..." or "PROXY UNKNOWN ...". */
static bool is_version_1(const __u8 *bytes, size_t len)
{
	static const char *const families[] = { "PROXY TCP4 ", "PROXY TCP6 ",
						"PROXY UNKNOWN" };

	if (len > LINE_MAX_V1 || len < 2 ||
	    memchr(bytes, '\n', len) != &bytes[len - 1] ||
	    bytes[len - 2] != '\r')
		return false;
	for (int i = 0; i < 3; i++) {
		const size_t family = strlen(families[i]);

		if (len >= family + 2 && !memcmp(bytes, families[i], family))
			return true;
	}
	return false;
}

/* `len`: of the event; `kept`: at least the header's fixed part. */
static bool is_version_2(const __u8 *bytes, size_t kept, size_t len)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

	return kept >= HEADER_V2 && !memcmp(bytes, signature, SIGNATURE) &&
	       bytes[12] >> 4 == 2 &&
	       len == HEADER_V2 + (size_t)(bytes[14] << 8 | bytes[15]);
}

bool is_proxy_header(const struct event *event)
{
	if (event->kind != EVENT_REQUEST)
		return false;
	return is_version_2(event->bytes, event->kept, event->len) ||
	       (event->kept == event->len &&
		is_version_1(event->bytes, event->kept));
}
