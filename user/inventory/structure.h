/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The form of one greeting, by what is known of protocols and of text: what
 * differs between two connections by the protocol's own rule is wild.
 */
#ifndef BANNERPROBE_STRUCTURE_H
#define BANNERPROBE_STRUCTURE_H

#include "form.h"
#include "observation.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define CLIENT_SPELLINGS 5
#define CLIENT_SPELLING_MAX 48

/* A greeting, read from its beginning to its end. */
struct greeting {
	const uint8_t *bytes;
	size_t len; /* at most FORM_MAX */
	const struct observation *seen;
	/* The client's address as it may be written; an empty one is none. */
	char client[CLIENT_SPELLINGS][CLIENT_SPELLING_MAX];
	bool client_named; /* one of them is in the greeting */
};

/* Fills in all of `form`. */
void structure_form(struct form *form, const struct observation *seen);

/*
 * Each tells whether the greeting is of its protocol, and if so fills in the
 * form.
 */
bool structure_mysql(struct form *form, const struct greeting *greeting);
bool structure_ssh(struct form *form, const struct greeting *greeting);
bool structure_http(struct form *form, const struct greeting *greeting);
bool structure_tls(struct form *form, const struct greeting *greeting);

/* Text of any protocol, or bytes of one that is not known. */
void structure_text(struct form *form, const struct greeting *greeting);

/* Adds a part of a text to the form, its wild parts found. */
void structure_add_text(struct form *form, const struct greeting *greeting,
			size_t from, size_t to, uint16_t mark);

/*
 * Idioms: is there a wild part at `at`, where a word begins? Its end, or 0.
 */
size_t idiom_at(const struct greeting *greeting, size_t at, enum wild *wild);

/* Fills in how the client's address is written, and whether it is. */
void client_spell(struct greeting *greeting);
/* The client's address there, or a name that holds it; its end, or 0. */
size_t client_at(const struct greeting *greeting, size_t at);

/* --- small readers of a greeting --------------------------------------- */

static inline bool greeting_is_digit(const struct greeting *g, size_t at)
{
	return at < g->len && g->bytes[at] >= '0' && g->bytes[at] <= '9';
}

static inline bool greeting_is_letter(const struct greeting *g, size_t at)
{
	return at < g->len && (g->bytes[at] | 0x20) >= 'a' &&
	       (g->bytes[at] | 0x20) <= 'z';
}

static inline bool greeting_is_word(const struct greeting *g, size_t at)
{
	return greeting_is_digit(g, at) || greeting_is_letter(g, at);
}

/* Is this text there? Letters of either case. */
static inline bool greeting_has(const struct greeting *g, size_t at,
				const char *text)
{
	/* Nearly all fail at the first character. */
	if (at >= g->len || ((g->bytes[at] ^ (uint8_t)*text) & ~0x20))
		return false;
	return at + strlen(text) <= g->len &&
	       !strncasecmp((const char *)g->bytes + at, text, strlen(text));
}
/* The end of the line at `at`, behind its line feed. */
size_t greeting_line_end(const struct greeting *greeting, size_t at);

#endif
