/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "say.h"

#include "output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define US_PER_SECOND 1000000

static const char hex_digits[] = "0123456789abcdef";

static char *put_hex(char *to, uint8_t byte)
{
	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex_digits[byte >> 4];
	*to++ = hex_digits[byte & 15];
	return to;
}

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte <= 0x7e;
}

size_t escape(char *to, const uint8_t *bytes, size_t len)
{
	char *at = to;

	for (size_t i = 0; i < len; i++) {
		if (!is_plain(bytes[i])) {
			at = put_hex(at, bytes[i]);
			continue;
		}
		if (bytes[i] == '\\')
			*at++ = '\\';
		*at++ = (char)bytes[i];
	}
	*at = 0;
	return (size_t)(at - to);
}

char *plain(char *to, size_t size, const char *text)
{
	size_t n = 0;

	for (; n + 1 < size && text[n]; n++)
		to[n] = is_plain((uint8_t)text[n]) ? text[n] : '?';
	to[n] = 0;
	return to;
}

size_t escape_json(char *to, const uint8_t *bytes, size_t len)
{
	char *at = to;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\\') {
			memcpy(at, "\\\\\\\\", 4);
			at += 4;
		} else if (bytes[i] == '"') {
			*at++ = '\\';
			*at++ = '"';
		} else if (is_plain(bytes[i])) {
			*at++ = (char)bytes[i];
		} else {
			*at++ = '\\';
			at = put_hex(at, bytes[i]);
		}
	}
	*at = 0;
	return (size_t)(at - to);
}

/* --- messages ---------------------------------------------------------- */

#define MESSAGE_MS 500 /* the probe's keeper waits so long, once */

static const char *program = "bannerprobe-inventory";
static bool is_patient = true;

void say_for_the_probe(void)
{
	program = "bannerprobe";
	is_patient = false;
}

/*
 * Whether a message is taken. Nobody may read them, and the inventory has to be
 * kept nevertheless: a pipe that poll(2) calls ready has room for a message.
 */
static bool is_heard(void)
{
	static bool waited_in_vain;
	struct pollfd standard_error = { .fd = STDERR_FILENO,
					 .events = POLLOUT };

	if (is_patient)
		return true;
	waited_in_vain =
		poll(&standard_error, 1, waited_in_vain ? 0 : MESSAGE_MS) <= 0;
	return !waited_in_vain;
}

void say(const char *format, ...)
{
	va_list arguments;
	char *text;
	int len;

	va_start(arguments, format);
	len = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (!is_heard()) {
		if (len >= 0)
			free(text);
		return;
	}
	fprintf(stderr, "%s: ", program);
	if (len < 0) {
		fputs("out of memory\n", stderr);
		return;
	}
	for (int i = 0; i < len; i++) {
		if (is_plain((uint8_t)text[i]))
			fputc(text[i], stderr);
		else
			fprintf(stderr, "\\x%02x", (uint8_t)text[i]);
	}
	fputc('\n', stderr);
	free(text);
}

bool say_finish(void)
{
	if (output_drain())
		return true;
	if (errno == EPIPE) /* the consumer has closed its pipe */
		return true;
	say("standard output: %s", strerror(errno));
	return false;
}

/* --- JSON -------------------------------------------------------------- */

static void put_name(struct json *json, const char *name)
{
	if (json->comma)
		fputc(',', json->file);
	json->comma = true;
	if (name)
		fprintf(json->file, "\"%s\":", name);
}

void object_open(struct json *json, const char *name)
{
	put_name(json, name);
	fputc('{', json->file);
	json->comma = false;
}

void object_close(struct json *json)
{
	fputc('}', json->file);
	json->comma = true;
}

void object_end_line(struct json *json)
{
	fputc('\n', json->file);
	json->comma = false;
}

void object_bytes(struct json *json, const char *name, const uint8_t *bytes,
		  size_t len)
{
	char piece[ESCAPED_JSON_MAX(256)];

	put_name(json, name);
	fputc('"', json->file);
	for (size_t at = 0; at < len; at += 256) {
		size_t n = len - at < 256 ? len - at : 256;

		fwrite(piece, 1, escape_json(piece, bytes + at, n), json->file);
	}
	fputc('"', json->file);
}

void object_text(struct json *json, const char *name, const char *text)
{
	if (text && *text)
		object_bytes(json, name, (const uint8_t *)text, strlen(text));
}

void object_plain(struct json *json, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	put_name(json, name);
	fputc('"', json->file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', json->file);
		fputc(is_plain((uint8_t)*text) ? *text : '?', json->file);
	}
	fputc('"', json->file);
}

void object_number(struct json *json, const char *name, int64_t number)
{
	put_name(json, name);
	fprintf(json->file, "%lld", (long long)number);
}

void object_bool(struct json *json, const char *name, bool value)
{
	put_name(json, name);
	fputs(value ? "true" : "false", json->file);
}

void object_time(struct json *json, const char *name, int64_t us)
{
	/* A time before 1970, which another program wrote, has a sign. */
	const uint64_t size = us < 0 ? -(uint64_t)us : (uint64_t)us;

	put_name(json, name);
	fprintf(json->file, "%s%llu.%06llu", us < 0 ? "-" : "",
		(unsigned long long)(size / US_PER_SECOND),
		(unsigned long long)(size % US_PER_SECOND));
}

/* --- the rest ---------------------------------------------------------- */

void csv_field(FILE *file, bool first, const char *text)
{
	if (!first)
		fputc(',', file);
	fputc('"', file);
	/* A spreadsheet would compute what begins so; a server may say it. */
	if (text && *text && strchr("=+-@", *text))
		fprintf(file, "\\x%02x", (uint8_t)*text++);
	for (; text && *text; text++) {
		if (*text == '"')
			fputc('"', file);
		fputc(is_plain((uint8_t)*text) ? *text : '?', file);
	}
	fputc('"', file);
}

void time_to_text(int64_t us, char text[TIME_TEXT])
{
	const time_t second = (time_t)(us / US_PER_SECOND);
	struct tm calendar;

	if (!localtime_r(&second, &calendar) ||
	    !strftime(text, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &calendar))
		strcpy(text, "?");
}

size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
		return 80;
	return size.ws_col;
}
