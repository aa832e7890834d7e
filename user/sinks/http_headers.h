/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The header fields at the beginning of an HTTP/1 message (RFC 9112). Only
 * fields that are whole within the kept bytes are returned, and nothing is read
 * beyond these bytes.
 */
#ifndef BANNERPROBE_HTTP_HEADERS_H
#define BANNERPROBE_HTTP_HEADERS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the bytes are white space, if any, and a method that IVRE counts as
 * HTTP's.
 */
bool http_is_request(const __u8 *bytes, size_t len);

/* Whether the bytes begin with "HTTP/" and a digit. */
bool http_is_response(const __u8 *bytes, size_t len);

/* The part of a message that is not read yet. */
struct http_headers {
	const __u8 *at, *end;
};

/*
 * A header. The value has no white space around it; it may be empty or folded.
 */
struct http_header {
	const __u8 *name, *value;
	size_t name_len, value_len;
};

/* The headers of a message: from its second line on. */
struct http_headers http_headers_of(const __u8 *bytes, size_t len);

/* Reads the next header. False: there is no other whole one. */
bool http_next_header(struct http_headers *left, struct http_header *header);

/* Whether the header has this name, in whatever case. */
bool http_is_named(const struct http_header *header, const char *name);

/*
 * Writes the value with each fold as one space (RFC 9112, 5.2) to `to`, which
 * has room for value_len bytes. Returns its length.
 */
size_t http_unfold(const struct http_header *header, __u8 *to);

#endif
