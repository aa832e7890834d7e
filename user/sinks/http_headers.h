/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The header fields at the beginning of an HTTP/1 message (RFC 9112), as far as
 * they are whole in the bytes that were kept. Nothing is read beyond these.
 */
#ifndef BANNERPROBE_HTTP_HEADERS_H
#define BANNERPROBE_HTTP_HEADERS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* A method that IVRE takes for HTTP's, behind white space or none. */
bool http_is_request(const __u8 *bytes, size_t len);

/* "HTTP/" and a digit. */
bool http_is_response(const __u8 *bytes, size_t len);

/* What is left to be read of a message. */
struct http_headers {
	const __u8 *at, *end;
};

/* The value is without white space around it; it may be empty, or folded. */
struct http_header {
	const __u8 *name, *value;
	size_t name_len, value_len;
};

/* From the line behind the first one on. */
struct http_headers http_headers_of(const __u8 *bytes, size_t len);

/* False: there is no other one that is whole. */
bool http_next_header(struct http_headers *left, struct http_header *header);

/* Whether the header has this name, in whatever case. */
bool http_is_named(const struct http_header *header, const char *name);

/*
 * Writes the value with each fold as one space (RFC 9112, 5.2) to `to`, which
 * has room for value_len bytes. Returns its length.
 */
size_t http_unfold(const struct http_header *header, __u8 *to);

#endif
