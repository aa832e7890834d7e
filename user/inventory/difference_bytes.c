/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Judges a gap of binary bytes: a random one, or a number that counts on. */
#include "difference_bytes.h"

#include "looks.h"

/* Whether letters or digits just before a gap belong to the same token. */
static bool is_inside_word(const struct part *a)
{
	return (a->from && symbol_is_word(a->form->symbol[a->from]) &&
		symbol_is_word(a->form->symbol[a->from - 1])) ||
	       (a->to < a->form->len &&
		symbol_is_word(a->form->symbol[a->to - 1]) &&
		symbol_is_word(a->form->symbol[a->to]));
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

/*
 * Numbers that follow the clock: how many units a second has, by how many the
 * packet may be late, and how many bytes the number has at least.
 */
static const struct {
	uint64_t units, margin;
	size_t least;
} clocks[] = {
	{ 1, 2, 4 },
	{ 1000, 200, 4 },
	{ 1000000, 200000, 8 },
	{ 10000000, 2000000, 8 },
};

/* The number of `size` bytes, from the lowest one on in steps of 1 or -1. */
static uint64_t number_of(const uint8_t *lowest, size_t size, int step)
{
	uint64_t number = 0;

	for (size_t i = size; i-- > 0;)
		number = number << 8 | lowest[(ptrdiff_t)i * step];
	return number;
}

#define DRIFT 1000 /* a second in so many */

/* Whether a number has grown by the time that has passed. */
static bool follows_clock(uint64_t was, uint64_t is, uint64_t elapsed,
			  size_t size)
{
	const uint64_t mask = size < 8 ? (1ULL << 8 * size) - 1 : ~0ULL,
		       grown = (is - was) & mask;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		const uint64_t expected =
				       elapsed / 1000 * clocks[i].units / 1000,
			       margin = clocks[i].margin + expected / DRIFT;

		if (size >= clocks[i].least && expected <= mask &&
		    grown <= expected + margin && grown + margin >= expected)
			return true;
	}
	return false;
}

#define CLOCK_LEAST 4
#define CLOCK_MOST 8

/*
 * Whether the byte at `i` belongs to a number of four or eight bytes that has
 * grown by the time that has passed: a time of day.
 */
static bool is_of_clock(const struct part *a, const struct part *b, size_t i)
{
	const size_t at = a->from + i, bt = b->from + i;

	if (!a->latest || !a->elapsed)
		return false;
	for (size_t size = CLOCK_LEAST; size <= CLOCK_MOST; size *= 2) {
		for (size_t before = 0; before < size; before++) {
			const size_t rest = size - before;
			uint8_t was[CLOCK_MOST], is[CLOCK_MOST];

			if (before > at || before > bt ||
			    at + rest > a->form->len ||
			    bt + rest > b->form->len)
				continue;
			for (size_t n = 0; n < size; n++) {
				was[n] = a->latest[at - before + n];
				is[n] = (uint8_t)b->form
						->symbol[bt - before + n];
			}
			if (follows_clock(number_of(was, size, 1),
					  number_of(is, size, 1), a->elapsed,
					  size) ||
			    follows_clock(number_of(was + size - 1, size, -1),
					  number_of(is + size - 1, size, -1),
					  a->elapsed, size))
				return true;
		}
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
		    !counts_on(a, b, i, 1) && !counts_on(a, b, i, -1) &&
		    !is_of_clock(a, b, i))
			return REFUSED;
	}
	return BECOMES_WILD;
}
