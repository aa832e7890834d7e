/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Judges a gap of binary bytes: a random one, or a number that counts on. */
#include "difference_bytes.h"

#include "looks.h"

static bool is_alnum(uint16_t symbol)
{
	return symbol_is_digit(symbol) || symbol_is_letter(symbol);
}

/* Whether letters or digits just before a gap belong to the same token. */
static bool is_inside_word(const struct part *a)
{
	return (a->from && is_alnum(a->form->symbol[a->from]) &&
		is_alnum(a->form->symbol[a->from - 1])) ||
	       (a->to < a->form->len && is_alnum(a->form->symbol[a->to - 1]) &&
		is_alnum(a->form->symbol[a->to]));
}

#define CARRY_NEAR 32

/*
 * A carry: a byte grows by one while its neighbour wraps to 0; or the reverse.
 */
static bool carries(uint8_t was, uint8_t is, uint8_t beside)
{
	return ((uint8_t)(was + 1) == is && beside < CARRY_NEAR) ||
	       ((uint8_t)(was - 1) == is && beside >= 256 - CARRY_NEAR);
}

/* Whether a byte went from near one end of its range to near the other. */
static bool wraps(uint8_t was, uint8_t is)
{
	return (was >= 256 - CARRY_NEAR && is < CARRY_NEAR) ||
	       (was < CARRY_NEAR && is >= 256 - CARRY_NEAR);
}

/*
 * Whether a number of several bytes counts on: its lowest byte was wild, and
 * now the next byte has changed by a carry. Either byte order.
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
			return !a->latest ||
			       wraps(a->latest[a->from + beside],
				     (uint8_t)
					     b->form->symbol[b->from + beside]);
	}
	return false;
}

static bool has_bytes(const struct part *part)
{
	for (size_t i = part->from; i < part->to; i++) {
		if (!symbol_is_wild(part->form->symbol[i]))
			return true;
	}
	return false;
}

/* The verdict on a part that had a fixed number of bytes until now. */
static enum verdict lengthens(const struct part *a)
{
	for (size_t i = a->from; i < a->to; i++) {
		if (a->form->symbol[i] == SYMBOL_WILD + WILD_BYTE)
			return REFUSED;
	}
	return BECOMES_WILD;
}

/*
 * The verdict on binary bytes. Random bytes are not equal by chance three
 * times, so after that only a number that counts on becomes longer.
 */
enum verdict judge_bytes(enum learn_how how, const struct part *a,
			 const struct part *b)
{
	const size_t len = a->to - a->from;

	if (is_inside_word(a))
		return REFUSED;
	if (how != LEARN_SETTLED)
		return BECOMES_WILD;
	if (b->to - b->from != len)
		return has_bytes(a) ? REFUSED : lengthens(a);
	for (size_t i = 0; i < len; i++) {
		if (!symbol_is_wild(a->form->symbol[a->from + i]) &&
		    (a->form->symbol[a->from + i] & SYMBOL_VALUE) !=
			    (b->form->symbol[b->from + i] & SYMBOL_VALUE) &&
		    !counts_on(a, b, i, 1) && !counts_on(a, b, i, -1))
			return REFUSED;
	}
	return BECOMES_WILD;
}
