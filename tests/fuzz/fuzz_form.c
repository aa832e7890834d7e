/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the stable form: an input is two greetings of one service, divided by
 * four bytes, or in its middle. For any bytes, a form is read back from its
 * text, a greeting matches its own form, and what is learned from both stays
 * within bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "inventory/learn.h"
#include "inventory/match.h"
#include "inventory/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t divider[4] = { 0xff, 0xfe, 0xfd, 0xfc };

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(const struct form *form)
{
	static char text[FORM_TEXT_MAX], again[FORM_TEXT_MAX];
	static struct form read;
	size_t len = form_to_text(form, text);

	require(len < FORM_TEXT_MAX && strlen(text) == len);
	for (size_t i = 0; i < len; i++)
		require(text[i] >= 0x20 && text[i] <= 0x7e);
	require(form_from_text(&read, text, len));
	require(form_equals(form, &read));
	require(form_hash(form) == form_hash(&read));
	require(form_to_text(&read, again) == len && !strcmp(text, again));
}

/* Without the values that tests of a program's own choosing would have: the
 * first byte says what the packet was. */
static void make_form(struct form *form, const uint8_t *bytes, size_t len,
		      uint8_t how)
{
	struct observation seen = {
		.time = 1790000000000000ULL,
		.server_port = how & 1 ? 21 :
			       how & 2 ? 37 :
					 8000,
		.client_port = 40000,
		.client = { how & 4 ? 6 : 4, { 192, 0, 2, 1 } },
		.bytes = guarded_copy(0, bytes, len),
		.len = len,
		.complete = how & 8,
	};

	structure_form(form, &seen);
	check_text(form);
	require(form->at[form->len] <= FORM_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct learn learn;
	static struct form a, b;
	const uint8_t *middle;
	const struct learn_side one = { .form = &a, .version = "1.2" },
				other = { .form = &b };
	size_t first;

	if (size < 6)
		return 0;
	middle = memmem(data + 1, size - 1, divider, sizeof(divider));
	if (!middle)
		middle = data + 1 + (size - 5) / 2;
	first = (size_t)(middle - data) - 1;
	make_form(&a, data + 1, first, data[0]);
	make_form(&b, middle + 4, size - first - 5, data[0]);
	for (int how = LEARN_GROW; how <= LEARN_THIRD; how++) {
		if (learn_form(&learn, (enum learn_how)how, &one, &other,
			       middle + 4) == LEARNED_WIDER)
			check_text(&learn.wider);
	}
	learn_inherit(&learn, &one, &other, middle + 4);
	check_text(&learn.wider);
	form_matches(&a, &b);
	form_begins(&b, &a);
	return 0;
}
