/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stable form of a greeting: its bytes, and wild parts, where an unchanged
 * server says something else in each connection. Portable C without files,
 * allocation or SQL.
 */
#ifndef BANNERPROBE_FORM_H
#define BANNERPROBE_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORM_MAX 2048 /* bytes of a greeting, and symbols of a form */
/* A form as text: at most this many characters for each symbol, and a NUL. */
#define FORM_TEXT_MAX (12 * FORM_MAX + 1)

/*
 * X(name, text, bytes that it may match). The first kinds are found by
 * structure, the others are learned. The text is in the file's column `stable`,
 * so a name must never change its meaning.
 */
#define FOR_EACH_WILD(X)                                                       \
	X(WILD_TIME, "time", CLASS_TEXT)                                       \
	X(WILD_ID, "id", CLASS_TOKEN)                                          \
	X(WILD_PID, "pid", CLASS_DIGIT)                                        \
	X(WILD_COUNTER, "counter", CLASS_NUMBER)                               \
	X(WILD_DURATION, "duration", CLASS_TEXT)                               \
	X(WILD_CLIENT, "client", CLASS_WORD)                                   \
	X(WILD_PORT, "port", CLASS_DIGIT)                                      \
	X(WILD_NODE, "node", CLASS_TOKEN)                                      \
	X(WILD_SALT, "salt", CLASS_ANY)                                        \
	X(WILD_STATUS, "status", CLASS_ANY)                                    \
	X(WILD_HEADERS, "headers", CLASS_ANY)                                  \
	X(WILD_LENGTH, "length", CLASS_ANY)                                    \
	X(WILD_TLS, "tls", CLASS_ANY)                                          \
	X(WILD_OPTIONS, "options", CLASS_ANY) /* telnet's negotiation */       \
	X(WILD_NUMBER, "number", CLASS_NUMBER)                                 \
	X(WILD_HEX, "hex", CLASS_HEX)                                          \
	X(WILD_TOKEN, "token", CLASS_TOKEN)                                    \
	X(WILD_WORD, "word", CLASS_WORD)                                       \
	X(WILD_TEXT, "text", CLASS_TEXT)                                       \
	X(WILD_BYTES, "bytes", CLASS_ANY)                                      \
	X(WILD_BYTE, "byte", CLASS_ANY) /* exactly one */

#define WILD_MEMBER(name, text, class) name,
enum wild { FOR_EACH_WILD(WILD_MEMBER) WILD_KINDS };

/* Classes of bytes. Each includes those before it. */
enum byte_class {
	CLASS_DIGIT,
	CLASS_NUMBER, /* digits and "," */
	CLASS_HEX,
	CLASS_TOKEN, /* letters, digits, and + / = _ - */
	CLASS_WORD,  /* printable, and bytes of UTF-8; no space */
	CLASS_TEXT,  /* and spaces and line ends */
	CLASS_ANY,
};

/* A symbol is a byte, or SYMBOL_WILD + enum wild; with flags. */
#define SYMBOL_WILD 0x100
#define SYMBOL_VALUE 0x1ff
#define SYMBOL_FIXED 0x200 /* never wild, whatever was learned */

struct form {
	uint16_t symbol[FORM_MAX];
	/* Offset of each symbol in the greeting; unused in a form from text. */
	uint16_t at[FORM_MAX + 1];
	size_t len;
	bool whole;   /* false: cut, or it ends within a line */
	bool refusal; /* the server would not serve this client */
	bool binary;  /* no text */
	bool known;   /* a protocol's structure was found */
};

static inline bool symbol_is_wild(uint16_t symbol)
{
	return symbol & SYMBOL_WILD;
}

static inline enum wild symbol_wild(uint16_t symbol)
{
	return (enum wild)(symbol & 0xff);
}

void form_add_wild(struct form *form, enum wild wild, size_t at);
void form_add_bytes(struct form *form, const uint8_t *bytes, size_t from,
		    size_t to, uint16_t mark);

bool byte_in_class(uint8_t byte, enum byte_class class);
enum byte_class wild_class(enum wild wild);
bool wild_is_learned(enum wild wild);

/*
 * Writes a form as text: bytes escaped as in the log (printable ASCII as it is,
 * a backslash doubled, any other byte \xhh), a wild part as \{name}, a run of
 * single wild bytes as \{bytes:N}. Returns the length.
 */
size_t form_to_text(const struct form *form, char text[FORM_TEXT_MAX]);
/* Reads such a text. False: it is not one. */
bool form_from_text(struct form *form, const char *text, size_t len);

/* A hash of the symbols without their flags. */
uint64_t form_hash(const struct form *form);
bool form_equals(const struct form *a, const struct form *b);

#endif
