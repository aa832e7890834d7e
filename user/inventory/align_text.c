/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Widens the gaps of binary forms to the numbers and dates that they are in. */
#include "align_text.h"

#include "looks.h"

static bool are_digits(const struct form *form, size_t from, size_t to)
{
	for (; from < to; from++) {
		if (!symbol_is_digit(form->symbol[from]) &&
		    (form->symbol[from] & SYMBOL_VALUE) !=
			    SYMBOL_WILD + WILD_NUMBER)
			return false;
	}
	return true;
}

static bool is_digit(const struct form *a, size_t at, const void *context)
{
	(void)context;
	return symbol_is_digit(a->symbol[at]);
}

/*
 * Where digits differ, all digits of the number are in the gap: 3:95 and 3:100.
 */
static void take_whole_numbers(struct align *align, const struct form *a,
			       const struct form *b)
{
	for (size_t i = 0; i < align->gaps; i++) {
		const struct gap *gap = &align->gap[i];

		if (are_digits(a, gap->a_from, gap->a_to) &&
		    are_digits(b, gap->b_from, gap->b_to))
			align_widen(align, i, a, is_digit, NULL);
	}
}

static bool is_hex_digit(const struct form *a, size_t at, const void *context)
{
	(void)context;
	return !symbol_is_wild(a->symbol[at]) &&
	       byte_in_class((uint8_t)a->symbol[at], CLASS_HEX);
}

/* Whether only hexadecimal digits are between 0x and `at`. */
static bool is_behind_0x(const struct form *form, size_t at)
{
	while (at && is_hex_digit(form, at - 1, NULL))
		at--;
	return at > 1 && (form->symbol[at - 1] & SYMBOL_VALUE) == 'x' &&
	       (form->symbol[at - 2] & SYMBOL_VALUE) == '0';
}

/* Likewise 0x1f and 0x20. */
static void take_whole_hexadecimals(struct align *align, const struct form *a,
				    const struct form *b)
{
	for (size_t i = 0; i < align->gaps; i++) {
		const struct gap *gap = &align->gap[i];

		if (is_behind_0x(a, gap->a_from) &&
		    is_behind_0x(b, gap->b_from))
			align_widen(align, i, a, is_hex_digit, NULL);
	}
}

#define DATE_MAX 40

static bool is_inside_word(const struct form *form, size_t at)
{
	return at && (symbol_is_digit(form->symbol[at - 1]) ||
		      symbol_is_letter(form->symbol[at - 1]));
}

/*
 * Whether a date has the gap in it in both forms, and how many symbols before
 * the gap it begins: the longest one counts.
 */
static bool date_before(const struct form *a, const struct form *b,
			const struct gap *gap, size_t most, size_t *before)
{
	bool found = false;

	for (size_t n = 0; n <= most && n <= DATE_MAX; n++) {
		const size_t at = gap->a_from - n, bt = gap->b_from - n;

		if (at == a->len || bt == b->len ||
		    symbol_is_wild(a->symbol[at]))
			break;
		if (is_inside_word(a, at) ||
		    looks_date_end(a, at) <= gap->a_from ||
		    looks_date_end(b, bt) <= gap->b_from)
			continue;
		*before = n;
		found = true;
	}
	return found;
}

/* Joins the gaps that lie in a date to one. Returns how many these are. */
static size_t take_date(struct align *align, const struct form *a,
			const struct form *b, size_t i)
{
	struct gap *gap = &align->gap[i];
	const size_t least = i ? gap[-1].a_to : 0;
	size_t last = i, n, a_end, b_end;

	if (!date_before(a, b, gap, gap->a_from - least, &n))
		return 1;
	a_end = looks_date_end(a, gap->a_from - n);
	b_end = looks_date_end(b, gap->b_from - n);
	while (last + 1 < align->gaps && align->gap[last + 1].a_from < a_end)
		last++;
	/* What is equal behind the last gap ends at the same place. */
	if (a_end < align->gap[last].a_to ||
	    a_end - align->gap[last].a_to != b_end - align->gap[last].b_to)
		return 1;
	*gap = (struct gap){ (uint16_t)(gap->a_from - n), (uint16_t)a_end,
			     (uint16_t)(gap->b_from - n), (uint16_t)b_end };
	return last + 1 - i;
}

static void take_whole_dates(struct align *align, const struct form *a,
			     const struct form *b)
{
	size_t gaps = 0, taken;

	for (size_t i = 0; i < align->gaps; i += taken) {
		taken = take_date(align, a, b, i);
		align->gap[gaps++] = align->gap[i];
	}
	align->gaps = gaps;
}

void align_text(struct align *align, const struct form *a, const struct form *b)
{
	take_whole_dates(align, a, b);
	take_whole_numbers(align, a, b);
	take_whole_hexadecimals(align, a, b);
}
