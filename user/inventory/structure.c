/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "structure.h"

#include <string.h>

const uint8_t byte_kinds[256] = {
	[' ' ... ','] = BYTE_PRINTED,
	['-'] = BYTE_PRINTED | BYTE_DOT_OR_HYPHEN,
	['.'] = BYTE_PRINTED | BYTE_DOT_OR_HYPHEN,
	['/'] = BYTE_PRINTED,
	['0' ... '9'] = BYTE_PRINTED | BYTE_DIGIT,
	[':' ... '@'] = BYTE_PRINTED,
	['A' ... 'Z'] = BYTE_PRINTED | BYTE_LETTER,
	['[' ... '^'] = BYTE_PRINTED,
	['_'] = BYTE_PRINTED | BYTE_UNDERSCORE,
	['`'] = BYTE_PRINTED,
	['a' ... 'z'] = BYTE_PRINTED | BYTE_LETTER,
	['{' ... '~'] = BYTE_PRINTED,
};

size_t greeting_line_end(const struct greeting *greeting, size_t at)
{
	const uint8_t *end =
		memchr(greeting->bytes + at, '\n', greeting->len - at);

	return end ? (size_t)(end - greeting->bytes) + 1 : greeting->len;
}

bool greeting_follows(const struct greeting *g, size_t at, const char *words)
{
	size_t len = strlen(words);

	/* The first line has no line end before it. */
	if (*words == '\n' && at == len - 1)
		return greeting_has(g, 0, words + 1);
	return at >= len && greeting_has(g, at - len, words) &&
	       (at == len || !greeting_is_word(g, at - len - 1) ||
		!greeting_is_letter(g, at - len));
}

void structure_form(struct form *form, const struct observation *seen)
{
	static bool (*const protocols[])(struct form * form,
					 const struct greeting *greeting) = {
		structure_mysql, structure_ssh,	   structure_http,
		structure_tls,	 structure_telnet, structure_fix
	};
	struct greeting greeting = {
		.bytes = seen->bytes,
		.len = seen->len < FORM_MAX ? seen->len : FORM_MAX,
		.seen = seen,
	};

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
