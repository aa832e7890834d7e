/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http_headers.h"

#include <string.h>
#include <strings.h>

/* White space as in a pattern of Zeek's. */
static bool is_space(__u8 byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_blank(__u8 byte)
{
	return byte == ' ' || byte == '\t';
}

bool http_is_request(const __u8 *bytes, size_t len)
{
	static const char *const methods[] = {
		"GET",
		"POST",
		"HEAD",
		"PUT",
		"DELETE",
		"OPTIONS",
		"CONNECT",
		"TRACE",
		"PATCH",
		"SEARCH",
		"ACL",
		"LOCK",
		"UNLOCK",
		"COPY",
		"MOVE",
		"MKCOL",
		"PROPFIND",
		"PROPPATCH",
		"ORDERPATCH",
		"REPORT",
		"CHECKIN",
		"CHECKOUT",
		"UNCHECKOUT",
		"LABEL",
		"MERGE",
		"UPDATE",
		"MKACTIVITY",
		"MKWORKSPACE",
		"BCOPY",
		"BMOVE",
		"BDELETE",
		"BPROPFIND",
		"BPROPPATCH",
		"NOTIFY",
		"POLL",
		"SUBSCRIBE",
		"UNSUBSCRIBE",
		"RPC_IN_DATA",
		"RPC_OUT_DATA",
		"VERSION-CONTROL",
		"BASELINE-CONTROL",
		"X-MS-ENUMATTS",
	};

	while (len && is_space(*bytes)) {
		bytes++;
		len--;
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		const size_t method = strlen(methods[i]);

		if (len >= method && !memcmp(bytes, methods[i], method))
			return true;
	}
	return false;
}

bool http_is_response(const __u8 *bytes, size_t len)
{
	return len > 5 && !memcmp(bytes, "HTTP/", 5) && bytes[5] >= '0' &&
	       bytes[5] <= '9';
}

/* The start of the next line; NULL: the line end is not at hand. */
static const __u8 *next_line(const __u8 *at, const __u8 *end)
{
	const __u8 *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : NULL;
}

struct http_headers http_headers_of(const __u8 *bytes, size_t len)
{
	const __u8 *const end = bytes + len;
	const __u8 *first = bytes, *next;

	while (first < end && is_space(*first))
		first++;
	next = next_line(first, end);
	return (struct http_headers){ next ? next : end, end };
}

/* The end of a header with its continuation lines; NULL: not at hand. */
static const __u8 *end_of_header(const struct http_headers *left)
{
	const __u8 *next = next_line(left->at, left->end);

	while (next && next < left->end && is_blank(*next))
		next = next_line(next, left->end);
	return next;
}

static bool split(const __u8 *at, const __u8 *end, struct http_header *header)
{
	const __u8 *colon = memchr(at, ':', (size_t)(end - at));
	const __u8 *value;

	if (!colon)
		return false;
	value = colon + 1;
	while (value < end && is_space(*value))
		value++;
	while (end > value && is_space(end[-1]))
		end--;
	*header = (struct http_header){ .name = at,
					.value = value,
					.name_len = (size_t)(colon - at),
					.value_len = (size_t)(end - value) };
	return true;
}

bool http_next_header(struct http_headers *left, struct http_header *header)
{
	while (left->at < left->end && *left->at != '\n' && *left->at != '\r') {
		const __u8 *const line = left->at;
		const __u8 *const end = end_of_header(left);

		if (!end)
			return false;
		left->at = end;
		if (split(line, end, header))
			return true;
	}
	left->at = left->end; /* an empty line ends the headers */
	return false;
}

bool http_is_named(const struct http_header *header, const char *name)
{
	return strlen(name) == header->name_len &&
	       !strncasecmp((const char *)header->name, name, header->name_len);
}

size_t http_unfold(const struct http_header *header, __u8 *to)
{
	const __u8 *at = header->value, *const end = at + header->value_len;
	size_t len = 0;

	while (at < end) {
		const __u8 *const from = at;

		while (at < end && is_space(*at))
			at++;
		if (memchr(from, '\n', (size_t)(at - from))) {
			to[len++] = ' ';
			continue;
		}
		at += at == from;
		memcpy(to + len, from, (size_t)(at - from));
		len += (size_t)(at - from);
	}
	return len;
}
