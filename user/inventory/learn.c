/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "learn.h"

#include "looks.h"
#include "match.h"

#include <string.h>

/* What two forms must have in common: so many letters and digits, or bytes. */
#define SKELETON_TEXT 3
#define SKELETON_BINARY 2
/* Letters at the edge of a token that is partly wild. */
#define EDGE_LETTERS 3

/* What becomes of a gap. */
enum verdict {
	REFUSED, /* it is another form */
	AS_IT_WAS, /* what stands in the form fits */
	BECOMES_WILD,
	BECOMES_TIME,
	BECOMES_STRUCTURE, /* what is wild in the greeting is wild */
	DIGITS_BECOME_WILD,
	GOES_ON, /* the form was cut here; the greeting is longer */
};

/* One side of a gap. */
struct part {
	const struct form *form;
	const bool *version;
	size_t from, to;
};

static bool is_alnum(uint16_t symbol)
{
	return symbol_is_digit(symbol) || symbol_is_letter(symbol);
}

/* --- what a part holds ------------------------------------------------- */

struct traits {
	size_t wild, bytes, letters, digits, spaces, other;
	bool learned; /* one of the wild parts was */
	bool fixed, version;
	enum byte_class class; /* the least that takes all of it */
	enum byte_class wild_class; /* that of its wild parts */
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
		t.version |= part->version[i];
	}
	/* A class takes the bytes of those before it, but that HEX has no
	 * comma: look again whether all fit. */
	for (size_t i = part->from; i < part->to; i++) {
		if (!symbol_is_wild(part->form->symbol[i]))
			t.class = class_of((uint8_t)part->form->symbol[i],
					   t.class);
	}
	return t;
}

static enum wild wild_of(enum byte_class class)
{
	static const enum wild wilds[] = {
		[CLASS_DIGIT] = WILD_NUMBER, [CLASS_NUMBER] = WILD_NUMBER,
		[CLASS_HEX] = WILD_HEX,	     [CLASS_TOKEN] = WILD_TOKEN,
		[CLASS_WORD] = WILD_WORD,    [CLASS_TEXT] = WILD_TEXT,
		[CLASS_ANY] = WILD_BYTES,
	};

	return wilds[class];
}

static bool has_word(const struct part *part)
{
	for (size_t at = part->from, end; at < part->to; at = end) {
		end = at + 1;
		if (!is_alnum(part->form->symbol[at]))
			continue;
		while (end < part->to && is_alnum(part->form->symbol[end]))
			end++;
		if (looks_like_word(part->form, at, end))
			return true;
	}
	return false;
}

static bool is_date(const struct part *part)
{
	return part->to > part->from &&
	       looks_date_end(part->form, part->from) == part->to;
}

/* --- two parts --------------------------------------------------------- */

static void cut_out(struct form *to, const struct part *part)
{
	to->len = part->to - part->from;
	memcpy(to->symbol, part->form->symbol + part->from,
	       to->len * sizeof(*to->symbol));
}

/* What is no text has neither words nor spaces. */
static bool is_binary(const struct part *a, const struct part *b)
{
	return a->form->binary || b->form->binary;
}

/* Does what stands in the form take what stands in the greeting? */
static bool takes(struct learn *learn, const struct part *a,
		  const struct part *b, const struct traits *in_b)
{
	const bool client = a->to == a->from + 1 &&
			    a->form->symbol[a->from] ==
				    SYMBOL_WILD + WILD_CLIENT;

	if (in_b->version && !client && !is_binary(a, b))
		return false;
	cut_out(&learn->a_part, a);
	cut_out(&learn->b_part, b);
	return form_matches(&learn->a_part, &learn->b_part);
}

/* Is what the greeting has of structure, as text, what the form has? */
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

/* mx1 and mx2: the same letters, and in their places other digits. */
static bool digits_alone_differ(const struct part *a, const struct part *b)
{
	size_t i = a->from, j = b->from, runs = 0;

	while (i < a->to && j < b->to) {
		const uint16_t x = a->form->symbol[i], y = b->form->symbol[j];

		if (symbol_is_digit(x) && symbol_is_digit(y)) {
			while (i < a->to && symbol_is_digit(a->form->symbol[i]))
				i++;
			while (j < b->to && symbol_is_digit(b->form->symbol[j]))
				j++;
			runs++;
		} else if (((x ^ y) & SYMBOL_VALUE) || symbol_is_wild(x)) {
			return false;
		} else {
			i++;
			j++;
		}
	}
	/* Digits all over are a token that has the same letters by chance. */
	return i == a->to && j == b->to && runs && runs <= 2 &&
	       !(looks_like_hex(a->form, a->from, a->to) && runs > 1);
}

/* --- may it be wild? --------------------------------------------------- */

/* The first two connections: a token, a number, a date; no word, no version. */
static enum verdict judge_pair(const struct part *a, const struct part *b,
			       const struct traits *in_a,
			       const struct traits *in_b)
{
	const bool padded = !in_a->letters && !in_a->other && !in_b->letters &&
			    !in_b->other && in_a->digits && in_b->digits;

	if (is_date(a) && is_date(b))
		return BECOMES_TIME;
	if (a->from == a->to || b->from == b->to)
		return REFUSED;
	if (is_binary(a, b))
		return BECOMES_WILD;
	if ((in_a->spaces || in_b->spaces) && !padded)
		return REFUSED;
	if (has_word(a) && has_word(b))
		return REFUSED;
	if (digits_alone_differ(a, b))
		return DIGITS_BECOME_WILD;
	return BECOMES_WILD;
}

static enum verdict judge_literal(enum learn_how how, const struct part *a,
				  const struct part *b,
				  const struct traits *in_a,
				  const struct traits *in_b)
{
	/* Random bytes look like a version now and then, but not twice. */
	if (is_binary(a, b) ? in_a->version && in_b->version :
			      in_a->version || in_b->version)
		return REFUSED;
	if (how == LEARN_PAIR)
		return judge_pair(a, b, in_a, in_b);
	if (how != LEARN_THIRD || a->from == a->to || b->from == b->to)
		return REFUSED;
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
	if (in_a->version || a->from == a->to)
		return REFUSED;
	if (how == LEARN_PAIR || how == LEARN_THIRD || is_date(a) ||
	    !in_a->letters)
		return BECOMES_STRUCTURE;
	return REFUSED;
}

/* The letters and digits just before a gap are of the same token as it. */
static bool is_inside_word(const struct part *a)
{
	return (a->from && is_alnum(a->form->symbol[a->from]) &&
		is_alnum(a->form->symbol[a->from - 1])) ||
	       (a->to < a->form->len && is_alnum(a->form->symbol[a->to - 1]) &&
		is_alnum(a->form->symbol[a->to]));
}

#define CARRY_NEAR 32

/* One more, and what is beside it begins again at 0; or one less. */
static bool carries(uint8_t was, uint8_t is, uint8_t beside)
{
	return ((uint8_t)(was + 1) == is && beside < CARRY_NEAR) ||
	       ((uint8_t)(was - 1) == is && beside >= 256 - CARRY_NEAR);
}

/*
 * A number of several bytes goes on: from the byte that was wild, which is the
 * last or the first of it, to the one that is another now.
 */
static bool counts_on(const struct part *a, const struct part *b, size_t i,
		      int step)
{
	const size_t len = a->to - a->from;

	for (size_t at = i; at + (size_t)step < len; at += (size_t)step) {
		const size_t beside = at + (size_t)step;

		if (!carries((uint8_t)a->form->symbol[a->from + at],
			     (uint8_t)b->form->symbol[b->from + at],
			     (uint8_t)b->form->symbol[b->from + beside]))
			return false;
		if (symbol_is_wild(a->form->symbol[a->from + beside]))
			return true;
	}
	return false;
}

/* Of a part that always had as many bytes. */
static enum verdict lengthens(const struct part *a)
{
	for (size_t i = a->from; i < a->to; i++) {
		if (a->form->symbol[i] == SYMBOL_WILD + WILD_BYTE)
			return REFUSED;
	}
	return BECOMES_WILD;
}

/* Bytes that are no text. Random ones that were the same by chance are not
 * the same three times; then only a number that counts on becomes longer. */
static enum verdict judge_bytes(enum learn_how how, const struct part *a,
				const struct part *b)
{
	const size_t len = a->to - a->from;

	if (is_inside_word(a))
		return REFUSED;
	if (how != LEARN_SETTLED)
		return BECOMES_WILD;
	if (b->to - b->from != len)
		return traits_of(a).bytes ? REFUSED : lengthens(a);
	for (size_t i = 0; i < len; i++) {
		if (!symbol_is_wild(a->form->symbol[a->from + i]) &&
		    (a->form->symbol[a->from + i] & SYMBOL_VALUE) !=
			    (b->form->symbol[b->from + i] & SYMBOL_VALUE) &&
		    !counts_on(a, b, i, 1) && !counts_on(a, b, i, -1))
			return REFUSED;
	}
	return BECOMES_WILD;
}

/* A wild part, and beside it what forms one number or token with it. */
static enum verdict judge_growth(enum learn_how how, const struct part *a,
				 const struct part *b,
				 const struct traits *in_a,
				 const struct traits *in_b)
{
	if (b->from == b->to)
		return REFUSED;
	if (is_binary(a, b))
		return judge_bytes(how, a, b);
	if (in_a->version || in_b->version)
		return REFUSED;
	if (in_a->wild_class < CLASS_TEXT &&
	    (in_a->spaces || in_b->spaces || in_b->class > CLASS_WORD))
		return REFUSED;
	/* A number, decimal or hexadecimal, is one with all of its digits. */
	if (in_a->wild_class <= CLASS_HEX)
		return in_a->class <= CLASS_HEX && in_b->class <= CLASS_HEX ?
			       BECOMES_WILD :
			       REFUSED;
	/* A token's edge that was the same by chance is short. */
	return in_a->letters > EDGE_LETTERS ? REFUSED : BECOMES_WILD;
}

/* At the end of a greeting that was cut: is one the beginning of the other? */
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
	if (!a->form->whole && form_begins(&learn->b_part, &learn->a_part))
		return GOES_ON;
	return REFUSED;
}

static bool is_cut(const struct part *a, const struct part *b)
{
	if (a->to != a->form->len || b->to != b->form->len)
		return false;
	/* What was cut is the shorter one; or it ends with a line, and more
	 * came at another time, which ended with none. */
	if (b->from == b->to)
		return true;
	if (a->from == a->to)
		return !a->form->whole;
	return !a->form->whole || !b->form->whole;
}

static enum verdict judge_gap(struct learn *learn, enum learn_how how,
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
	if (in_a.wild && takes(learn, a, b, &in_b))
		return AS_IT_WAS;
	if (in_a.fixed || in_b.fixed)
		return REFUSED;
	if (in_a.wild)
		return judge_growth(how, a, b, &in_a, &in_b);
	if (in_b.wild)
		return judge_structure(how, a, b, &in_a, raw);
	return judge_literal(how, a, b, &in_a, &in_b);
}

/* --- what a form has become -------------------------------------------- */

static void append(struct form *to, const struct form *from, size_t start,
		   size_t end)
{
	for (size_t i = start; i < end && to->len < FORM_MAX; i++) {
		if (symbol_is_wild(from->symbol[i]))
			form_add_wild(to, symbol_wild(from->symbol[i]), 0);
		else
			to->symbol[to->len++] = from->symbol[i];
	}
}

static void append_digits_wild(struct form *to, const struct part *a)
{
	for (size_t i = a->from; i < a->to; i++) {
		if (symbol_is_digit(a->form->symbol[i]))
			form_add_wild(to, WILD_NUMBER, 0);
		else
			append(to, a->form, i, i + 1);
	}
}

static void append_wild(struct form *to, const struct part *a,
			const struct part *b)
{
	const struct traits in_a = traits_of(a), in_b = traits_of(b);
	const enum byte_class class =
		in_a.class > in_b.class ? in_a.class : in_b.class;
	const size_t len = a->to - a->from;

	/* Bytes that are no text keep their number as long as they can. */
	if (is_binary(a, b) && len == b->to - b->from) {
		for (size_t i = 0; i < len; i++)
			form_add_wild(to, WILD_BYTE, 0);
		return;
	}
	form_add_wild(to, is_binary(a, b) ? WILD_BYTES : wild_of(class), 0);
}

static void append_gap(struct form *to, enum verdict verdict,
		       const struct part *a, const struct part *b)
{
	switch (verdict) {
	case AS_IT_WAS:
		append(to, a->form, a->from, a->to);
		break;
	case BECOMES_WILD:
		append_wild(to, a, b);
		break;
	case BECOMES_TIME:
		form_add_wild(to, WILD_TIME, 0);
		break;
	case BECOMES_STRUCTURE:
	case GOES_ON:
	case REFUSED:
		append(to, b->form, b->from, b->to);
		break;
	case DIGITS_BECOME_WILD:
		append_digits_wild(to, a);
		break;
	}
}

static bool is_wild_of(uint16_t symbol, enum byte_class most)
{
	return symbol_is_wild(symbol) && wild_is_learned(symbol_wild(symbol)) &&
	       wild_class(symbol_wild(symbol)) <= most;
}

/* Base64 has + and / and = within: two tokens with one between are one. */
static void join_tokens(struct form *form)
{
	size_t n = 0;

	for (size_t i = 0; i < form->len; i++) {
		const uint16_t *at = form->symbol + i;

		form->symbol[n++] = *at;
		while (is_wild_of(form->symbol[n - 1], CLASS_TOKEN) &&
		       i + 2 < form->len && form->symbol[i + 1] &&
		       form->symbol[i + 1] < 0x80 &&
		       strchr("+/=", form->symbol[i + 1]) &&
		       is_wild_of(form->symbol[i + 2], CLASS_TOKEN) &&
		       (form->symbol[n - 1] == SYMBOL_WILD + WILD_TOKEN ||
			form->symbol[i + 2] == SYMBOL_WILD + WILD_TOKEN)) {
			form->symbol[n - 1] = SYMBOL_WILD + WILD_TOKEN;
			i += 2;
		}
	}
	form->len = n;
}

/* --- all gaps ---------------------------------------------------------- */

static void mark_told(const struct form *form, const char *version,
		      bool mark[FORM_MAX])
{
	const size_t len = version ? strlen(version) : 0;

	for (size_t at = 0; len && at + len <= form->len; at++) {
		size_t n = 0;

		while (n < len && (form->symbol[at + n] & SYMBOL_VALUE) ==
					  (uint8_t)version[n])
			n++;
		if (n < len ||
		    (at && is_alnum(form->symbol[at - 1]) &&
		     is_alnum(form->symbol[at])))
			continue;
		memset(mark + at, true, len);
	}
}

static void begin(struct learn *learn, const struct learn_side *a,
		  const struct learn_side *b)
{
	align_forms(&learn->align, a->form, b->form);
	looks_mark_versions(a->form, learn->a_version);
	looks_mark_versions(b->form, learn->b_version);
	mark_told(a->form, a->version, learn->a_version);
	mark_told(b->form, b->version, learn->b_version);
	learn->wider.len = 0;
	learn->wider.whole = a->form->whole || b->form->whole;
	learn->wider.refusal = b->form->refusal;
	learn->wider.binary = b->form->binary;
	learn->wider.ftp = b->form->ftp;
	learn->wider.known = b->form->known;
}

/* Do both have enough in common, outside of the gaps? */
static bool has_skeleton(const struct learn *learn, enum learn_how how,
			 const struct form *a, const struct form *b)
{
	size_t common = 0, alnum = 0, at = 0;

	for (size_t i = 0; i <= learn->align.gaps; i++) {
		const size_t to = i < learn->align.gaps ?
					  learn->align.gap[i].a_from :
					  a->len;

		for (; at < to; at++) {
			common++;
			alnum += is_alnum(a->symbol[at]);
		}
		if (i < learn->align.gaps)
			at = learn->align.gap[i].a_to;
	}
	if (b->binary)
		return common >= SKELETON_BINARY ||
		       (common && a->len == b->len);
	if (how == LEARN_THIRD && common * 4 < b->len)
		return false;
	return alnum >= SKELETON_TEXT;
}

static struct part a_part_of(const struct learn *learn, const struct form *form,
			     const struct gap *gap)
{
	return (struct part){ form, learn->a_version, gap->a_from, gap->a_to };
}

static struct part b_part_of(const struct learn *learn, const struct form *form,
			     const struct gap *gap)
{
	return (struct part){ form, learn->b_version, gap->b_from, gap->b_to };
}

enum learned learn_form(struct learn *learn, enum learn_how how,
			const struct learn_side *form,
			const struct learn_side *greeting, const uint8_t *raw)
{
	const struct form *a = form->form, *b = greeting->form;
	bool wider = false, differs = false;
	size_t at = 0;

	begin(learn, form, greeting);
	for (size_t i = 0; i < learn->align.gaps; i++) {
		const struct gap *gap = &learn->align.gap[i];
		const struct part a_part = a_part_of(learn, a, gap),
				  b_part = b_part_of(learn, b, gap);
		const enum verdict verdict =
			judge_gap(learn, how, &a_part, &b_part, raw);

		if (verdict == REFUSED)
			return LEARNED_NOT;
		append(&learn->wider, a, at, gap->a_from);
		append_gap(&learn->wider, verdict, &a_part, &b_part);
		wider |= verdict != AS_IT_WAS;
		differs |= verdict != AS_IT_WAS && verdict != GOES_ON;
		at = gap->a_to;
	}
	append(&learn->wider, a, at, a->len);
	if (differs)
		join_tokens(&learn->wider);
	if (differs && !has_skeleton(learn, how, a, b))
		return LEARNED_NOT;
	/* The end of a form that goes on was not met yet. */
	if (learn->align.gaps &&
	    learn->align.gap[learn->align.gaps - 1].b_from == b->len)
		learn->wider.whole = a->whole;
	return wider || learn->wider.whole != a->whole ? LEARNED_WIDER :
							 LEARNED_SAME;
}

void learn_inherit(struct learn *learn, const struct learn_side *old,
		   const struct learn_side *greeting, const uint8_t *raw)
{
	const struct form *a = old->form, *b = greeting->form;
	size_t at = 0;

	begin(learn, old, greeting);
	learn->wider.whole = b->whole;
	if (!has_skeleton(learn, LEARN_GROW, a, b))
		learn->align.gaps = 0;
	for (size_t i = 0; i < learn->align.gaps; i++) {
		const struct gap *gap = &learn->align.gap[i];
		const struct part a_part = a_part_of(learn, a, gap),
				  b_part = b_part_of(learn, b, gap);
		const bool as_it_was =
			traits_of(&a_part).wild &&
			judge_gap(learn, LEARN_GROW, &a_part, &b_part, raw) ==
				AS_IT_WAS;

		append(&learn->wider, b, at, gap->b_from);
		append_gap(&learn->wider, as_it_was ? AS_IT_WAS : REFUSED,
			   &a_part, &b_part);
		at = gap->b_to;
	}
	append(&learn->wider, b, at, b->len);
}
