/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Greetings of text protocols, and of those that are not known: codes and
 * capabilities stay as they are; dates, the client's address and what an idiom
 * tells of are wild.
 */
#include "structure.h"

#include "times.h"

#include <string.h>

#define IAC 0xff /* telnet's, RFC 854 */

/* --- codes ------------------------------------------------------------- */

/* 220, and a space or a - behind. */
static bool has_code(const struct greeting *g, size_t at)
{
	return greeting_is_digit(g, at) && greeting_is_digit(g, at + 1) &&
	       greeting_is_digit(g, at + 2) && at + 3 < g->len &&
	       (g->bytes[at + 3] == ' ' || g->bytes[at + 3] == '-' ||
		g->bytes[at + 3] == '\r' || g->bytes[at + 3] == '\n');
}

static const char *const refusals[] = {
	"-ERR", "-DENIED", "* BYE", "@ERROR", "ERROR :", "Too many",
	"NOAUTH", "-LOADING", "-NOAUTH",
};

static bool is_refusal(const struct greeting *g)
{
	if (has_code(g, 0))
		return g->bytes[0] == '4' || g->bytes[0] == '5';
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		if (greeting_has(g, 0, refusals[i]))
			return true;
	}
	return false;
}

/* --- whole or not ------------------------------------------------------ */

static bool is_negotiation(const struct greeting *g)
{
	size_t at = 0;

	while (at + 2 < g->len && g->bytes[at] == IAC && g->bytes[at + 1] > 250)
		at += 3;
	return at && at == g->len;
}

static bool is_unfinished(const struct greeting *g)
{
	size_t line = g->len;

	if (!g->len || is_negotiation(g) || g->bytes[g->len - 1] != '\n')
		return true;
	for (line--; line && g->bytes[line - 1] != '\n';)
		line--;
	return has_code(g, line) && g->bytes[line + 3] == '-';
}

static bool is_binary(const struct greeting *g)
{
	size_t odd = 0;

	for (size_t i = 0; i < g->len; i++) {
		if (!g->bytes[i])
			return true;
		odd += !byte_in_class(g->bytes[i], CLASS_TEXT) &&
		       g->bytes[i] != 0x1b;
	}
	return odd * 8 > g->len && !is_negotiation(g);
}

/* --- wild parts of text ------------------------------------------------ */

static bool begins_word(const struct greeting *g, size_t at)
{
	return greeting_is_word(g, at) && !(at && greeting_is_word(g, at - 1));
}

static size_t time_span(const struct greeting *g, size_t at, enum wild *wild)
{
	size_t end;

	if (greeting_is_digit(g, at) && at &&
	    memchr(".:-/_+~", g->bytes[at - 1], 7))
		return 0;
	*wild = WILD_TIME;
	return time_at(g->bytes, g->len, at, g->seen->time, &end) == TIME_NOW ?
		       end :
		       0;
}

/* The client's port, behind its address: 192.0.2.1:50000, or "port 50000". */
static size_t port_span(const struct greeting *g, size_t at, bool behind_client,
			enum wild *wild)
{
	unsigned int value = 0;
	size_t end = at;

	for (; greeting_is_digit(g, end) && end - at < 6; end++)
		value = value * 10 + (unsigned int)(g->bytes[end] - '0');
	if (end == at || value != g->seen->client_port ||
	    greeting_is_word(g, end))
		return 0;
	*wild = WILD_PORT;
	return behind_client || (at > 5 && greeting_has(g, at - 5, "port ")) ?
		       end :
		       0;
}

/* `client_end`: where the client's address last ended; 0: nowhere yet. */
static size_t wild_span(const struct greeting *g, size_t at, size_t *client_end,
			enum wild *wild)
{
	const bool behind = *client_end && at <= *client_end + 2;
	size_t end = 0;

	if (g->client_named) {
		end = client_at(g, at);
		*wild = WILD_CLIENT;
		if (end) {
			*client_end = end;
			return end;
		}
	}
	if (!begins_word(g, at) && (!at || g->bytes[at - 1] != '<'))
		return 0;
	end = time_span(g, at, wild);
	if (!end)
		end = idiom_at(g, at, wild);
	if (!end && g->seen->client_port)
		end = port_span(g, at, behind, wild);
	return end;
}

void structure_add_text(struct form *form, const struct greeting *g,
			size_t from, size_t to, uint16_t mark)
{
	size_t client_end = 0;

	for (size_t at = from; at < to;) {
		enum wild wild = WILD_BYTES;
		size_t end = 0;

		if (greeting_is_word(g, at) || g->bytes[at] == ':' ||
		    (at && g->bytes[at - 1] == '<'))
			end = wild_span(g, at, &client_end, &wild);
		if (end) {
			form_add_wild(form, wild, at);
			at = end < to ? end : to;
			continue;
		}
		form_add_bytes(form, g->bytes, at, at + 1, mark);
		at++;
	}
}

/* --- whole greetings --------------------------------------------------- */

/* What may not become wild at the beginning of a line; its end. */
static size_t fixed_end(const struct greeting *g, size_t at)
{
	size_t end = at;

	if (has_code(g, at))
		return at + 4 < g->len ? at + 4 : g->len;
	if (greeting_has(g, at, "* OK [CAPABILITY")) {
		while (end < g->len && g->bytes[end] != ']' &&
		       g->bytes[end] != '\n')
			end++;
		return end;
	}
	if (greeting_has(g, at, "RFB ") || greeting_has(g, at, "@RSYNCD: "))
		return greeting_line_end(g, at);
	return at;
}

static bool says(const struct greeting *g, const char *word)
{
	for (size_t at = 0; at < g->len; at++) {
		if (begins_word(g, at) && greeting_has(g, at, word))
			return true;
	}
	return false;
}

/* 220 is FTP's and SMTP's: a word decides, then the port. */
static bool is_ftp(const struct greeting *g)
{
	const uint16_t port = g->seen->server_port;

	if (!greeting_has(g, 0, "220") || !has_code(g, 0))
		return false;
	for (size_t at = 4; at + 3 <= g->len; at++) {
		if (greeting_has(g, at, "FTP") &&
		    !greeting_has(g, at - 1, "SFTP"))
			return true;
	}
	return (port == 21 || port == 2121) && !says(g, "SMTP") &&
	       !says(g, "ESMTP") && !says(g, "LMTP");
}

static bool is_known(const struct greeting *g)
{
	static const char *const words[] = { "RFB 00", "@RSYNCD: ", "+OK ",
					     "* OK ", "* PREAUTH " };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (greeting_has(g, 0, words[i]))
			return true;
	}
	return has_code(g, 0) && (says(g, "SMTP") || says(g, "ESMTP") ||
				  says(g, "LMTP") || says(g, "NNTP"));
}

/* A number of `size` bytes at the beginning: the length of what follows? */
static bool is_length(const struct greeting *g, size_t size, bool big)
{
	uint64_t value = 0;

	if (g->len < size + 4)
		return false;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | g->bytes[big ? i : size - 1 - i];
	return value && value <= g->len && g->len - value <= size;
}

static void add_binary(struct form *form, const struct greeting *g)
{
	static const size_t sizes[] = { 4, 3, 2 };
	size_t at = 0;

	if (g->seen->server_port == 37 && g->len == 4) { /* RFC 868 */
		form_add_wild(form, WILD_TIME, 0);
		return;
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes) && !at; i++) {
		if (is_length(g, sizes[i], true) ||
		    is_length(g, sizes[i], false)) {
			form_add_wild(form, WILD_LENGTH, 0);
			at = sizes[i];
		}
	}
	structure_add_text(form, g, at, g->len, 0);
}

void structure_text(struct form *form, const struct greeting *g)
{
	size_t at = 0, line, fixed;

	form->binary = is_binary(g);
	if (form->binary) {
		add_binary(form, g);
		return;
	}
	form->whole &= !is_unfinished(g);
	form->refusal = is_refusal(g);
	form->ftp = is_ftp(g);
	form->known = form->ftp || is_known(g);
	for (; at < g->len; at = line) {
		line = greeting_line_end(g, at);
		fixed = fixed_end(g, at);
		form_add_bytes(form, g->bytes, at, fixed, SYMBOL_FIXED);
		structure_add_text(form, g, fixed, line, 0);
	}
}
