/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Builds the form of one greeting by the structure of protocols and of text:
 * parts that differ between connections by the protocol's rules are wild.
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

/* A greeting, and the spellings of its client's address. */
struct greeting {
	const uint8_t *bytes;
	size_t len; /* at most FORM_MAX */
	const struct observation *seen;
	uint16_t kinds;	    /* no other kinds of byte are in it */
	bool joined_digits; /* two have a dot or a hyphen between them */
	/* Spellings of the client's address; some may be "". */
	char client[CLIENT_SPELLINGS][CLIENT_SPELLING_MAX];
	bool client_named; /* one of them is in the greeting */
};

/* Fills in `form`. */
void structure_form(struct form *form, const struct observation *seen);

/*
 * Each function fills in the form if the greeting is of its protocol. False: it
 * is not.
 */
bool structure_mysql(struct form *form, const struct greeting *greeting);
bool structure_ssh(struct form *form, const struct greeting *greeting);
bool structure_http(struct form *form, const struct greeting *greeting);
bool structure_tls(struct form *form, const struct greeting *greeting);
bool structure_telnet(struct form *form, const struct greeting *greeting);
bool structure_fix(struct form *form, const struct greeting *greeting);

/* Text of any protocol, or bytes of one that is not known. */
void structure_text(struct form *form, const struct greeting *greeting);

/* The same of text that is known to be text. */
void structure_lines(struct form *form, const struct greeting *greeting);

/* Whether the server does not serve this client. */
bool structure_refuses(const struct greeting *greeting);

/* Whether it is a greeting of FTP: by its words or, without one, by the port.
 */
bool structure_is_ftp(const uint8_t *bytes, size_t len, uint16_t port);

/* Adds a part of a text to the form, with its wild parts. */
void structure_add_text(struct form *form, const struct greeting *greeting,
			size_t from, size_t to, uint16_t mark);

/*
 * Idioms: the end of the wild part at `at`, where a word begins; 0: none.
 */
size_t idiom_at(const struct greeting *greeting, size_t at, enum wild *wild);

/* The same of spans of time: "up 3 days, 4:05". */
size_t duration_at(const struct greeting *greeting, size_t at, enum wild *wild);

/* Fills in the spellings of the client's address, and client_named. */
void client_spell(struct greeting *greeting);
/* The end of the client's address at `at`, or of a name with it; 0: none. */
size_t client_at(const struct greeting *greeting, size_t at);

/* --- small readers of a greeting --------------------------------------- */

/*
 * The kinds of a byte. They are in a table, because each byte of a greeting is
 * looked at many times.
 */
#define BYTE_DIGIT 1
#define BYTE_LETTER 2
#define BYTE_WORD 4 /* a digit or a letter */
#define BYTE_DOT 8
#define BYTE_HYPHEN 16
#define BYTE_UNDERSCORE 32
#define BYTE_TOKEN 64	 /* of CLASS_TOKEN */
#define BYTE_LESS 128	 /* "<" */
#define BYTE_FOREIGN 256 /* beyond ASCII */
#define BYTE_ODD 512	 /* DEL, and controls that are rare in text */
extern const uint16_t byte_kinds[256];

static inline bool greeting_is(const struct greeting *g, size_t at,
			       uint16_t kinds)
{
	return at < g->len && byte_kinds[g->bytes[at]] & kinds;
}

static inline bool greeting_is_digit(const struct greeting *g, size_t at)
{
	return greeting_is(g, at, BYTE_DIGIT);
}

static inline bool greeting_is_letter(const struct greeting *g, size_t at)
{
	return greeting_is(g, at, BYTE_LETTER);
}

static inline bool greeting_is_word(const struct greeting *g, size_t at)
{
	return greeting_is(g, at, BYTE_WORD);
}

/* Where bytes of these kinds end, or `at`. */
static inline size_t greeting_end_of(const struct greeting *g, size_t at,
				     uint16_t kinds)
{
	while (greeting_is(g, at, kinds))
		at++;
	return at;
}

static inline size_t greeting_word_end(const struct greeting *g, size_t at)
{
	return greeting_end_of(g, at, BYTE_WORD);
}

#define CASE ('a' ^ 'A') /* what differs between small letters and capitals */

/* Whether this text is at `at`, in upper or lower case. */
static inline bool greeting_has(const struct greeting *g, size_t at,
				const char *text)
{
	/* Faster than strncasecmp(), because nearly all fail at once. */
	for (; *text; text++, at++) {
		uint8_t difference;

		if (at >= g->len)
			return false;
		difference = g->bytes[at] ^ (uint8_t)*text;
		if (difference &&
		    (difference != CASE || !greeting_is_letter(g, at)))
			return false;
	}
	return true;
}

/* Where the digits at `at` end. */
static inline size_t greeting_digits_end(const struct greeting *g, size_t at)
{
	return greeting_end_of(g, at, BYTE_DIGIT);
}

/* Whether these words stand before `at`. A line end: at a line's beginning. */
bool greeting_follows_words(const struct greeting *greeting, size_t at,
			    const char *words, size_t len);

static inline bool greeting_follows(const struct greeting *g, size_t at,
				    const char *words)
{
	return greeting_follows_words(g, at, words, strlen(words));
}
/* "220 " or "220-". */
bool greeting_has_code(const struct greeting *greeting, size_t at);
/* The end of the line at `at`, behind its line feed. */
size_t greeting_line_end(const struct greeting *greeting, size_t at);

#endif
