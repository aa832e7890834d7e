/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "learn.h"

#include "looks.h"
#include "difference.h"
#include "skeleton.h"

#include <string.h>

/* Two forms must have so many letters and digits, or bytes, in common. */
#define SKELETON_TEXT 3
#define SKELETON_BINARY 2

#define LENGTH_SYMBOL (SYMBOL_WILD + WILD_LENGTH)

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

/* --- building the wider form ------------------------------------------- */

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

/* Several digits among binary bytes: random bytes are none. */
static bool is_number(const struct part *a, const struct part *b)
{
	return part_class(a) <= CLASS_NUMBER && part_class(b) <= CLASS_NUMBER &&
	       (a->to > a->from + 1 || b->to > b->from + 1);
}

/* A wild part may have had digits. */
static bool has_digit(const struct part *part)
{
	for (size_t i = part->from; i < part->to; i++) {
		const uint16_t symbol = part->form->symbol[i];

		if (symbol_is_wild(symbol) || symbol_is_digit(symbol))
			return true;
	}
	return false;
}

static void append_wild(struct form *to, const struct part *a,
			const struct part *b)
{
	const enum byte_class in_a = part_class(a), in_b = part_class(b);
	const size_t len = a->to - a->from;
	enum byte_class class = in_a > in_b ? in_a : in_b;

	if (is_number(a, b)) {
		form_add_wild(to, WILD_NUMBER, 0);
		return;
	}
	/* AAAB, AAAC: without a digit it is no number, but a token. */
	if (class == CLASS_HEX && !has_digit(a) && !has_digit(b))
		class = CLASS_TOKEN;
	/* Binary parts keep their length as long as it does not vary. */
	if (part_is_binary(a, b) && len == b->to - b->from) {
		for (size_t i = 0; i < len; i++)
			form_add_wild(to, WILD_BYTE, 0);
		return;
	}
	form_add_wild(to, part_is_binary(a, b) ? WILD_BYTES : wild_of(class),
		      0);
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

/* Base64 contains + / =: two tokens with one of these between them are one. */
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
		      uint8_t mark[FORM_MAX])
{
	const size_t len = version ? strlen(version) : 0;

	for (size_t at = 0; len && at + len <= form->len; at++) {
		size_t n = 0;

		while (n < len && (form->symbol[at + n] & SYMBOL_VALUE) ==
					  (uint8_t)version[n])
			n++;
		if (n < len || (at && symbol_is_word(form->symbol[at - 1]) &&
				symbol_is_word(form->symbol[at])))
			continue;
		memset(mark + at, LOOKS_VERSION, len);
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
	learn->a_latest = a->latest;
	learn->elapsed = a->time && b->time > a->time ? b->time - a->time : 0;
	learn->wider.len = learn->made_len = 0;
	learn->wider.whole = a->form->whole || b->form->whole;
	learn->wider.refusal = b->form->refusal;
	learn->wider.binary = b->form->binary;
	learn->wider.known = b->form->known;
}

/* Whether both have enough in common outside of the gaps. */
static bool has_skeleton(const struct learn *learn, enum learn_how how,
			 const struct form *a, const struct form *b)
{
	const size_t gaps = learn->align.gaps;
	struct skeleton skeleton = {};
	size_t common = 0, alnum = 0, at = 0;

	for (size_t i = 0; i <= gaps; i++) {
		const size_t to =
			i < gaps ? learn->align.gap[i].a_from : a->len;

		skeleton_add(&skeleton, a, at, to);
		common += to - at;
		for (; at < to; at++)
			alnum += symbol_is_word(a->symbol[at]);
		if (i < gaps)
			at = learn->align.gap[i].a_to;
	}
	if (b->binary && how != LEARN_PAIR)
		return !skeleton_is_chance(
			&skeleton, a->len == b->len ? a->len : a->len * b->len,
			3);
	/* Two may agree by chance: see form_is_faint(). */
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
	return (struct part){ form,	 learn->a_version, gap->a_from,
			      gap->a_to, learn->a_latest,  learn->elapsed };
}

static struct part b_part_of(const struct learn *learn, const struct form *form,
			     const struct gap *gap)
{
	return (struct part){ form,	   learn->b_version,
			      gap->b_from, gap->b_to,
			      NULL,	   0 };
}

#define GROUP_MAX 4

static bool is_group(const struct part *part)
{
	return part->to - part->from <= GROUP_MAX && part->to > part->from;
}

/*
 * BxVK-ClMi: a short word, only a hyphen from what is random, belongs to the
 * same token.
 */
static bool is_beside_token(struct learn *learn, const struct form *a,
			    const struct form *b, size_t at, const uint8_t *raw)
{
	const struct gap *gap = learn->align.gap, *one = &gap[at];
	const struct part a_part = a_part_of(learn, a, one),
			  b_part = b_part_of(learn, b, one);

	if (!is_group(&a_part) || !is_group(&b_part))
		return false;
	for (size_t i = at ? at - 1 : 1; i <= at + 1; i += 2) {
		const size_t left = i < at ? i : at;
		struct part a_other, b_other;

		if (i >= learn->align.gaps ||
		    gap[left + 1].a_from != gap[left].a_to + 1 ||
		    (a->symbol[gap[left].a_to] & SYMBOL_VALUE) != '-')
			continue;
		a_other = a_part_of(learn, a, &gap[i]);
		b_other = b_part_of(learn, b, &gap[i]);
		if (judge_gap(learn, LEARN_PAIR, &a_other, &b_other, raw) ==
		    BECOMES_WILD)
			return true;
	}
	return false;
}

#define LENGTH_MAX 4

/* By how much a number of literal bytes grew, in either order of its bytes. */
static bool grew_by(const struct form *a, const struct form *b,
		    const struct gap *gap, size_t by)
{
	const size_t len = gap->a_to - gap->a_from;
	uint32_t big = 0, little = 0;

	for (size_t i = 0; i < len; i++) {
		const uint16_t was = a->symbol[gap->a_from + i],
			       is = b->symbol[gap->b_from + i];
		const uint32_t grown = (uint32_t)(is & 0xff) - (was & 0xff);

		if (symbol_is_wild(was) || symbol_is_wild(is))
			return false;
		big = (big << 8) + grown;
		little += grown << (8 * i);
	}
	return big == (uint32_t)by || little == (uint32_t)by;
}

/*
 * Whether bytes may be a length. Digits are part of a text, and so is what is
 * in a word. Before a text a length is its first byte.
 */
static bool may_be_length(const struct form *form, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (symbol_is_digit(form->symbol[i]))
			return false;
	}
	if (!form->binary)
		return from == 1 && form->symbol[0] == LENGTH_SYMBOL;
	return !(from && symbol_is_word(form->symbol[from]) &&
		 symbol_is_word(form->symbol[from - 1])) &&
	       !(to < form->len && symbol_is_word(form->symbol[to - 1]) &&
		 symbol_is_word(form->symbol[to]));
}

/*
 * Whether the bytes in a gap count others: they grew by as much as the whole
 * greeting did, or as what differs behind them.
 */
static bool is_length(const struct learn *learn, size_t at,
		      const struct learn_side *form,
		      const struct learn_side *greeting)
{
	const struct form *a = form->form, *b = greeting->form;
	const struct gap *gap = learn->align.gap;
	const size_t len = gap[at].a_to - gap[at].a_from,
		     whole = form->latest_len ?
				     b->at[b->len] - form->latest_len :
				     0;
	size_t behind = 0;

	if (!len || len > LENGTH_MAX ||
	    len != (size_t)(gap[at].b_to - gap[at].b_from) ||
	    !may_be_length(a, gap[at].a_from, gap[at].a_to) ||
	    !may_be_length(b, gap[at].b_from, gap[at].b_to))
		return false;
	if (whole && grew_by(a, b, &gap[at], whole))
		return true;
	for (size_t i = at + 1; i < learn->align.gaps; i++) {
		behind += (size_t)(gap[i].b_to - gap[i].b_from) -
			  (size_t)(gap[i].a_to - gap[i].a_from);
		if (behind && grew_by(a, b, &gap[at], behind))
			return true;
	}
	return false;
}

static bool is_of_decimal(const struct form *a, size_t at, const void *context)
{
	const struct learn *learn = context;

	return learn->a_version[at] == LOOKS_DECIMAL &&
	       (symbol_is_digit(a->symbol[at]) ||
		(a->symbol[at] & SYMBOL_VALUE) == '.');
}

/*
 * Takes all of a number with a fraction into the gap: 100.43 and 100.27 have
 * the 100 in common by chance.
 */
static void take_decimal(struct learn *learn, const struct form *a, size_t i)
{
	const struct gap *gap = &learn->align.gap[i];

	if (gap->a_from < gap->a_to && gap->b_from < gap->b_to &&
	    is_of_decimal(a, gap->a_from, learn) &&
	    learn->b_version[gap->b_from] == LOOKS_DECIMAL)
		align_widen(&learn->align, i, a, is_of_decimal, learn);
}

static bool is_literal_of(const struct part *part, bool (*is)(uint16_t symbol))
{
	for (size_t i = part->from; i < part->to; i++) {
		if (!is(part->form->symbol[i]) &&
		    (part->form->symbol[i] & SYMBOL_VALUE) != '.')
			return false;
	}
	return true;
}

/* Whether a gap is a number, and no part of a word: 15, or 3.5V, but no web1.
 */
static bool stands_alone(const struct part *a, const struct part *b)
{
	if (a->version[a->from] == LOOKS_DECIMAL &&
	    b->version[b->from] == LOOKS_DECIMAL)
		return true;
	return is_literal_of(a, symbol_is_digit) &&
	       is_literal_of(b, symbol_is_digit) &&
	       !(a->from && symbol_is_word(a->form->symbol[a->from - 1])) &&
	       !(a->to < a->form->len &&
		 symbol_is_word(a->form->symbol[a->to]));
}

static void note_made(struct learn *learn, size_t at, enum verdict verdict,
		      const struct part *a, const struct part *b)
{
	if ((verdict == BECOMES_WILD || verdict == DIGITS_BECOME_WILD) &&
	    !part_has_wild(a) && !stands_alone(a, b))
		learn->made[learn->made_len++] = learn->align.gap[at];
}

bool learn_differed(struct learn *learn, const struct form *form,
		    const struct form *before)
{
	size_t at = 0;

	align_forms(&learn->align, form, before);
	for (size_t i = 0; i < learn->made_len; i++) {
		const struct gap *gap = learn->align.gap;

		while (at < learn->align.gaps &&
		       gap[at].a_to <= learn->made[i].a_from)
			at++;
		if (at == learn->align.gaps ||
		    gap[at].a_from >= learn->made[i].a_to)
			return false;
	}
	return true;
}

enum learned learn_form(struct learn *learn, enum learn_how how,
			const struct learn_side *form,
			const struct learn_side *greeting, const uint8_t *raw)
{
	const struct form *a = form->form, *b = greeting->form;
	bool wider = false, differs = false;
	size_t at = 0;

	begin(learn, form, greeting);
	for (size_t i = 0; how == LEARN_THIRD && i < learn->align.gaps; i++)
		take_decimal(learn, a, i);
	for (size_t i = 0; i < learn->align.gaps; i++) {
		const struct gap *gap = &learn->align.gap[i];
		const struct part a_part = a_part_of(learn, a, gap),
				  b_part = b_part_of(learn, b, gap);
		enum verdict verdict =
			judge_gap(learn, how, &a_part, &b_part, raw);

		if (verdict == REFUSED && how == LEARN_PAIR &&
		    part_has_words(&a_part, &b_part) &&
		    is_beside_token(learn, a, b, i, raw))
			verdict = BECOMES_WILD;
		if (verdict == REFUSED && is_length(learn, i, form, greeting))
			verdict = BECOMES_WILD;
		if (verdict == REFUSED)
			return LEARNED_NOT;
		append(&learn->wider, a, at, gap->a_from);
		append_gap(&learn->wider, verdict, &a_part, &b_part);
		note_made(learn, i, verdict, &a_part, &b_part);
		wider |= verdict != AS_IT_WAS;
		differs |= verdict != AS_IT_WAS && verdict != GOES_ON;
		at = gap->a_to;
	}
	append(&learn->wider, a, at, a->len);
	if (differs)
		join_tokens(&learn->wider);
	if (differs && !has_skeleton(learn, how, a, b))
		return LEARNED_NOT;
	/* The end of a cut form is not known yet. */
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
		const bool as_it_was = part_has_wild(&a_part) &&
				       judge_gap(learn, LEARN_GROW, &a_part,
						 &b_part, raw) == AS_IT_WAS;

		append(&learn->wider, b, at, gap->b_from);
		append_gap(&learn->wider, as_it_was ? AS_IT_WAS : REFUSED,
			   &a_part, &b_part);
		at = gap->b_to;
	}
	append(&learn->wider, b, at, b->len);
}
