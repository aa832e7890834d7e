/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * SSH (RFC 4253, 4.2): the line that begins with "SSH-", and lines before it.
 * The key exchange that follows is not part of the form.
 */
#include "structure.h"

static const char *const refusals[] = { "Exceeded MaxStartups",
					"Not allowed at this time" };

static size_t find_line(const struct greeting *g)
{
	size_t at = 0;

	while (at < g->len && !greeting_has(g, at, "SSH-"))
		at = greeting_line_end(g, at);
	return at;
}

bool structure_ssh(struct form *form, const struct greeting *g)
{
	const size_t line = find_line(g);
	size_t end;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		if (greeting_has(g, 0, refusals[i])) {
			structure_add_text(form, g, 0, g->len, 0);
			form->refusal = true;
			return true;
		}
	}
	if (line + 5 > g->len || !greeting_is_digit(g, line + 4))
		return false;
	end = greeting_line_end(g, line);
	structure_add_text(form, g, 0, line, 0);
	form_add_bytes(form, g->bytes, line, end, SYMBOL_FIXED);
	form->whole = g->bytes[end - 1] == '\n';
	return true;
}
