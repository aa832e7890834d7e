/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * FIX, the protocol of stock exchanges: fields TAG=VALUE, each with a SOH
 * behind it. Length, number, times and checksum differ in each message, and so
 * do the names of its receiver.
 */
#include "structure.h"

#define SOH 1

static const struct {
	unsigned int tag;
	enum wild wild;
} wilds[] = {
	{ 9, WILD_LENGTH },    { 10, WILD_ID },	    { 34, WILD_COUNTER },
	{ 52, WILD_TIME },     { 56, WILD_CLIENT }, { 57, WILD_CLIENT },
	{ 60, WILD_TIME },     { 112, WILD_ID },    { 122, WILD_TIME },
	{ 789, WILD_COUNTER },
};

/* Reads the tag of the field at `at`. Where its value begins; 0: no field. */
static size_t read_tag(const struct greeting *g, size_t at, unsigned int *tag)
{
	const size_t end = greeting_digits_end(g, at);

	*tag = 0;
	for (size_t i = at; i < end && i < at + 5; i++)
		*tag = *tag * 10 + (unsigned int)(g->bytes[i] - '0');
	return end > at && end < g->len && g->bytes[end] == '=' ? end + 1 : 0;
}

static void add_field(struct form *form, const struct greeting *g, size_t at,
		      size_t end)
{
	unsigned int tag;
	const size_t value = read_tag(g, at, &tag);

	for (size_t i = 0;
	     value && value < end && i < sizeof(wilds) / sizeof(*wilds); i++) {
		if (wilds[i].tag != tag)
			continue;
		form_add_bytes(form, g->bytes, at, value, 0);
		form_add_wild(form, wilds[i].wild, value);
		return;
	}
	structure_add_text(form, g, at, end, 0);
}

bool structure_fix(struct form *form, const struct greeting *g)
{
	static const char begin[] = "8=FIX";
	const uint8_t *soh;
	size_t at = 0;

	if (g->len < sizeof(begin) || memcmp(g->bytes, begin, strlen(begin)) ||
	    !memchr(g->bytes, SOH, g->len))
		return false;
	while ((soh = memchr(g->bytes + at, SOH, g->len - at))) {
		const size_t end = (size_t)(soh - g->bytes);

		add_field(form, g, at, end);
		form_add_bytes(form, g->bytes, end, end + 1, 0);
		at = end + 1;
	}
	add_field(form, g, at, g->len);
	return true;
}
