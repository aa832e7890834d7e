/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "skeleton.h"

/*
 * Of so many random greetings one may pass for a third of a form, and of so
 * many pairs one for two of a form: eight in a row are 28 pairs.
 */
#define THIRDS 256
#define PAIRS 4096

/* A part that structure found counts for as many equal bytes. */
#define STRUCTURE_BYTES 2

void skeleton_add(struct skeleton *skeleton, const struct form *form,
		  size_t from, size_t to)
{
	size_t bytes = to - from;

	if (from == to)
		return;
	for (size_t i = from; i < to; i++) {
		if (symbol_is_wild(form->symbol[i]))
			bytes += STRUCTURE_BYTES - 1;
	}
	if (!from || to == form->len) {
		skeleton->edge += bytes;
	} else {
		skeleton->inner += bytes;
		skeleton->runs++;
	}
}

/*
 * The edges are where a protocol has its fixed bytes, so there is one way of
 * placing them. The other runs may be anywhere.
 */
bool skeleton_is_chance(const struct skeleton *skeleton, size_t places,
			int greetings)
{
	const size_t bytes = skeleton->edge + skeleton->inner;
	double chance = greetings > 2 ? THIRDS : PAIRS;

	for (size_t i = 0; i < skeleton->runs; i++)
		chance *= (double)(places - i) / (double)(i + 1);
	for (size_t i = 0; i < bytes && chance >= 1; i++) {
		for (int n = 1; n < greetings; n++)
			chance /= 256;
	}
	return chance >= 1;
}

static bool is_any_byte(uint16_t symbol)
{
	return symbol_is_wild(symbol) && (symbol_wild(symbol) == WILD_BYTE ||
					  symbol_wild(symbol) == WILD_BYTES);
}

bool form_is_faint(const struct form *form)
{
	struct skeleton skeleton = {};
	size_t from = 0;
	bool any = false;

	for (size_t i = 0; i < form->len; i++) {
		if (!is_any_byte(form->symbol[i]))
			continue;
		skeleton_add(&skeleton, form, from, i);
		from = i + 1;
		any = true;
	}
	skeleton_add(&skeleton, form, from, form->len);
	return any && skeleton_is_chance(&skeleton, form->len, 2);
}
