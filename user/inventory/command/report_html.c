/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report_html.h"
#include "say.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static void put_character(FILE *to, char character)
{
	switch (character) {
	case '&':
		fputs("&amp;", to);
		break;
	case '<':
		fputs("&lt;", to);
		break;
	case '>':
		fputs("&gt;", to);
		break;
	case '"':
		fputs("&quot;", to);
		break;
	case '\'':
		fputs("&#39;", to);
		break;
	default:
		putc(character >= 0x20 && character <= 0x7e ? character : '?',
		     to);
	}
}

static void put_characters(FILE *to, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put_character(to, text[i]);
}

void put_plain(FILE *to, const char *text)
{
	put_characters(to, text, strlen(text));
}

void put_text(FILE *to, const char *text)
{
	char escaped[ESCAPED_MAX(REPORT_TEXT)];

	put_characters(to, escaped,
		       escape(escaped, (const uint8_t *)text,
			      strnlen(text, REPORT_TEXT)));
}

/* --- forms ------------------------------------------------------------- */

enum token { TOKEN_PLAIN, TOKEN_BYTE, TOKEN_WILD };

/* The kind of the token that begins here. *len, its length, is at least 1. */
static enum token next_token(const char *at, size_t *len)
{
	*len = 1;
	if (at[0] != '\\' || !at[1])
		return TOKEN_PLAIN;
	if (at[1] == '{') {
		*len = strcspn(at, "}");
		*len += at[*len] == '}';
		return TOKEN_WILD;
	}
	*len = 2;
	if (at[1] != 'x' || !isxdigit((unsigned char)at[2]) ||
	    !isxdigit((unsigned char)at[3]))
		return TOKEN_PLAIN;
	*len = 4;
	return TOKEN_BYTE;
}

/* Writes \{name} as the name only. */
static void put_wild(FILE *to, const char *at, size_t len)
{
	const size_t end = at[len - 1] == '}' ? len - 1 : len;

	fputs("<mark>", to);
	put_characters(to, at + 2, end > 2 ? end - 2 : 0);
	fputs("</mark>", to);
}

static void put_escaped(FILE *to, const char *at, size_t most, bool lines)
{
	bool open = false;
	enum token token;
	size_t len;

	for (; *at && most; at += len) {
		token = next_token(at, &len);
		if (open != (token == TOKEN_BYTE))
			fputs(open ? "</i>" : "<i>", to);
		open = token == TOKEN_BYTE;
		if (token == TOKEN_WILD)
			put_wild(to, at, len);
		else
			put_characters(to, at, len);
		if (lines && open && !strncmp(at, "\\x0a", 4) && at[4]) {
			fputs("</i>\n", to);
			open = false;
		}
		most = most > len ? most - len : 0;
	}
	if (open)
		fputs("</i>", to);
	if (*at)
		fprintf(to, " &hellip; and %zu characters more", strlen(at));
}

void put_form(FILE *to, const char *stable)
{
	put_escaped(to, stable, SIZE_MAX, false);
}

void put_form_lines(FILE *to, const char *stable)
{
	put_escaped(to, stable, ESCAPED_MAX(REPORT_BYTES), true);
}

void put_bytes(FILE *to, const uint8_t *bytes, size_t len)
{
	char escaped[ESCAPED_MAX(REPORT_BYTES)];
	const size_t kept = len < REPORT_BYTES ? len : REPORT_BYTES;

	escape(escaped, bytes, kept);
	put_escaped(to, escaped, SIZE_MAX, true);
	if (kept < len)
		fprintf(to, " &hellip; and %zu bytes more", len - kept);
}

/* --- differences ------------------------------------------------------- */

/* Characters of words, which differences do not split. */
static bool in_word(char character)
{
	return isalnum((unsigned char)character) ||
	       (character && strchr("._\\{}-", character));
}

static void put_side(FILE *to, const char *element, const char *text,
		     size_t before, size_t behind)
{
	const size_t len = strlen(text);

	fprintf(to, "<%s>", element);
	put_characters(to, text, before);
	if (before + behind < len) {
		fputs("<b>", to);
		put_characters(to, text + before, len - before - behind);
		fputs("</b>", to);
	}
	put_characters(to, text + len - behind, behind);
	fprintf(to, "</%s>", element);
}

void put_difference(FILE *to, const char *was, const char *became)
{
	const size_t a = strlen(was), b = strlen(became);
	const size_t shorter = a < b ? a : b;
	size_t before = 0, behind = 0;

	while (before < shorter && was[before] == became[before])
		before++;
	while (before && in_word(was[before - 1]))
		before--;
	while (behind < shorter - before &&
	       was[a - behind - 1] == became[b - behind - 1])
		behind++;
	while (behind && in_word(was[a - behind]))
		behind--;
	put_side(to, "del", was, before, behind);
	fputs(" <span class=to aria-hidden=true>&rarr;</span> ", to);
	put_side(to, "ins", became, before, behind);
}

/* --- numbers ----------------------------------------------------------- */

void put_count(FILE *to, int64_t count)
{
	char digits[24];
	const int len =
		snprintf(digits, sizeof(digits), "%lld", (long long)count);

	for (int i = 0; i < len; i++) {
		if (i && !((len - i) % 3) && digits[i - 1] != '-')
			putc(',', to);
		putc(digits[i], to);
	}
}

void put_counted(FILE *to, int64_t count, const char *one, const char *many)
{
	put_count(to, count);
	fprintf(to, " %s", count == 1 ? one : many);
}
