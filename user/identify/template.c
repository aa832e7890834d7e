/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "template.h"

#include <stdio.h>
#include <stdlib.h>

#define ARGUMENTS_MAX 5
#define ARGUMENT_MAX 128
#define GROUP_MAX 9
#define INTEGER_MAX 8

struct argument {
	bool is_string;
	long number;
	size_t len;
	char bytes[ARGUMENT_MAX];
};

struct call {
	int count;
	struct argument arguments[ARGUMENTS_MAX];
};

struct sink {
	char *out;
	size_t size, len;
	bool for_cpe, failed;
	bool cut; /* a NUL ended this variable */
};

static void put(struct sink *sink, char byte)
{
	if (sink->len + 1 >= sink->size)
		sink->failed = true;
	else
		sink->out[sink->len++] = byte;
}

static void put_escaped(struct sink *sink, char byte)
{
	static const char digits[] = "0123456789ABCDEF";

	put(sink, '%');
	put(sink, digits[(uint8_t)byte >> 4]);
	put(sink, digits[(uint8_t)byte & 15]);
}

/* Writes a byte of a variable's value. A NUL ends the value, as in nmap. */
static void put_value(struct sink *sink, char byte)
{
	if (!byte || sink->cut)
		sink->cut = true;
	else if (!sink->for_cpe)
		put(sink, byte);
	else if (strchr(":/?#[]@!$&'()*+,;=%<>\"", byte))
		put_escaped(sink, byte);
	else
		put(sink,
		    (char)(isspace((uint8_t)byte) ? '_' :
						    tolower((uint8_t)byte)));
}

static void put_all(struct sink *sink, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len && !sink->failed && !sink->cut; i++)
		put_value(sink, ((const char *)bytes)[i]);
}

static bool takes(const struct call *call, const char *kinds)
{
	if (call->count != (int)strlen(kinds))
		return false;
	for (int i = 0; i < call->count; i++) {
		if (call->arguments[i].is_string != (kinds[i] == 's'))
			return false;
	}
	return true;
}

static bool group_of(const struct match *match, long group, struct text *bytes)
{
	return group >= 1 && group <= GROUP_MAX &&
	       match_group(match, (uint32_t)group, bytes);
}

static bool put_printable(struct sink *sink, const struct call *call,
			  const struct text *group)
{
	(void)call;
	for (size_t i = 0; i < group->len; i++) {
		if (group->bytes[i] >= ' ' && group->bytes[i] <= '~')
			put_value(sink, (char)group->bytes[i]);
	}
	return true;
}

static bool put_substituted(struct sink *sink, const struct call *call,
			    const struct text *group)
{
	const struct argument *find = &call->arguments[1];
	const struct argument *with = &call->arguments[2];
	size_t at = 0;

	while (at < group->len && !sink->failed) {
		if (find->len && group->len - at >= find->len &&
		    !memcmp(group->bytes + at, find->bytes, find->len)) {
			put_all(sink, with->bytes, with->len);
			at += find->len;
		} else {
			put_value(sink, (char)group->bytes[at++]);
		}
	}
	return true;
}

/* A binary integer, ">": its most significant byte first. */
static bool put_integer(struct sink *sink, const struct call *call,
			const struct text *group)
{
	const struct argument *order = &call->arguments[1];
	char digits[24];
	uint64_t value = 0;

	if (group->len > INTEGER_MAX || order->len != 1 ||
	    (order->bytes[0] != '>' && order->bytes[0] != '<'))
		return false;
	for (size_t i = 0; i < group->len; i++)
		value = value << 8 | group->bytes[order->bytes[0] == '>' ?
							  i :
							  group->len - 1 - i];
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	put_all(sink, digits, strlen(digits));
	return true;
}

static const struct command {
	const char *name, *arguments; /* i: an integer, s: a string */
	bool (*put)(struct sink *, const struct call *, const struct text *);
} commands[] = {
	{ "P(", "i", put_printable },
	{ "SUBST(", "iss", put_substituted },
	{ "I(", "is", put_integer },
};

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)tolower((uint8_t)digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The byte that a backslash and the next characters mean; -1: none. */
static int unescape(const char **at)
{
	static const char letters[] = "0abfnrtv", bytes[] = "\0\a\b\f\n\r\t\v";
	const char escaped = *(*at)++;
	const char *letter = escaped ? strchr(letters, escaped) : NULL;
	int high, low;

	if (!escaped)
		return -1;
	if (letter)
		return bytes[letter - letters];
	if (escaped != 'x')
		return isalnum((uint8_t)escaped) ? -1 : (uint8_t)escaped;
	high = hex_digit((*at)[0]);
	low = high < 0 ? -1 : hex_digit((*at)[1]);
	if (low < 0)
		return -1;
	*at += 2;
	return high * 16 + low;
}

static bool take_string(const char **at, struct argument *argument)
{
	argument->is_string = true;
	for ((*at)++; **at != '"';) {
		int byte = (uint8_t) * (*at)++;

		if (byte == '\\')
			byte = unescape(at);
		if (byte < 0 || (byte == '\0' && (*at)[-1] == '\0') ||
		    argument->len == sizeof(argument->bytes) - 1)
			return false;
		argument->bytes[argument->len++] = (char)byte;
	}
	(*at)++;
	return true;
}

static bool take_number(const char **at, struct argument *argument)
{
	char *end;

	argument->number = strtol(*at, &end, 0);
	if (end == *at)
		return false;
	*at = end;
	return true;
}

/* Takes the arguments in a command's parentheses. */
static bool take_arguments(const char **at, struct call *call)
{
	while (**at && **at != ')') {
		struct argument *argument = &call->arguments[call->count];

		if (isspace((uint8_t) * *at)) {
			(*at)++;
			continue;
		}
		if (call->count++ == ARGUMENTS_MAX)
			return false;
		if (**at == '"' ? !take_string(at, argument) :
				  !take_number(at, argument))
			return false;
		*at += strcspn(*at, ",)");
		if (**at == ',')
			(*at)++;
	}
	return *(*at)++ == ')';
}

static bool put_command(struct sink *sink, const char **at,
			const struct match *match)
{
	struct call call = {};
	struct text group;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const struct command *command = &commands[i];
		const size_t len = strlen(command->name);

		if (strncmp(*at, command->name, len) != 0)
			continue;
		*at += len;
		return take_arguments(at, &call) &&
		       takes(&call, command->arguments) &&
		       group_of(match, call.arguments[0].number, &group) &&
		       command->put(sink, &call, &group);
	}
	return false;
}

/* Writes the value of a variable: $1, or a command like $P(1). */
static bool put_variable(struct sink *sink, const char **at,
			 const struct match *match)
{
	struct text group;

	sink->cut = false;
	if (!isdigit((uint8_t) * *at))
		return put_command(sink, at, match);
	if (!group_of(match, *(*at)++ - '0', &group))
		return false;
	put_all(sink, group.bytes, group.len);
	return true;
}

static void trim(struct sink *sink)
{
	while (sink->len && (isspace((uint8_t)sink->out[sink->len - 1]) ||
			     sink->out[sink->len - 1] == ','))
		sink->len--;
	sink->out[sink->len] = '\0';
}

bool template_expand(const char *template, const struct match *match,
		     bool for_cpe, char *out, size_t size)
{
	struct sink sink = { .out = out, .size = size, .for_cpe = for_cpe };

	while (*template && !sink.failed) {
		if (*template != '$') {
			put(&sink, *template ++);
			continue;
		}
		template ++;
		/* nmap needs another free byte after a variable. */
		if (!put_variable(&sink, &template, match) ||
		    sink.len >= size - 1)
			return false;
	}
	if (sink.failed)
		return false;
	trim(&sink);
	return true;
}
