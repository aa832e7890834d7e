/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes hostile bytes as HTML: printable ASCII, other bytes as \xhh, and
 * & < > " ' as entities. The result is safe as text and within a quoted
 * attribute. Functions with "elements" in their comment are for text only.
 */
#ifndef BANNERPROBE_REPORT_HTML_H
#define BANNERPROBE_REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Any bytes up to a NUL; at most `REPORT_TEXT` of them. */
#define REPORT_TEXT 512
void put_text(FILE *to, const char *text);
/* Text that is escaped already, such as a form: only entities are replaced. */
void put_plain(FILE *to, const char *text);

/* Elements: <i> is a run of escapes, <mark> a wild part. */
void put_form(FILE *to, const char *stable);
/* The same with a line break behind each \x0a; at most `REPORT_BYTES`. */
#define REPORT_BYTES 4096
void put_form_lines(FILE *to, const char *stable);
void put_bytes(FILE *to, const uint8_t *bytes, size_t len);
/* <del> and <ins>: what differs is <b> in both. Both are escaped already. */
void put_difference(FILE *to, const char *was, const char *became);

/* 10,000 */
void put_count(FILE *to, int64_t count);
/* 1 service, 10,000 services */
void put_counted(FILE *to, int64_t count, const char *one, const char *many);

#endif
