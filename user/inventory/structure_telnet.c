/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Telnet: options are negotiated first, and between the lines of text. What is
 * negotiated, and where, depends on the client and on who is faster. So only
 * the first command and the text belong to the form.
 */
#include "structure.h"

#include "telnet.h"

#define COMMAND_LEN 3 /* IAC, a verb, an option */

/* A greeting without its negotiation. */
struct plain {
	uint8_t bytes[FORM_MAX];
	uint16_t at[FORM_MAX + 1]; /* where each byte stood */
	size_t len;
};

/* The end of the command at `at`; `at`: there is none. */
static size_t command_end(const struct greeting *g, size_t at)
{
	enum telnet_next next = TELNET_OUTSIDE;

	for (size_t end = at; end < g->len; end++) {
		next = telnet_step(next, g->bytes[end]);
		if (next == TELNET_SPEECH)
			return at;
		if (next == TELNET_OUTSIDE)
			return end + 1;
	}
	return g->len; /* it was cut */
}

static void strip(struct plain *plain, const struct greeting *g)
{
	size_t at = 0, end;

	plain->len = 0;
	while (at < g->len) {
		end = command_end(g, at);
		if (end > at) {
			at = end;
			continue;
		}
		/* IAC twice is one byte of text. */
		do {
			plain->at[plain->len] = (uint16_t)at;
			plain->bytes[plain->len++] = g->bytes[at++];
		} while (at < g->len && at < end + 2 &&
			 g->bytes[end] == TELNET_IAC);
	}
	plain->at[plain->len] = (uint16_t)g->len;
}

static void add_plain(struct form *form, const struct greeting *g)
{
	struct greeting text = *g;
	struct plain plain;
	size_t from;

	strip(&plain, g);
	text.bytes = plain.bytes;
	text.len = plain.len;
	if (g->bytes[1] != TELNET_SB)
		form_add_bytes(form, g->bytes, 0, COMMAND_LEN, 0);
	form_add_wild(form, WILD_OPTIONS, form->len);
	from = form->len;
	form->known = false;
	structure_lines(form, &text);
	for (size_t i = from; i < form->len; i++)
		form->at[i] = plain.at[form->at[i]];
}

bool structure_telnet(struct form *form, const struct greeting *g)
{
	if (!telnet_begins(g->bytes, g->len))
		return false;
	add_plain(form, g);
	return true;
}
