/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "words.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol.h"
#include "telnet.h"

#define CODE_LEN 4 /* "220 ", "220-" */

/* A line with its end is complete, even if more may follow. */
static struct text without_line_end(struct text text)
{
	const size_t len = text.len;

	while (text.len && is_one_of(text.bytes[text.len - 1], "\r\n"))
		text.len--;
	text.complete = text.complete || text.len < len;
	return text;
}

static struct text first_line(const struct text *text)
{
	return text_until(text, "\r\n");
}

static bool begins_with_code(const struct text *line)
{
	return line->len >= CODE_LEN && isdigit(line->bytes[0]) &&
	       isdigit(line->bytes[1]) && isdigit(line->bytes[2]) &&
	       (line->bytes[3] == ' ' || line->bytes[3] == '-');
}

/* Copies the lines of a text without the numbers before them. */
static size_t copy_without_codes(const struct text *text, uint8_t *to,
				 bool *is_last)
{
	struct text rest = *text;
	size_t len = 0;

	while (rest.len) {
		const uint8_t *end = memchr(rest.bytes, '\n', rest.len);
		const size_t line =
			end ? (size_t)(end + 1 - rest.bytes) : rest.len;
		const size_t skipped = begins_with_code(&rest) ? CODE_LEN : 0;

		*is_last = end && skipped && rest.bytes[3] == ' ';
		memcpy(to + len, rest.bytes + skipped, line - skipped);
		len += line - skipped;
		rest = text_after(&rest, line);
	}
	return len;
}

static size_t copy_without_negotiation(const struct text *text, uint8_t *to)
{
	struct text rest = *text;
	size_t len = 0;

	while (rest.len) {
		const size_t commands = telnet_commands(rest.bytes, rest.len);

		rest = text_after(&rest, commands);
		if (!rest.len)
			break;
		/* IAC twice is a byte of text. */
		to[len++] = *rest.bytes;
		rest = text_after(&rest,
				  text_begins(&rest, "\xff\xff") ? 2 : 1);
	}
	return len;
}

static int copy(const struct text *text, bool is_telnet, struct words *words)
{
	bool is_last = false;
	size_t len;

	words->owned = malloc(text->len + 1);
	if (!words->owned)
		return -ENOMEM;
	if (is_telnet)
		len = copy_without_negotiation(text, words->owned);
	else
		len = copy_without_codes(text, words->owned, &is_last);
	words->text =
		(struct text){ words->owned, len, text->complete || is_last };
	if (!is_telnet)
		words->text = without_line_end(words->text);
	words->text.complete = text->complete || is_last;
	return 0;
}

/* "2.0-OpenSSH_9.2p1": after the protocol's number. */
static struct text after_protocol(const struct text *body)
{
	const struct text line = first_line(body);
	const struct text number = text_until(&line, "-");

	return text_after(&line, number.len + (number.len < line.len));
}

static struct text after_space(const struct text *body)
{
	const bool has_space = body->len && *body->bytes == ' ';
	const struct text rest = text_after(body, has_space);

	return first_line(&rest);
}

int words_take(const struct text *text, const struct spoken *spoken,
	       struct words *words)
{
	words->owned = NULL;
	words->text = spoken->body;
	switch (spoken->dialect) {
	case DIALECT_SSH:
		words->text = after_protocol(&spoken->body);
		return 0;
	case DIALECT_POP3:
	case DIALECT_IMAP:
		words->text = after_space(&spoken->body);
		return 0;
	case DIALECT_HTTP:
		return structure_header(&spoken->body, "Server", &words->text) ?
			       0 :
			       -ENOENT;
	case DIALECT_SMTP:
	case DIALECT_LMTP:
	case DIALECT_FTP:
	case DIALECT_NNTP:
		return copy(text, false, words);
	case DIALECT_TELNET:
		return copy(text, true, words);
	default:
		return 0;
	}
}

void words_free(struct words *words)
{
	free(words->owned);
}
