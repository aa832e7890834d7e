/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Greetings of text protocols, and of unknown ones. Codes and capabilities stay
 * as they are. Dates, the client's address and idioms' parts are wild.
 */
#include "structure.h"

#include "text_end.h"
#include "times.h"

#include <string.h>

/* --- what kind of bytes ------------------------------------------------ */

/* The bytes of a character of UTF-8 beyond ASCII; 0 where there is none. */
static size_t utf8_length(const struct greeting *g, size_t at)
{
	const uint8_t first = g->bytes[at];
	const size_t len = first >= 0xf0 && first < 0xf5 ? 4 :
			   first >= 0xe0 && first < 0xf0 ? 3 :
			   first >= 0xc2 && first < 0xe0 ? 2 :
							   0;

	for (size_t i = 1; i < len; i++) {
		if (at + i >= g->len || (g->bytes[at + i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

#define ENDED_LEAST 8
#define NULS_MOST 2

/* Where a text ends that a NUL follows, as STOMP's does; the end of all else.
 */
static size_t text_end(const struct greeting *g)
{
	size_t end = g->len, nuls = 0;

	for (; end && (!g->bytes[end - 1] || g->bytes[end - 1] == '\n'); end--)
		nuls += !g->bytes[end - 1];
	return nuls && nuls <= NULS_MOST && end >= ENDED_LEAST ? end : g->len;
}

/* The bytes of a text in an unknown encoding, with and without a line's end */
#define LINES_LEAST 16
#define FOREIGN_LEAST 32

/*
 * Whether it is long enough for text in an unknown encoding. It may be cut
 * within a line: what it is must not depend on where.
 */
static bool may_be_foreign(const struct greeting *g)
{
	return g->len >= FOREIGN_LEAST ||
	       (g->len >= LINES_LEAST && memchr(g->bytes, '\n', g->len));
}

/*
 * Whether there is a NUL within, or one in eight bytes is not text. Bytes
 * without control characters are text, whatever their encoding is.
 */
static bool is_binary(const struct greeting *g)
{
	const size_t end = text_end(g);
	size_t odd = 0;

	if (!(g->kinds & (BYTE_FOREIGN | BYTE_ODD)) ||
	    (!(g->kinds & BYTE_ODD) && may_be_foreign(g)))
		return false;
	for (size_t at = 0; at < end;) {
		const uint16_t kinds = byte_kinds[g->bytes[at]];
		size_t more;

		if (!g->bytes[at])
			return true;
		more = kinds & BYTE_FOREIGN ? utf8_length(g, at) : 0;
		odd += !more && kinds & (BYTE_FOREIGN | BYTE_ODD);
		at += more ? more : 1;
	}
	return odd * 8 > g->len;
}

/* --- wild parts of text ------------------------------------------------ */

static uint16_t kinds_before(const struct greeting *g, size_t at)
{
	return at ? byte_kinds[g->bytes[at - 1]] : 0;
}

/*
 * An idiom may begin where a word does, or behind "<". Of words beyond ASCII
 * only names of days and months count.
 */
static bool may_begin_idiom(const struct greeting *g, size_t at)
{
	const uint16_t before = kinds_before(g, at);

	return byte_kinds[g->bytes[at]] & ~before &
		       (BYTE_WORD | BYTE_FOREIGN) ||
	       before & BYTE_LESS;
}

/* "220-", at a line's beginning. */
static bool is_behind_code(const struct greeting *g, size_t at)
{
	return at >= 4 && greeting_has_code(g, at - 4) &&
	       (at == 4 || g->bytes[at - 5] == '\n');
}

static enum spelled_time time_span(const struct greeting *g, size_t at,
				   size_t *end)
{
	const uint8_t before = at ? g->bytes[at - 1] : 0;

	if (greeting_is_digit(g, at) && before && strchr(".:-/_+~", before) &&
	    !is_behind_code(g, at))
		return TIME_NONE;
	return time_at(g->bytes, g->len, at, g->seen->time, end);
}

/* The client's port, behind its address: 192.0.2.1:50000, or "port 50000". */
static size_t port_span(const struct greeting *g, size_t at, bool behind_client,
			enum wild *wild)
{
	unsigned int value = 0;
	size_t end = at;

	for (; greeting_is_digit(g, end) && end - at < 6; end++)
		value = value * 10 + (unsigned int)(g->bytes[end] - '0');
	if (end == at || value != g->seen->client_port ||
	    greeting_is_word(g, end))
		return 0;
	*wild = WILD_PORT;
	return behind_client || (at > 5 && greeting_has(g, at - 5, "port ")) ?
		       end :
		       0;
}

/* The client's address may begin within a word, too, and with a colon (::1). */
static bool may_begin_client(const struct greeting *g, size_t at)
{
	return greeting_is_word(g, at) || g->bytes[at] == ':' ||
	       kinds_before(g, at) & BYTE_LESS;
}

/* A part of a greeting that is wild, or that stays as it is. */
struct span {
	size_t end;   /* 0: there is no such part */
	bool literal; /* it stays as it is */
	enum wild wild;
};

/*
 * `idioms`: not only the client's address is looked for. `client_end`: the end
 * of that address before; 0: there was none.
 */
static struct span find_span(const struct greeting *g, size_t at, bool idioms,
			     size_t *client_end)
{
	const bool behind = *client_end && at <= *client_end + 2;
	struct span span = { .wild = WILD_CLIENT };

	if (g->client_named)
		span.end = client_at(g, at);
	if (span.end) {
		*client_end = span.end;
		return span;
	}
	if (!idioms)
		return span;
	span.end = idiom_at(g, at, &span.wild);
	if (!span.end && g->seen->client_port)
		span.end = port_span(g, at, behind, &span.wild);
	if (span.end)
		return span;
	span.wild = WILD_TIME;
	/* A date far from now stays as it is, together with its time of day. */
	span.literal = time_span(g, at, &span.end) == TIME_OTHER;
	return span;
}

#define SPELLED_LEAST 14 /* bytes of 20260921141320 */

/*
 * The end of a date with a clock, in ASCII among binary bytes; 0: there is
 * none. What is shorter may be such bytes by chance.
 */
static size_t spelled_end(const struct greeting *g, size_t at)
{
	size_t end;

	for (size_t i = at; i < at + SPELLED_LEAST; i++) {
		if (i == g->len ||
		    byte_kinds[g->bytes[i]] & (BYTE_FOREIGN | BYTE_ODD))
			return 0;
	}
	return time_span(g, at, &end) == TIME_NOW && end - at >= SPELLED_LEAST ?
		       end :
		       0;
}

/* Behind `at`, the first place that may begin a span. */
static size_t next_place(const struct greeting *g, size_t at)
{
	const size_t end = g->client_named ? at : greeting_word_end(g, at);

	return end > at ? end : at + 1;
}

void structure_add_text(struct form *form, const struct greeting *g,
			size_t from, size_t to, uint16_t mark)
{
	size_t client_end = 0, literal = from;

	for (size_t at = from; at < to;) {
		const bool begins = may_begin_idiom(g, at),
			   idioms = begins && !form->binary;
		struct span span = {};

		if (idioms || (g->client_named && may_begin_client(g, at)))
			span = find_span(g, at, idioms, &client_end);
		if (begins && form->binary && !span.end)
			span = (struct span){ .end = spelled_end(g, at),
					      .wild = WILD_TIME };
		if (span.end > to)
			span.end = to;
		if (span.end && !span.literal) {
			form_add_bytes(form, g->bytes, literal, at, mark);
			form_add_wild(form, span.wild, at);
			literal = span.end;
		}
		at = span.end ? span.end : next_place(g, at);
	}
	form_add_bytes(form, g->bytes, literal, to, mark);
}

/* --- whole greetings --------------------------------------------------- */

/* The end of the part at a line's beginning that must not become wild. */
static size_t fixed_end(const struct greeting *g, size_t at)
{
	size_t end = at;

	if (greeting_has_code(g, at))
		return at + 4 < g->len ? at + 4 : g->len;
	if (greeting_has(g, at, "* OK [CAPABILITY")) {
		while (end < g->len && g->bytes[end] != ']' &&
		       g->bytes[end] != '\n')
			end++;
		return end;
	}
	if (greeting_has(g, at, "RFB ") || greeting_has(g, at, "@RSYNCD: "))
		return greeting_line_end(g, at);
	return at;
}

#define CODE 4 /* characters, with the one behind the digits */
#define OF_NAMES (BYTE_WORD | BYTE_DOT | BYTE_HYPHEN | BYTE_UNDERSCORE)

/*
 * The end of the word around `at`, behind a code. It may be a host's name: it
 * has a dot, and a letter behind it, unlike wuftpd-2.6.1.
 */
static size_t word_end(const struct greeting *g, size_t at, bool *is_name)
{
	const size_t end = greeting_end_of(g, at, OF_NAMES);

	*is_name = false;
	while (at > CODE && greeting_is(g, at - 1, OF_NAMES))
		at--;
	for (; at < end && !*is_name; at++)
		*is_name = g->bytes[at] == '.' && greeting_is_letter(g, at + 1);
	return end;
}

/*
 * SMTP, LMTP, NNTP, FTP: few places have the last two of their letters. The
 * next one from `at` on; the greeting's end: there is none.
 */
static size_t next_tp(const struct greeting *g, size_t at)
{
	while (at < g->len &&
	       ((g->bytes[at] | CASE) != 't' || !greeting_has(g, at, "TP")))
		at++;
	return at;
}

/* Whether what greets with 220 is said, with "TP" at `tp`. */
static bool says_protocol(const struct greeting *g, size_t tp, bool *is_ftp)
{
	*is_ftp = greeting_has(g, tp - 1, "F");
	if (*is_ftp)
		return !greeting_has(g, tp - 2, "S");
	return greeting_has(g, tp - 2, "SM") || greeting_has(g, tp - 2, "LM");
}

/* FTP and mail greet with 220: a word decides or, failing that, the port. */
static bool is_ftp(const struct greeting *g)
{
	const uint16_t port = g->seen->server_port;
	bool ftp, is_name;

	if (!greeting_has(g, 0, "220") || !greeting_has_code(g, 0))
		return false;
	for (size_t tp = CODE; (tp = next_tp(g, tp)) < g->len; tp++) {
		if (!says_protocol(g, tp, &ftp))
			continue;
		tp = word_end(g, tp, &is_name);
		if (!is_name)
			return ftp;
	}
	return port == 21 || port == 2121;
}

bool structure_is_ftp(const uint8_t *bytes, size_t len, uint16_t port)
{
	const struct observation seen = { .server_port = port };

	return is_ftp(&(struct greeting){
		.bytes = bytes, .len = len, .seen = &seen });
}

/* Whether a word of mail or news is said. */
static bool says_mail(const struct greeting *g)
{
	static const char *const before[] = { "SM", "ESM", "LM", "NN" };

	for (size_t tp = 0; (tp = next_tp(g, tp)) < g->len; tp++) {
		for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
			const size_t len = strlen(before[i]);

			if (tp > len && greeting_has(g, tp - len, before[i]) &&
			    !greeting_is_word(g, tp - len - 1))
				return true;
		}
	}
	return false;
}

static bool is_known(const struct greeting *g)
{
	static const char *const words[] = { "RFB 00", "@RSYNCD: ", "+OK ",
					     "* OK ", "* PREAUTH " };

	if (greeting_has_code(g, 0))
		return says_mail(g) || is_ftp(g);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (greeting_has(g, 0, words[i]))
			return true;
	}
	return false;
}

/* Whether the first `size` bytes are the length of the rest. */
static bool is_length(const struct greeting *g, size_t size, bool big)
{
	uint64_t value = 0;

	if (g->len < size + 4)
		return false;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | g->bytes[big ? i : size - 1 - i];
	return value && value <= g->len && g->len - value <= size;
}

/* RFC 868: seconds since 1900, and nothing else. */
static bool is_time(const struct greeting *g)
{
	return g->seen->server_port == 37 && g->len == 4;
}

/*
 * How many bytes at the beginning are the length of the rest; 0: none. The
 * fewest, because a byte of 0 behind them may be chance.
 */
static size_t length_size(const struct greeting *g)
{
	for (size_t size = 2; size <= 4; size++) {
		if (is_length(g, size, true) || is_length(g, size, false))
			return size;
	}
	return 0;
}

static void add_binary(struct form *form, const struct greeting *g)
{
	const size_t size = length_size(g);

	if (is_time(g)) {
		form_add_wild(form, WILD_TIME, 0);
		return;
	}
	if (size)
		form_add_wild(form, WILD_LENGTH, 0);
	structure_add_text(form, g, size, g->len, 0);
}

#define FRAMED_LEAST 8

/* A length, and then text. It is whole, whatever it ends with. */
static bool add_framed(struct form *form, const struct greeting *g)
{
	const size_t size = length_size(g);
	const bool whole = form->whole;
	struct greeting text = *g;

	text.bytes += size;
	text.len -= size;
	if (!size || text.len < FRAMED_LEAST || is_binary(&text))
		return false;
	form->binary = false;
	form_add_wild(form, WILD_LENGTH, 0);
	structure_lines(form, &text);
	for (size_t i = 1; i < form->len; i++)
		form->at[i] = (uint16_t)(form->at[i] + size);
	form->whole = whole;
	return true;
}

/* ":host NOTICE * :*** ": what an IRC server does, before its client is in. */
static bool is_irc_notice(const struct greeting *g, size_t at)
{
	if (at < g->len && g->bytes[at] == ':') {
		while (at < g->len && g->bytes[at] > ' ')
			at++;
		at++;
	}
	if (!greeting_has(g, at, "NOTICE "))
		return false;
	for (at += strlen("NOTICE "); at < g->len && g->bytes[at] > ' ';)
		at++;
	return greeting_has(g, at, " :*** ");
}

void structure_lines(struct form *form, const struct greeting *g)
{
	const bool irc = is_irc_notice(g, 0);
	size_t at = 0, line, fixed;

	form->whole &=
		text_end(g) < g->len || !text_end_is_open(g->bytes, g->len);
	for (; at < g->len; at = line) {
		line = greeting_line_end(g, at);
		/* How many notices come before the client speaks is chance. */
		if (irc && at && is_irc_notice(g, at))
			continue;
		fixed = fixed_end(g, at);
		form_add_bytes(form, g->bytes, at, fixed, SYMBOL_FIXED);
		structure_add_text(form, g, fixed, line, 0);
	}
}

void structure_text(struct form *form, const struct greeting *g)
{
	form->refusal = structure_refuses(g);
	form->binary = is_time(g) || is_binary(g);
	if (form->binary) {
		if (!add_framed(form, g))
			add_binary(form, g);
		return;
	}
	form->known = is_known(g);
	structure_lines(form, g);
}
