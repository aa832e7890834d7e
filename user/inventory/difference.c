/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "difference.h"

#include "difference_bytes.h"
#include "difference_numbers.h"
#include "looks.h"
#include "match.h"

#include <string.h>

/* The most letters at the edge of a partly wild token that are chance. */
#define EDGE_LETTERS 3

/* --- the content of a part --------------------------------------------- */

struct traits {
	size_t wild, bytes, letters, digits, spaces, other;
	bool learned; /* one of its wild parts was learned */
	bool fixed;
	enum looks_version version; /* the most of its symbols */
	enum byte_class class;	    /* the narrowest class with all its bytes */
	enum byte_class wild_class; /* the same of its wild parts */
};

static enum byte_class class_of(uint8_t byte, enum byte_class least)
{
	while (!byte_in_class(byte, least))
		least++;
	return least;
}

static void add_trait(struct traits *t, uint16_t symbol)
{
	if (symbol_is_wild(symbol)) {
		t->wild++;
		t->learned |= wild_is_learned(symbol_wild(symbol));
		if (wild_class(symbol_wild(symbol)) > t->wild_class)
			t->wild_class = wild_class(symbol_wild(symbol));
		if (t->wild_class > t->class)
			t->class = t->wild_class;
		return;
	}
	t->bytes++;
	t->fixed |= (symbol & SYMBOL_FIXED) != 0;
	if (symbol_is_letter(symbol))
		t->letters++;
	else if (symbol_is_digit(symbol))
		t->digits++;
	else if (symbol_is_space(symbol))
		t->spaces++;
	else
		t->other++;
	t->class = class_of((uint8_t)symbol, t->class);
}

static struct traits traits_of(const struct part *part)
{
	struct traits t = {};

	for (size_t i = part->from; i < part->to; i++) {
		add_trait(&t, part->form->symbol[i]);
		if (part->version[i] > t.version)
			t.version = part->version[i];
	}
	/* A class includes those before it, except that HEX has no comma. So
	 * all bytes are checked again. */
	for (size_t i = part->from; i < part->to; i++) {
		if (!symbol_is_wild(part->form->symbol[i]))
			t.class = class_of((uint8_t)part->form->symbol[i],
					   t.class);
	}
	return t;
}

static bool is_version(const struct traits *traits)
{
	return traits->version >= LOOKS_DECIMAL;
}

static bool has_word(const struct part *part)
{
	for (size_t at = part->from, end; at < part->to; at = end) {
		end = at + 1;
		if (!symbol_is_word(part->form->symbol[at]))
			continue;
		while (end < part->to &&
		       symbol_is_word(part->form->symbol[end]))
			end++;
		if (looks_like_word(part->form, at, end))
			return true;
	}
	return false;
}

/* Whether a word is all there is, or digits follow it: smtp, smtp2. */
static bool is_word(const struct part *part, bool *numbered)
{
	size_t end = part->from;

	while (end < part->to && symbol_is_letter(part->form->symbol[end]))
		end++;
	*numbered = end < part->to;
	if (!looks_like_word(part->form, part->from, end))
		return false;
	while (end < part->to && symbol_is_digit(part->form->symbol[end]))
		end++;
	return end == part->to;
}

/* Whether a word got a number, or lost it. */
static bool is_numbered(const struct part *a, const struct part *b)
{
	bool in_a, in_b;

	return is_word(a, &in_a) && is_word(b, &in_b) && in_a != in_b;
}

/* Whether nothing but words differs: a version is none. */
bool part_has_words(const struct part *a, const struct part *b)
{
	return looks_like_word(a->form, a->from, a->to) &&
	       looks_like_word(b->form, b->from, b->to) &&
	       !a->version[a->from] && !b->version[b->from];
}

static bool is_date(const struct part *part)
{
	return part->to > part->from &&
	       looks_date_end(part->form, part->from) == part->to;
}

#define US_PER_DAY 86400000000LL

/*
 * Whether two dates may be by one clock, however wrong: as much time is between
 * them as between the connections, and a day for what the date leaves out. A
 * build's date is by none.
 */
static bool is_one_clock(const struct part *a, const struct part *b)
{
	const long elapsed = (long)(a->elapsed / US_PER_DAY);
	long was, is;

	if (!a->elapsed || !looks_date_day(a->form, a->from, &was) ||
	    !looks_date_day(b->form, b->from, &is))
		return true;
	return is - was >= elapsed - 1 && is - was <= elapsed + 2;
}

/* --- two parts --------------------------------------------------------- */

static void cut_out(struct form *to, const struct part *part)
{
	to->len = part->to - part->from;
	memcpy(to->symbol, part->form->symbol + part->from,
	       to->len * sizeof(*to->symbol));
}

/* Whether a part is binary: it has neither words nor spaces. */
bool part_is_binary(const struct part *a, const struct part *b)
{
	return a->form->binary || b->form->binary;
}

/* Whether the form's part matches the greeting's part. */
static bool takes(struct learn *learn, const struct part *a,
		  const struct part *b, const struct traits *in_b)
{
	const bool client =
		a->to == a->from + 1 &&
		a->form->symbol[a->from] == SYMBOL_WILD + WILD_CLIENT;

	if (in_b->version == LOOKS_VERSION && !client && !part_is_binary(a, b))
		return false;
	cut_out(&learn->a_part, a);
	cut_out(&learn->b_part, b);
	return form_matches(&learn->a_part, &learn->b_part);
}

/*
 * Whether the greeting's bytes, where structure found wild parts, are the
 * form's.
 */
static bool same_bytes(const struct part *a, const struct part *b,
		       const uint8_t *raw)
{
	const size_t from = b->form->at[b->from], to = b->form->at[b->to];

	if (to - from != a->to - a->from)
		return false;
	for (size_t i = 0; i < to - from; i++) {
		if ((a->form->symbol[a->from + i] & SYMBOL_VALUE) !=
		    raw[from + i])
			return false;
	}
	return true;
}

/* --- verdicts ---------------------------------------------------------- */

/*
 * The first two connections: a token, a number or a date becomes wild, a word
 * or a version does not.
 */
static enum verdict judge_pair(const struct part *a, const struct part *b,
			       const struct traits *in_a,
			       const struct traits *in_b)
{
	const bool padded = !in_a->letters && !in_a->other && !in_b->letters &&
			    !in_b->other && in_a->digits && in_b->digits;

	if (is_date(a) && is_date(b))
		return is_one_clock(a, b) ? BECOMES_TIME : REFUSED;
	if (a->from == a->to || b->from == b->to)
		return REFUSED;
	if (part_is_binary(a, b))
		return BECOMES_WILD;
	if ((in_a->spaces || in_b->spaces) && !padded)
		return REFUSED;
	if (in_a->version && in_b->version)
		return REFUSED;
	if ((has_word(a) && has_word(b)) || is_numbered(a, b))
		return REFUSED;
	if (digits_alone_differ(a, b))
		return DIGITS_BECOME_WILD;
	return BECOMES_WILD;
}

/*
 * A version is never wild. A decimal that had three values in three connections
 * is none: 40.5 KB/s, then 11.1 and 16.6. Its dot stays, so that no version
 * fits.
 */
static enum verdict judge_decimals(enum learn_how how, const struct part *a,
				   const struct part *b,
				   const struct traits *in_a,
				   const struct traits *in_b)
{
	return how == LEARN_THIRD && in_a->version < LOOKS_VERSION &&
			       in_b->version < LOOKS_VERSION &&
			       runs_that_differ(a, b) ?
		       DIGITS_BECOME_WILD :
		       REFUSED;
}

static enum verdict judge_literal(enum learn_how how, const struct part *a,
				  const struct part *b,
				  const struct traits *in_a,
				  const struct traits *in_b)
{
	/* Random bytes look like a version sometimes, but not twice. */
	if (part_is_binary(a, b) ? is_version(in_a) && is_version(in_b) :
				   is_version(in_a) || is_version(in_b))
		return judge_decimals(how, a, b, in_a, in_b);
	if (how == LEARN_PAIR)
		return judge_pair(a, b, in_a, in_b);
	if (how != LEARN_THIRD || a->from == a->to || b->from == b->to)
		return REFUSED;
	if (is_date(a) && is_date(b))
		return BECOMES_TIME;
	return digits_alone_differ(a, b) ? DIGITS_BECOME_WILD : BECOMES_WILD;
}

/* Structure found a wild part where the form has something else. */
static enum verdict judge_structure(enum learn_how how, const struct part *a,
				    const struct part *b,
				    const struct traits *in_a,
				    const uint8_t *raw)
{
	if (same_bytes(a, b, raw))
		return AS_IT_WAS;
	if (is_version(in_a) || a->from == a->to)
		return REFUSED;
	/* The date of a build, which another one of today replaces. */
	if (how != LEARN_THIRD && is_date(a))
		return REFUSED;
	if (how == LEARN_PAIR || how == LEARN_THIRD || !in_a->letters)
		return BECOMES_STRUCTURE;
	return REFUSED;
}

/* The verdict on a wild part with neighbours in the same number or token. */
static enum verdict judge_growth(enum learn_how how, const struct part *a,
				 const struct part *b,
				 const struct traits *in_a,
				 const struct traits *in_b)
{
	if (b->from == b->to)
		return REFUSED;
	/* The digits of a number among binary bytes are judged as text is. */
	if (part_is_binary(a, b) &&
	    (in_a->class > CLASS_HEX || in_b->class > CLASS_HEX))
		return judge_bytes(how, a, b);
	if (is_version(in_a) || is_version(in_b))
		return REFUSED;
	if (in_a->wild_class < CLASS_TEXT &&
	    (in_a->spaces || in_b->spaces || in_b->class > CLASS_WORD))
		return REFUSED;
	if (is_negative(a, b))
		return BECOMES_WILD;
	/* All digits of a number, decimal or hexadecimal, belong to it. */
	if (in_a->wild_class <= CLASS_HEX)
		return in_a->class <= CLASS_HEX && in_b->class <= CLASS_HEX ?
			       BECOMES_WILD :
			       REFUSED;
	/* Only a short edge of a token is equal by chance. */
	return in_a->letters > EDGE_LETTERS ? REFUSED : BECOMES_WILD;
}

#define CUT_TIME_MAX 40

/*
 * Whether the form was cut within a date, "Mon, 21 Se", of which only a part
 * may be wild, and the greeting has the whole date.
 */
static bool is_cut_time(const struct part *a, const struct part *b)
{
	const uint16_t time = SYMBOL_WILD + WILD_TIME;

	if (a->to - a->from > CUT_TIME_MAX ||
	    !((a->from && a->form->symbol[a->from - 1] == time) ||
	      (b->from < b->to && b->form->symbol[b->from] == time)))
		return false;
	for (size_t i = a->from; i < a->to; i++) {
		const uint16_t symbol = a->form->symbol[i];

		if (!symbol_is_word(symbol) &&
		    (!symbol || symbol_is_wild(symbol) ||
		     !strchr(" ,:+-/.", (char)symbol)))
			return false;
	}
	return true;
}

/* The end of a cut greeting: whether one is the beginning of the other. */
static enum verdict judge_tail(struct learn *learn, const struct part *a,
			       const struct part *b)
{
	if (a->from == a->to)
		return GOES_ON;
	if (b->from == b->to)
		return a->form->whole && b->form->whole ? REFUSED : AS_IT_WAS;
	cut_out(&learn->a_part, a);
	cut_out(&learn->b_part, b);
	if (!b->form->whole && form_begins(&learn->a_part, &learn->b_part))
		return AS_IT_WAS;
	if (!a->form->whole &&
	    (form_begins(&learn->b_part, &learn->a_part) || is_cut_time(a, b)))
		return GOES_ON;
	return REFUSED;
}

static bool is_cut(const struct part *a, const struct part *b)
{
	if (a->to != a->form->len || b->to != b->form->len)
		return false;
	/* The shorter one was cut. Or it ends with a line, and another time
	 * more came that did not end with a line. */
	if (b->from == b->to)
		return true;
	if (a->from == a->to)
		return !a->form->whole;
	return !a->form->whole || !b->form->whole;
}

/*
 * Whether a number at the greeting's beginning is its length by chance, as a
 * counter's value is now and then: then its bytes fit the form.
 */
static bool is_length_by_chance(struct learn *learn, const struct part *a,
				const struct part *b, const uint8_t *raw)
{
	struct form *bytes = &learn->b_part;
	const size_t from = b->form->at[b->from], to = b->form->at[b->to];

	if (b->to != b->from + 1 ||
	    b->form->symbol[b->from] != SYMBOL_WILD + WILD_LENGTH)
		return false;
	cut_out(&learn->a_part, a);
	bytes->len = 0;
	form_add_bytes(bytes, raw, from, to, 0);
	return form_matches(&learn->a_part, bytes);
}

enum verdict judge_gap(struct learn *learn, enum learn_how how,
		       const struct part *a, const struct part *b,
		       const uint8_t *raw)
{
	const struct traits in_a = traits_of(a), in_b = traits_of(b);
	enum verdict tail;

	if (is_cut(a, b)) {
		tail = judge_tail(learn, a, b);
		if (tail != REFUSED)
			return tail;
	}
	if ((in_a.wild && takes(learn, a, b, &in_b)) ||
	    is_length_by_chance(learn, a, b, raw))
		return AS_IT_WAS;
	if (in_a.fixed || in_b.fixed)
		return REFUSED;
	if (in_b.version < LOOKS_VERSION && is_part_of_decimal(a, b))
		return BECOMES_WILD;
	if (in_a.wild)
		return judge_growth(how, a, b, &in_a, &in_b);
	if (in_b.wild)
		return judge_structure(how, a, b, &in_a, raw);
	return judge_literal(how, a, b, &in_a, &in_b);
}

bool part_has_wild(const struct part *part)
{
	return traits_of(part).wild;
}

enum byte_class part_class(const struct part *part)
{
	return traits_of(part).class;
}
