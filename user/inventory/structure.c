/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "structure.h"

#include <string.h>

#define DIGIT (BYTE_DIGIT | BYTE_WORD | BYTE_TOKEN)
#define LETTER (BYTE_LETTER | BYTE_WORD | BYTE_TOKEN)
#define ESCAPE 0x1b

const uint16_t byte_kinds[256] = {
	[0 ... '\b'] = BYTE_ODD,
	['\v' ... '\f'] = BYTE_ODD,
	['\r' + 1 ... ESCAPE - 1] = BYTE_ODD,
	[ESCAPE + 1 ... ' ' - 1] = BYTE_ODD,
	['+'] = BYTE_TOKEN,
	['-'] = BYTE_HYPHEN | BYTE_TOKEN,
	['.'] = BYTE_DOT,
	['/'] = BYTE_TOKEN,
	['0' ... '9'] = DIGIT,
	['<'] = BYTE_LESS,
	['='] = BYTE_TOKEN,
	['A' ... 'Z'] = LETTER,
	['_'] = BYTE_UNDERSCORE | BYTE_TOKEN,
	['a' ... 'z'] = LETTER,
	[0x7f] = BYTE_ODD,
	[0x80 ... 0xff] = BYTE_FOREIGN,
};

size_t greeting_line_end(const struct greeting *greeting, size_t at)
{
	const uint8_t *end =
		memchr(greeting->bytes + at, '\n', greeting->len - at);

	return end ? (size_t)(end - greeting->bytes) + 1 : greeting->len;
}

bool greeting_follows_words(const struct greeting *g, size_t at,
			    const char *words, size_t len)
{
	/* The first line has no line end before it. */
	if (*words == '\n' && at == len - 1)
		return greeting_has(g, 0, words + 1);
	return at >= len && greeting_has(g, at - len, words) &&
	       (at == len || !greeting_is_word(g, at - len - 1) ||
		!greeting_is_letter(g, at - len));
}

/* Looks at each byte once: few greetings need a closer look at all of them. */
static void note_kinds(struct greeting *g)
{
	const size_t len = g->len;
	uint16_t all = 0;
	bool joined = false;

	for (size_t at = 0; at < len; at++) {
		const uint16_t kinds = byte_kinds[g->bytes[at]];

		all |= kinds;
		if (kinds & (BYTE_DOT | BYTE_HYPHEN))
			joined |= at && greeting_is_digit(g, at - 1) &&
				  greeting_is_digit(g, at + 1);
	}
	g->kinds = all;
	g->joined_digits = joined;
}

void structure_form(struct form *form, const struct observation *seen)
{
	static bool (*const protocols[])(struct form * form,
					 const struct greeting *greeting) = {
		structure_mysql, structure_ssh,	   structure_http,
		structure_tls,	 structure_telnet, structure_fix
	};
	struct greeting greeting;

	greeting.bytes = seen->bytes;
	greeting.len = seen->len < FORM_MAX ? seen->len : FORM_MAX;
	greeting.seen = seen;
	note_kinds(&greeting);
	client_spell(&greeting);
	form->len = 0;
	form->whole = seen->complete && seen->len <= FORM_MAX;
	form->refusal = form->binary = false;
	form->known = true;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		if (protocols[i](form, &greeting)) {
			form->at[form->len] = (uint16_t)greeting.len;
			return;
		}
		form->len = 0;
	}
	form->known = false;
	structure_text(form, &greeting);
	form->at[form->len] = (uint16_t)greeting.len;
}
