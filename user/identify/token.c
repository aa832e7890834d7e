/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "token.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char *skip_spaces(char *at)
{
	while (isspace((uint8_t)*at))
		at++;
	return at;
}

static int take_hex(char **at)
{
	char digits[3] = { (*at)[0], *(*at) ? (*at)[1] : '\0' };

	if (!isxdigit((uint8_t)digits[0]) || !isxdigit((uint8_t)digits[1]))
		return -1;
	*at += 2;
	return (int)strtol(digits, NULL, 16);
}

/* The byte that a backslash and the next characters mean; -1: none. */
static int unescape(char **at)
{
	static const char letters[] = "rnt0\"\\", bytes[] = "\r\n\t\0\"\\";
	const char *letter = **at ? strchr(letters, **at) : NULL;

	if (letter) {
		(*at)++;
		return bytes[letter - letters];
	}
	if (**at != 'x')
		return -1;
	(*at)++;
	return take_hex(at);
}

/* Copies a quoted text, from behind its first quote, to `to`. */
static int take_quoted(char **at, char **to)
{
	while (**at != '"') {
		int byte = (uint8_t) * (*at)++;

		if (!byte)
			return -1;
		if (byte == '\\') {
			byte = unescape(at);
			if (byte < 0)
				return -1;
		}
		*(*to)++ = (char)byte;
	}
	(*at)++;
	return 0;
}

int token_take(char **at, struct token *token)
{
	char *to;
	bool more;

	*at = skip_spaces(*at);
	if (!**at)
		return 0;
	token->bytes = to = *at;
	while (**at && !isspace((uint8_t) * *at)) {
		if (**at != '"') {
			*to++ = *(*at)++;
			continue;
		}
		(*at)++;
		if (take_quoted(at, &to))
			return -1;
	}
	more = **at;
	token->len = (size_t)(to - token->bytes);
	*to = '\0';
	if (more)
		(*at)++;
	return 1;
}

int token_take_pattern(char **at, struct token *pattern, struct token *flags)
{
	char *end;

	*at = skip_spaces(*at);
	if (**at != '/')
		return -1;
	pattern->bytes = end = *at + 1;
	while (*end && *end != '/')
		end += *end == '\\' && end[1] ? 2 : 1;
	if (!*end)
		return -1;
	*end = '\0';
	pattern->len = (size_t)(end - pattern->bytes);
	*at = end + 1;
	flags->bytes = *at;
	while (isalpha((uint8_t) * *at))
		(*at)++;
	flags->len = (size_t)(*at - flags->bytes);
	return !**at || isspace((uint8_t) * *at) ? 0 : -1;
}
