/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Idioms of greetings: words with a number or a token beside them that differs
 * in each connection. Other tokens are learned from the service itself.
 */
#include "structure.h"

#include <string.h>

enum shape {
	SHAPE_DIGITS,
	SHAPE_TOKEN, /* four characters or more, a digit among them */
	SHAPE_LINE,  /* any characters up to a space */
};

/* The words in front of a wild part. */
#define WORDS(words) words, sizeof(words) - 1
static const struct before {
	const char *words;
	size_t len;
	enum shape shape;
	enum wild wild;
} befores[] = {
	{ WORDS("user number "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("user #"), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS(" benutzer "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("utilisateur "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("visitor number "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("visitor #"), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("caller number "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("caller #"), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("connection number "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("connection #"), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("connection id "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("session number "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("session id "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("session id: "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("session-id: "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("session: "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("session="), SHAPE_TOKEN, WILD_ID },
	{ WORDS("sid="), SHAPE_TOKEN, WILD_ID },
	{ WORDS("esmtp id "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("pid "), SHAPE_DIGITS, WILD_PID },
	{ WORDS("pid: "), SHAPE_DIGITS, WILD_PID },
	{ WORDS("pid="), SHAPE_DIGITS, WILD_PID },
	{ WORDS("nonce="), SHAPE_TOKEN, WILD_ID },
	{ WORDS("nonce: "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("challenge="), SHAPE_TOKEN, WILD_ID },
	{ WORDS("challenge: "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("cookie="), SHAPE_TOKEN, WILD_ID },
	{ WORDS("cookie: "), SHAPE_TOKEN, WILD_ID },
	{ WORDS("online: "), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("(pts/"), SHAPE_DIGITS, WILD_COUNTER }, /* a terminal */
	{ WORDS(" pts/"), SHAPE_DIGITS, WILD_COUNTER },
	{ WORDS("\nPING :"), SHAPE_LINE, WILD_ID }, /* IRC */
};

/* Words behind a number, unless it is a limit. */
static const char *const counted[] = {
	" user ",    " users",	  " user(s)", " connections", " connection(s)",
	" sessions", " clients",  " players", " visitors",    " guests",
	" callers",  " channels", " online",
};
static const char *const limits[] = { "of ",   "max ",	  "maximum ", "limit ",
				      "most ", "limit: ", "max: " };

/* Domains of mail services with numbered nodes, of two labels each. */
static const struct {
	const char *text;
	size_t len;
} pools[] = {
	{ WORDS(".outlook.com") },
	{ WORDS(".hotmail.com") },
	{ WORDS(".google.com") },
	{ WORDS(".yahoo.com") },
	{ WORDS(".yahoo.net") },
	{ WORDS(".aol.com") },
	{ WORDS(".icloud.com") },
	{ WORDS(".apple.com") },
	{ WORDS(".ovh.net") },
	{ WORDS(".mail.ru") },
	{ WORDS(".yandex.net") },
	{ WORDS(".yandex.ru") },
	{ WORDS(".gmx.net") },
	{ WORDS(".web.de") },
	{ WORDS(".kundenserver.de") },
	{ WORDS(".messagelabs.com") },
	{ WORDS(".mimecast.com") },
	{ WORDS(".pphosted.com") },
	{ WORDS(".qq.com") },
	{ WORDS(".163.com") },
	{ WORDS(".126.com") },
	{ WORDS(".netease.com") },
	{ WORDS(".secureserver.net") },
	{ WORDS(".zoho.com") },
	{ WORDS(".amazonaws.com") },
	{ WORDS(".sendgrid.net") },
	{ WORDS(".mailgun.org") },
	{ WORDS(".t-online.de") },
	{ WORDS(".orange.fr") },
	{ WORDS(".free.fr") },
	{ WORDS(".comcast.net") },
	{ WORDS(".iphmx.com") },
	{ WORDS(".barracudanetworks.com") },
	{ WORDS(".emailsrvr.com") },
	{ WORDS(".fastmail.com") },
	{ WORDS(".messagingengine.com") },
};

static size_t token_end(const struct greeting *g, size_t at)
{
	const size_t begin = at;
	bool digit = false, dot = false;

	for (; greeting_is(g, at, BYTE_TOKEN); at++)
		digit |= greeting_is_digit(g, at);
	/* With a dot it is a version or a name. */
	dot = at < g->len && g->bytes[at] == '.' && greeting_is_word(g, at + 1);
	return digit && !dot && at - begin >= 4 ? at : 0;
}

static size_t shape_end(const struct greeting *g, size_t at, enum shape shape)
{
	size_t end = at;

	switch (shape) {
	case SHAPE_DIGITS:
		end = greeting_digits_end(g, at);
		return end == at || greeting_is_letter(g, end) ||
				       (end < g->len && g->bytes[end] == '.' &&
					greeting_is_digit(g, end + 1)) ?
			       0 :
			       end;
	case SHAPE_TOKEN:
		return token_end(g, at);
	case SHAPE_LINE:
		while (end < g->len && g->bytes[end] > ' ')
			end++;
		return end == at ? 0 : end;
	}
	return 0;
}

/*
 * For each character the words in front that end with it, and those that have
 * it before their last one, a bit each. Nearly all places are refused by these.
 */
static uint32_t befores_last[256], befores_last_but_one[256];
_Static_assert(sizeof(befores) / sizeof(*befores) <= 32, "a bit each");

/* Before main(), so that no call has to ask whether it was done. */
__attribute__((constructor)) static void note_befores(void)
{
	for (size_t i = 0; i < sizeof(befores) / sizeof(*befores); i++) {
		const char *end = befores[i].words + befores[i].len;

		befores_last[(uint8_t)end[-1]] |= 1U << i;
		befores_last_but_one[(uint8_t)end[-2] | CASE] |= 1U << i;
	}
}

static size_t before_at(const struct greeting *g, size_t at, enum wild *wild)
{
	uint32_t left;

	if (at < 2)
		return 0;
	left = befores_last[g->bytes[at - 1]] &
	       befores_last_but_one[g->bytes[at - 2] | CASE];
	for (; left; left &= left - 1) {
		const struct before *before = &befores[__builtin_ctz(left)];
		size_t end = 0;

		if (greeting_follows_words(g, at, before->words, before->len))
			end = shape_end(g, at, before->shape);
		*wild = before->wild;
		if (end)
			return end;
	}
	return 0;
}

/* 71 of 100 users: the end of " of 100"; where there is none, `at`. */
static size_t limit_end(const struct greeting *g, size_t at)
{
	static const char of[] = " of ";
	const size_t limit = at + sizeof(of) - 1;

	return greeting_has(g, at, of) && greeting_is_digit(g, limit) ?
		       greeting_digits_end(g, limit) :
		       at;
}

static size_t counted_at(const struct greeting *g, size_t at, enum wild *wild)
{
	const size_t end = greeting_digits_end(g, at),
		     words = limit_end(g, end);

	if (end == at || end == g->len || g->bytes[end] != ' ' ||
	    (at && g->bytes[at - 1] == '.'))
		return 0;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (greeting_follows(g, at, limits[i]))
			return 0;
	}
	for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
		if (greeting_has(g, words, counted[i])) {
			*wild = WILD_COUNTER;
			return end;
		}
	}
	return 0;
}

/* 0.15, 0.20, 0.30 */
static size_t load_at(const struct greeting *g, size_t at, enum wild *wild)
{
	static const char *const words[] = { "load ", "load: ", "load at ",
					     "average ", "average: " };
	size_t end = at, i = 0;

	if (!at || g->bytes[at - 1] != ' ')
		return 0;
	for (; i < sizeof(words) / sizeof(*words); i++) {
		if (greeting_follows(g, at, words[i]))
			break;
	}
	if (i == sizeof(words) / sizeof(*words))
		return 0;
	*wild = WILD_DURATION;
	while (greeting_is_digit(g, end) ||
	       (end < g->len && strchr("., /", g->bytes[end]) &&
		greeting_is_digit(g, end + 1)) ||
	       (end + 1 < g->len && g->bytes[end] == ',' &&
		g->bytes[end + 1] == ' ' && greeting_is_digit(g, end + 2)))
		end++;
	return end == at ? 0 : end;
}

/* 20141201 */
static bool is_day(const struct greeting *g, size_t at, size_t end)
{
	return end == at + 8 &&
	       (greeting_has(g, at, "20") || greeting_has(g, at, "19")) &&
	       memcmp(g->bytes + at + 4, "12", 2) <= 0 &&
	       memcmp(g->bytes + at + 6, "31", 2) <= 0;
}

/* name[1234]: a process ID, but no day of a release. */
static size_t pid_at(const struct greeting *g, size_t at, enum wild *wild)
{
	size_t end = greeting_digits_end(g, at);

	if (end == at || at < 2 || g->bytes[at - 1] != '[' ||
	    !greeting_is_letter(g, at - 2) || end == g->len ||
	    g->bytes[end] != ']' || is_day(g, at, end))
		return 0;
	*wild = WILD_PID;
	return end;
}

/*
 * <1896.697170952@host>: POP3's APOP time stamp (RFC 1939), and message
 * identifiers; not a mail address, which rarely has a digit.
 */
static size_t stamp_at(const struct greeting *g, size_t at, enum wild *wild)
{
	size_t end = at, digits = 0;

	/* An id has no other "<" (RFC 5322, 3.6.4). */
	for (; end < g->len && g->bytes[end] > ' ' && g->bytes[end] != '<' &&
	       g->bytes[end] != '>' && g->bytes[end] != '@';
	     end++)
		digits += greeting_is_digit(g, end);
	if (digits < 2 || end == g->len || g->bytes[end] != '@')
		return 0;
	*wild = WILD_ID;
	return end;
}

#define GSMTP_ID_LEAST 8

/* "5b1f17-a1b2si123.45 - gsmtp" */
static size_t gsmtp_at(const struct greeting *g, size_t at, enum wild *wild)
{
	size_t end = at;

	if (!(g->kinds & BYTE_HYPHEN) || at + GSMTP_ID_LEAST > g->len ||
	    g->bytes[at + GSMTP_ID_LEAST - 1] <= ' ')
		return 0;
	while (end < g->len && g->bytes[end] > ' ')
		end++;
	if (end - at < GSMTP_ID_LEAST || !greeting_has(g, end, " - gsmtp"))
		return 0;
	*wild = WILD_ID;
	return end;
}

/* 703.2 UTC(NIST): milliseconds by which the server is ahead. */
static size_t advance_at(const struct greeting *g, size_t at, enum wild *wild)
{
	size_t end = greeting_digits_end(g, at);

	if (end == at || end == g->len || g->bytes[end] != '.')
		return 0;
	end = greeting_digits_end(g, end + 1);
	*wild = WILD_DURATION;
	return greeting_has(g, end, " UTC(") ? end : 0;
}

/* Whether the rest of a host's name, from a dot on, ends with a pool's domain.
 */
static bool is_in_pool(const struct greeting *g, size_t at)
{
	size_t domain = 0, last = 0; /* the last two dots */

	for (; greeting_is(g, at, BYTE_WORD | BYTE_DOT | BYTE_HYPHEN); at++) {
		if (g->bytes[at] == '.') {
			domain = last;
			last = at;
		}
	}
	for (size_t i = 0; domain && i < sizeof(pools) / sizeof(*pools); i++) {
		if (pools[i].len == at - domain &&
		    greeting_has(g, domain, pools[i].text))
			return true;
	}
	return false;
}

/* mxgmx017: a name that belongs to a mail service, whatever its domain is. */
static bool is_node_name(const struct greeting *g, size_t at, size_t *end)
{
	static const char *const names[] = { "mxgmx", "mxweb", "mieue",
					     "mreue" };

	if (!greeting_has(g, at, "m"))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const size_t digits = at + strlen(names[i]);

		if (!greeting_has(g, at, names[i]))
			continue;
		*end = greeting_digits_end(g, digits);
		if (*end > digits && !greeting_is_word(g, *end))
			return true;
	}
	return false;
}

static bool has_digit(const struct greeting *g, size_t from, size_t to)
{
	while (from < to && !greeting_is_digit(g, from))
		from++;
	return from < to;
}

/* The first label of a node's name, if it has a digit. */
static size_t node_at(const struct greeting *g, size_t at, enum wild *wild)
{
	size_t end;

	*wild = WILD_NODE;
	if (is_node_name(g, at, &end))
		return end;
	end = greeting_end_of(g, at, BYTE_WORD | BYTE_HYPHEN);
	return greeting_is(g, end, BYTE_DOT) && has_digit(g, at, end) &&
			       is_in_pool(g, end) ?
		       end :
		       0;
}

/* $471 and a line's end: the length of Redis' bulk string, which follows. */
static size_t bulk_length_at(const struct greeting *g, size_t at,
			     enum wild *wild)
{
	const size_t end = greeting_digits_end(g, at);

	*wild = WILD_NUMBER;
	return at == 1 && end > at && greeting_has(g, end, "\r\n") ? end : 0;
}

/* Idioms that begin with a digit, whatever is before it. */
static size_t number_at(const struct greeting *g, size_t at, enum wild *wild)
{
	static size_t (*const idioms[])(const struct greeting *g, size_t at,
					enum wild *wild) = {
		counted_at, duration_at, load_at, pid_at, advance_at,
	};
	size_t end = 0;

	for (size_t i = 0; !end && i < sizeof(idioms) / sizeof(*idioms); i++)
		end = idioms[i](g, at, wild);
	return end;
}

size_t idiom_at(const struct greeting *g, size_t at, enum wild *wild)
{
	size_t end = before_at(g, at, wild);

	if (!end && greeting_is_digit(g, at))
		end = number_at(g, at, wild);
	if (end)
		return end;
	switch (at ? g->bytes[at - 1] : 0) {
	case '<':
		return stamp_at(g, at, wild);
	case '$':
		return bulk_length_at(g, at, wild);
	case ' ':
		end = gsmtp_at(g, at, wild);
		return end ? end : node_at(g, at, wild);
	case '\0':
	case '[':
	case '(':
		return node_at(g, at, wild);
	}
	return 0;
}
