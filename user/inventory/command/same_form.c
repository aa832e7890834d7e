/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "same_form.h"

#include "inventory/learn.h"
#include "inventory/match.h"
#include "inventory/skeleton.h"
#include "inventory/structure.h"

#include <string.h>

enum column {
	STABLE,
	PRODUCT,
	VERSION_TEXT,
	LATEST_RAW,
	COUNT,
	WHOLE,
	REFUSAL,
	PORT,
	LAST_SEEN,
};

/* One file's form, and the form of its latest bytes by structure alone. */
struct known {
	struct form form, greeting;
	const uint8_t *raw;
	const char *product, *version; /* NULL: not known */
	size_t len;
	int64_t count;
};

static bool has_learned(const struct form *form)
{
	for (size_t i = 0; i < form->len; i++) {
		if (symbol_is_wild(form->symbol[i]) &&
		    wild_is_learned(symbol_wild(form->symbol[i])))
			return true;
	}
	return false;
}

static size_t line_end(const struct form *form, size_t at)
{
	while (at < form->len && (form->symbol[at] & SYMBOL_VALUE) != '\n')
		at++;
	return at + 1;
}

/* Marks what is never wild at the beginning of each line, as in `from`. */
static void copy_fixed(struct form *to, const struct form *from)
{
	for (size_t i = 0, j = 0; i < to->len && j < from->len;
	     i = line_end(to, i), j = line_end(from, j)) {
		for (size_t n = 0;
		     i + n < to->len && j + n < from->len &&
		     from->symbol[j + n] == (to->symbol[i + n] | SYMBOL_FIXED);
		     n++)
			to->symbol[i + n] |= SYMBOL_FIXED;
	}
}

static bool read_known(struct known *known, sqlite3_stmt *row, int at)
{
	const char *stable =
		(const char *)sqlite3_column_text(row, at + STABLE);
	struct observation seen = {
		.time = (uint64_t)sqlite3_column_int64(row, at + LAST_SEEN),
		.server_port = (uint16_t)sqlite3_column_int(row, at + PORT),
		.bytes = sqlite3_column_blob(row, at + LATEST_RAW),
		.len = (size_t)sqlite3_column_bytes(row, at + LATEST_RAW),
		.complete = sqlite3_column_int(row, at + WHOLE),
	};

	if (!stable || !seen.bytes ||
	    !form_from_text(&known->form, stable, strlen(stable)))
		return false;
	structure_form(&known->greeting, &seen);
	known->form.whole = known->greeting.whole = seen.complete;
	known->form.refusal = sqlite3_column_int(row, at + REFUSAL);
	known->form.binary = known->greeting.binary;
	/* The file does not say which address the client had; its form does. */
	if (!has_learned(&known->form)) {
		copy_fixed(&known->form, &known->greeting);
		known->greeting = known->form;
	}
	known->raw = seen.bytes;
	known->len = seen.len;
	known->product = (const char *)sqlite3_column_text(row, at + PRODUCT);
	known->version =
		(const char *)sqlite3_column_text(row, at + VERSION_TEXT);
	known->count = sqlite3_column_int64(row, at + COUNT);
	return true;
}

static bool differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b);
}

static bool fits(const struct form *form, const struct form *greeting)
{
	if (greeting->whole)
		return form->whole && form_matches(form, greeting);
	return form_begins(form, greeting);
}

/*
 * Beside bytes that were learned to be wild others may be a version, so that
 * only a number that counts on is the same.
 */
static enum learn_how how_for(const struct known *a, const struct known *b)
{
	return a->count == 1 && b->count == 1 ? LEARN_PAIR : LEARN_SETTLED;
}

/*
 * As with the next connection of a service. Two greetings that agree in a byte
 * by chance are not the same.
 */
static bool would_be_learned(const struct known *was, const struct known *is)
{
	static struct learn learn;
	const struct learn_side form = {
		.form = &was->form,
		.version = was->version,
		.latest = was->len == was->form.len ? was->raw : NULL,
		.latest_len = was->len,
	};
	const struct learn_side greeting = {
		.form = &is->greeting,
		.version = is->version,
	};

	switch (learn_form(&learn, how_for(was, is), &form, &greeting,
			   is->raw)) {
	case LEARNED_NOT:
		return false;
	case LEARNED_SAME:
		return true;
	case LEARNED_WIDER:
		break;
	}
	return !form_is_faint(&learn.wider);
}

bool same_form(sqlite3_stmt *was, sqlite3_stmt *is, int at)
{
	static struct known a, b;

	if (!read_known(&a, was, at) || !read_known(&b, is, at) ||
	    a.form.refusal != b.form.refusal ||
	    a.greeting.binary != b.greeting.binary ||
	    differ(a.product, b.product) || differ(a.version, b.version))
		return false;
	return fits(&a.form, &b.greeting) || fits(&b.form, &a.greeting) ||
	       would_be_learned(&a, &b) || would_be_learned(&b, &a);
}
