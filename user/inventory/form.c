/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "form.h"

#include <string.h>

#define WILD_NAME(name, text, class) [name] = text,
#define WILD_CLASS(name, text, class) [name] = class,
static const char *const names[] = { FOR_EACH_WILD(WILD_NAME) };
static const enum byte_class classes[] = { FOR_EACH_WILD(WILD_CLASS) };

enum byte_class wild_class(enum wild wild)
{
	return classes[wild];
}

bool wild_is_learned(enum wild wild)
{
	return wild >= WILD_NUMBER;
}

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(uint8_t byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

bool byte_in_class(uint8_t byte, enum byte_class class)
{
	switch (class) {
	case CLASS_DIGIT:
		return is_digit(byte);
	case CLASS_NUMBER:
		return is_digit(byte) || byte == ',';
	case CLASS_HEX:
		return is_digit(byte) ||
		       ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
	case CLASS_TOKEN:
		return is_digit(byte) || is_letter(byte) || byte == '+' ||
		       byte == '/' || byte == '=' || byte == '_' || byte == '-';
	case CLASS_WORD:
		return byte > ' ' && byte != 0x7f;
	case CLASS_TEXT:
		return (byte >= ' ' && byte != 0x7f) || byte == '\r' ||
		       byte == '\n' || byte == '\t';
	case CLASS_ANY:
		return true;
	}
	return false;
}

static void add(struct form *form, uint16_t symbol, size_t at)
{
	if (form->len == FORM_MAX) {
		form->whole = false;
		return;
	}
	form->symbol[form->len] = symbol;
	form->at[form->len++] = (uint16_t)at;
}

/* Adds a wild part; two of the same kind in a row become one. */
void form_add_wild(struct form *form, enum wild wild, size_t at)
{
	const uint16_t symbol = (uint16_t)(SYMBOL_WILD + wild);

	if (wild == WILD_BYTE || !form->len ||
	    form->symbol[form->len - 1] != symbol)
		add(form, symbol, at);
}

void form_add_bytes(struct form *form, const uint8_t *bytes, size_t from,
		    size_t to, uint16_t mark)
{
	const size_t room = FORM_MAX - form->len,
		     all = from < to ? to - from : 0,
		     len = all < room ? all : room;

	for (size_t i = 0; i < len; i++) {
		form->symbol[form->len + i] = bytes[from + i] | mark;
		form->at[form->len + i] = (uint16_t)(from + i);
	}
	form->len += len;
	form->whole &= len == all;
}

/* --- as text ----------------------------------------------------------- */

static char *put_decimal(char *to, size_t number)
{
	char digits[8];
	int n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number && n < (int)sizeof(digits));
	while (n)
		*to++ = digits[--n];
	return to;
}

static char *put_name(char *to, const char *name)
{
	*to++ = '\\';
	*to++ = '{';
	while (*name)
		*to++ = *name++;
	return to;
}

/* Writes a wild part as text. Returns how many symbols it took. */
static size_t put_wild(char **to, const struct form *form, size_t i)
{
	const enum wild wild = symbol_wild(form->symbol[i]);
	size_t run = 1;

	if (wild == WILD_BYTE) {
		while (i + run < form->len &&
		       (form->symbol[i + run] & SYMBOL_VALUE) ==
			       SYMBOL_WILD + WILD_BYTE)
			run++;
		*to = put_decimal(put_name(*to, "bytes:"), run);
	} else {
		*to = put_name(*to, names[wild]);
	}
	*(*to)++ = '}';
	return run;
}

static char *put_byte(char *to, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";

	if (byte >= 0x20 && byte <= 0x7e) {
		if (byte == '\\')
			*to++ = '\\';
		*to++ = (char)byte;
		return to;
	}
	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex[byte >> 4];
	*to++ = hex[byte & 15];
	return to;
}

size_t form_to_text(const struct form *form, char text[FORM_TEXT_MAX])
{
	char *to = text;

	for (size_t i = 0; i < form->len;) {
		if (symbol_is_wild(form->symbol[i]))
			i += put_wild(&to, form, i);
		else
			to = put_byte(to, (uint8_t)form->symbol[i++]);
	}
	*to = 0;
	return (size_t)(to - text);
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Reads the name between braces; false: it is not a wild part's name. */
static bool read_name(struct form *form, const char *name, size_t len)
{
	size_t count = 0;

	for (int wild = 0; wild < WILD_KINDS; wild++) {
		if (strlen(names[wild]) == len &&
		    !memcmp(names[wild], name, len)) {
			add(form, (uint16_t)(SYMBOL_WILD + wild), 0);
			return true;
		}
	}
	if (len < 7 || len > 10 || memcmp(name, "bytes:", 6))
		return false;
	for (size_t i = 6; i < len; i++) {
		if (!is_digit((uint8_t)name[i]))
			return false;
		count = count * 10 + (size_t)(name[i] - '0');
	}
	if (!count || count > FORM_MAX - form->len)
		return false;
	while (count--)
		add(form, SYMBOL_WILD + WILD_BYTE, 0);
	return true;
}

/* Reads an escape. Returns the characters read; 0: it is not valid. */
static size_t read_escape(struct form *form, const char *text, size_t len)
{
	const char *end;
	int high, low;

	if (!len)
		return 0;
	if (*text == '\\') {
		add(form, '\\', 0);
		return 1;
	}
	if (*text == 'x' && len >= 3) {
		high = hex_value(text[1]);
		low = hex_value(text[2]);
		if (high < 0 || low < 0)
			return 0;
		add(form, (uint16_t)(high << 4 | low), 0);
		return 3;
	}
	end = *text == '{' ? memchr(text, '}', len) : NULL;
	if (!end || !read_name(form, text + 1, (size_t)(end - text) - 1))
		return 0;
	return (size_t)(end - text) + 1;
}

bool form_from_text(struct form *form, const char *text, size_t len)
{
	form->len = 0;
	form->whole = true;
	form->refusal = form->binary = form->known = false;
	for (size_t i = 0; i < len;) {
		size_t used;

		if (form->len == FORM_MAX)
			return false;
		if (text[i] != '\\') {
			if (text[i] < 0x20 || text[i] > 0x7e)
				return false;
			add(form, (uint8_t)text[i++], 0);
			continue;
		}
		used = read_escape(form, text + i + 1, len - i - 1);
		if (!used)
			return false;
		i += used + 1;
	}
	form->at[form->len] = 0;
	return true;
}

/* --- compared ---------------------------------------------------------- */

#define AT_ONCE 4 /* symbols in a word of 64 bits */
#define FOUR_VALUES (SYMBOL_VALUE * 0x0001000100010001ULL)

static uint64_t four_values(const uint16_t *symbols)
{
	uint64_t four;

	memcpy(&four, symbols, sizeof(four));
	return four & FOUR_VALUES;
}

static uint64_t mixed(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

uint64_t form_hash(const struct form *form)
{
	uint64_t hash = 0xcbf29ce484222325ULL ^ form->len;
	size_t i = 0;

	for (; i + AT_ONCE <= form->len; i += AT_ONCE)
		hash = mixed(hash, four_values(form->symbol + i));
	for (; i < form->len; i++)
		hash = mixed(hash, form->symbol[i] & SYMBOL_VALUE);
	return hash;
}

bool form_equals(const struct form *a, const struct form *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if ((a->symbol[i] ^ b->symbol[i]) & SYMBOL_VALUE)
			return false;
	}
	return true;
}
