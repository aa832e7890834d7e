/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A walk over a pattern. It may find too few literals, but no wrong one: syntax
 * that it does not know ends a literal, and an optional part begins none.
 */
#include "literal.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 20

struct group {
	int literals;	 /* how many were found before the group */
	bool is_certain; /* a match must contain the group */
};

struct walk {
	const char *at, *end;
	struct literals *found;
	struct literal run;
	struct group groups[DEPTH_MAX];
	int depth;
	bool failed;
};

static void end_run(struct walk *walk)
{
	struct literals *found = walk->found;

	if (walk->run.len > 1 && found->count < LITERALS_MAX)
		found->all[found->count++] = walk->run;
	walk->run.len = 0;
}

static char peek(const struct walk *walk, int ahead)
{
	return walk->end - walk->at > ahead ? walk->at[ahead] : '\0';
}

/* Whether a repetition like {2,3} begins here, and not a literal brace. */
static bool is_repetition(const struct walk *walk)
{
	const char *at = walk->at + 1;

	if (peek(walk, 0) != '{' || !isdigit((unsigned char)peek(walk, 1)))
		return false;
	while (at < walk->end && (isdigit((unsigned char)*at) || *at == ','))
		at++;
	return at < walk->end && *at == '}';
}

enum quantity { ONCE, AT_LEAST_ONCE, PERHAPS_NEVER };

/* Skips a quantifier, if there is one here. */
static enum quantity take_quantifier(struct walk *walk)
{
	enum quantity quantity;

	/* The meaning of these depends on PCRE2's version. */
	if (peek(walk, 0) == '{' && strchr(", ", peek(walk, 1)))
		walk->failed = true;
	if (peek(walk, 0) == '*' || peek(walk, 0) == '?') {
		quantity = PERHAPS_NEVER;
		walk->at++;
	} else if (peek(walk, 0) == '+') {
		quantity = AT_LEAST_ONCE;
		walk->at++;
	} else if (is_repetition(walk)) {
		quantity = peek(walk, 1) == '0' ? PERHAPS_NEVER : AT_LEAST_ONCE;
		while (*walk->at++ != '}')
			;
	} else {
		return ONCE;
	}
	if (peek(walk, 0) == '?' || peek(walk, 0) == '+')
		walk->at++;
	return quantity;
}

static void take_literal(struct walk *walk, char byte)
{
	const enum quantity quantity = take_quantifier(walk);

	if (quantity != PERHAPS_NEVER) {
		if (walk->run.len == LITERAL_MAX)
			end_run(walk);
		walk->run.bytes[walk->run.len++] =
			(char)tolower((unsigned char)byte);
	}
	if (quantity != ONCE)
		end_run(walk);
}

static void take_any(struct walk *walk)
{
	end_run(walk);
	take_quantifier(walk);
}

static int hex_value(char digit)
{
	if (isdigit((unsigned char)digit))
		return digit - '0';
	return tolower((unsigned char)digit) - 'a' + 10;
}

static void take_hex(struct walk *walk)
{
	int value = 0;

	if (peek(walk, 0) == '{') {
		walk->failed = true;
		return;
	}
	for (int i = 0; i < 2 && isxdigit((unsigned char)peek(walk, 0)); i++)
		value = value * 16 + hex_value(*walk->at++);
	take_literal(walk, (char)value);
}

static void take_octal(struct walk *walk)
{
	int value = 0;

	for (int i = 0; i < 2 && peek(walk, 0) >= '0' && peek(walk, 0) <= '7';
	     i++)
		value = value * 8 + *walk->at++ - '0';
	take_literal(walk, (char)value);
}

/* \1, or an octal number: no need to distinguish them. */
static void take_reference(struct walk *walk)
{
	while (isdigit((unsigned char)peek(walk, 0)))
		walk->at++;
	take_any(walk);
}

static void take_escape(struct walk *walk)
{
	static const char letters[] = "rntfae", bytes[] = "\r\n\t\f\a\033";
	const char *letter;
	char escaped;

	if (walk->at + 1 >= walk->end) {
		walk->failed = true;
		return;
	}
	escaped = walk->at[1];
	walk->at += 2;
	letter = escaped ? strchr(letters, escaped) : NULL;
	if (letter)
		take_literal(walk, bytes[letter - letters]);
	else if (escaped == 'x')
		take_hex(walk);
	else if (escaped == '0')
		take_octal(walk);
	else if (isdigit((unsigned char)escaped))
		take_reference(walk);
	else if (!isalpha((unsigned char)escaped))
		take_literal(walk, escaped);
	else if (strchr("dDwWsShHvVRNbBAzZG", escaped))
		take_any(walk);
	else
		walk->failed = true;
}

/* Skips [...], in which ] may come first, escaped, or in [:name:]. */
static void take_class(struct walk *walk)
{
	walk->at++;
	if (peek(walk, 0) == '^')
		walk->at++;
	if (peek(walk, 0) == ']')
		walk->at++;
	while (walk->at < walk->end && *walk->at != ']') {
		if (*walk->at == '\\') {
			walk->at += 2;
		} else if (*walk->at == '[' && peek(walk, 1) == ':') {
			while (walk->at < walk->end && *walk->at != ']')
				walk->at++;
			walk->at++;
		} else {
			walk->at++;
		}
	}
	if (walk->at >= walk->end) {
		walk->failed = true;
		return;
	}
	walk->at++;
	take_any(walk);
}

static bool skip(struct walk *walk, const char *prefix)
{
	const size_t len = strlen(prefix);

	if ((size_t)(walk->end - walk->at) < len ||
	    memcmp(walk->at, prefix, len) != 0)
		return false;
	walk->at += len;
	return true;
}

static bool skip_one_of(struct walk *walk, const char *const *prefixes)
{
	for (; *prefixes; prefixes++) {
		if (skip(walk, *prefixes))
			return true;
	}
	return false;
}

/*
 * (?i) for the rest of the group. Other flags may change which bytes are
 * literal.
 */
static bool skip_flags(struct walk *walk)
{
	return skip(walk, "(?i)") || skip(walk, "(?s)") || skip(walk, "(?m)") ||
	       skip(walk, "(?im)") || skip(walk, "(?is)") ||
	       skip(walk, "(?si)");
}

static bool skip_name(struct walk *walk)
{
	if (!skip(walk, "(?<") && !skip(walk, "(?P<"))
		return false;
	while (walk->at < walk->end && *walk->at != '>')
		walk->at++;
	return skip(walk, ">");
}

static void open_group(struct walk *walk)
{
	static const char *const looks[] = { "(?=", "(?!", "(?<=", "(?<!",
					     NULL };
	static const char *const plain[] = { "(?:", "(?>", "(?i:", NULL };
	struct group *group;

	end_run(walk);
	if (skip_flags(walk))
		return;
	if (walk->depth == DEPTH_MAX) {
		walk->failed = true;
		return;
	}
	group = &walk->groups[walk->depth++];
	group->literals = walk->found->count;
	group->is_certain = !skip_one_of(walk, looks);
	if (!group->is_certain || skip_one_of(walk, plain) || skip_name(walk))
		return;
	walk->at++;
	if (peek(walk, 0) == '?' || peek(walk, 0) == '*')
		walk->failed = true;
}

static void close_group(struct walk *walk)
{
	struct group *group;

	end_run(walk);
	walk->at++;
	if (!walk->depth) {
		walk->failed = true;
		return;
	}
	group = &walk->groups[--walk->depth];
	if (take_quantifier(walk) == PERHAPS_NEVER || !group->is_certain)
		walk->found->count = group->literals;
}

/*
 * |: a match contains only one of the sides, so no literal of them is certain.
 */
static void take_alternative(struct walk *walk, bool *is_certain)
{
	end_run(walk);
	walk->at++;
	if (walk->depth)
		walk->groups[walk->depth - 1].is_certain = false;
	else
		*is_certain = false;
}

static void take_one(struct walk *walk, bool *is_certain)
{
	switch (*walk->at) {
	case '\\':
		take_escape(walk);
		return;
	case '[':
		take_class(walk);
		return;
	case '(':
		open_group(walk);
		return;
	case ')':
		close_group(walk);
		return;
	case '|':
		take_alternative(walk, is_certain);
		return;
	case '*':
	case '+':
	case '?':
		walk->failed = true;
		return;
	case '.':
	case '^':
	case '$':
		walk->at++;
		take_any(walk);
		return;
	default:
		take_literal(walk, *walk->at++);
	}
}

bool literals_of(const char *regex, size_t len, struct literals *literals)
{
	struct walk walk = { .at = regex,
			     .end = regex + len,
			     .found = literals };
	bool is_certain = true;

	literals->count = 0;
	while (walk.at < walk.end && !walk.failed)
		take_one(&walk, &is_certain);
	end_run(&walk);
	walk.failed = walk.failed || walk.depth || walk.at > walk.end;
	if (walk.failed || !is_certain)
		literals->count = 0;
	return !walk.failed;
}
