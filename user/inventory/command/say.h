/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The output of bannerprobe-inventory: records to standard output, one line
 * each; messages to standard error.
 */
#ifndef BANNERPROBE_SAY_H
#define BANNERPROBE_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "bannerprobe-inventory: ", the message, a newline; escaped as a banner is. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*
 * From now on messages begin with "bannerprobe: ", as those of a probe, and one
 * that nobody takes is dropped.
 */
void say_for_the_probe(void);

/* Text from the file, which should be escaped: any other byte becomes "?". */
char *plain(char *to, size_t size, const char *text);

/*
 * Hostile bytes as printable ASCII: 0x20 to 0x7e as they are, a backslash
 * doubled, any other byte \xhh. Each returns the number of characters written.
 */
#define ESCAPED_MAX(len) (4 * (len) + 1)
size_t escape(char *to, const uint8_t *bytes, size_t len);
/* The same as a JSON string without its quotes. */
#define ESCAPED_JSON_MAX(len) (6 * (len) + 1)
size_t escape_json(char *to, const uint8_t *bytes, size_t len);

/* One JSON object a line. */
struct json {
	FILE *file;
	bool comma;
};

void object_open(struct json *json, const char *name); /* NULL: the outermost */
void object_close(struct json *json);
void object_end_line(struct json *json);
void object_bytes(struct json *json, const char *name, const uint8_t *bytes,
		  size_t len);
/* Nothing is written where the text is NULL, or empty. */
void object_text(struct json *json, const char *name, const char *text);
/* Text that is escaped already. */
void object_plain(struct json *json, const char *name, const char *text);
void object_number(struct json *json, const char *name, int64_t number);
void object_bool(struct json *json, const char *name, bool value);
/* Seconds since 1970, microseconds kept. */
void object_time(struct json *json, const char *name, int64_t us);

/*
 * A field of CSV (RFC 4180): quoted, with a comma before unless it is first. A
 * sign at its beginning (= + - @) is escaped as other bytes are, \xhh.
 */
void csv_field(FILE *file, bool first, const char *text);

/* 2026-11-26 16:15:02, local time. */
#define TIME_TEXT 32
void time_to_text(int64_t us, char text[TIME_TEXT]);

/* Characters in a line of the terminal; 0: not a terminal, nothing is cut. */
size_t terminal_width(void);

/* Flushes the output. False, with a message: not all could be written. */
bool say_finish(void);

#endif
