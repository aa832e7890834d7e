/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "difference_numbers.h"

#include "looks.h"

size_t runs_that_differ(const struct part *a, const struct part *b)
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
			return 0;
		} else {
			i++;
			j++;
		}
	}
	return i == a->to && j == b->to ? runs : 0;
}

bool digits_alone_differ(const struct part *a, const struct part *b)
{
	const size_t runs = runs_that_differ(a, b);

	return runs && runs <= 2 &&
	       !(looks_like_hex(a->form, a->from, a->to) && runs > 1);
}

bool is_negative(const struct part *a, const struct part *b)
{
	const struct form *form = b->form;
	size_t at = b->from;

	if (a->to != a->from + 1 ||
	    a->form->symbol[a->from] != SYMBOL_WILD + WILD_NUMBER ||
	    (form->symbol[at] & SYMBOL_VALUE) != '-' ||
	    (at && symbol_is_word(form->symbol[at - 1])))
		return false;
	while (++at < b->to) {
		if (!symbol_is_digit(form->symbol[at]))
			return false;
	}
	return at > b->from + 1;
}

static uint16_t symbol_at(const struct form *form, size_t at)
{
	return at < form->len ? form->symbol[at] & SYMBOL_VALUE : 0;
}

static bool has_digits_only(const struct part *part)
{
	for (size_t i = part->from; i < part->to; i++) {
		if (!symbol_is_digit(part->form->symbol[i]))
			return false;
	}
	return part->to > part->from;
}

/*
 * Whether `point` joins the numbers on both sides of it, without a further one
 * that it joins to these: 1,2,3 is a list, and 1.2.3 a version.
 */
static bool is_point(const struct form *form, size_t from, size_t point,
		     size_t end)
{
	const uint16_t mark = symbol_at(form, point);

	return (mark == '.' || mark == ',') &&
	       (!from || symbol_at(form, from - 1) != mark) &&
	       symbol_at(form, end) != mark;
}

#define CENTS 2 /* digits */

/*
 * Whether a fraction begins at `at`. Behind a comma it is short, or has a unit:
 * the process id of "Foo 2,51734" has no unit.
 */
static bool is_fraction(const struct form *form, size_t at)
{
	size_t end = at;

	while (end < form->len && symbol_is_digit(form->symbol[end]))
		end++;
	return end > at && (symbol_at(form, at - 1) == '.' ||
			    end - at <= CENTS || looks_unit_follows(form, end));
}

bool is_part_of_decimal(const struct part *a, const struct part *b)
{
	const struct form *form = a->form;
	const uint16_t number = SYMBOL_WILD + WILD_NUMBER;

	if (!has_digits_only(a) || !has_digits_only(b))
		return false;
	if (symbol_at(form, a->to + 1) == number)
		return is_point(form, a->from, a->to, a->to + 2) &&
		       is_fraction(b->form, b->to + 1);
	return a->from > 1 && symbol_at(form, a->from - 2) == number &&
	       is_point(form, a->from - 2, a->from - 1, a->to) &&
	       is_fraction(b->form, b->from);
}
