/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "match.h"

#include "looks.h"

bool wild_takes(enum wild wild, uint16_t symbol)
{
	/* A learned wild part may include one that structure found.
	 */
	if (symbol_is_wild(symbol))
		return symbol_wild(symbol) == wild || wild_is_learned(wild) ||
		       /* a number that could be a time, now and then */
		       symbol_wild(symbol) == WILD_TIME;
	if (symbol & SYMBOL_FIXED)
		return wild_class(wild) == CLASS_ANY;
	return byte_in_class((uint8_t)symbol, wild_class(wild));
}

static bool same(uint16_t a, uint16_t b)
{
	return !((a ^ b) & SYMBOL_VALUE);
}

/*
 * The usual matching of wildcards: if the rest does not match, the last
 * wildcard takes one more symbol.
 */
struct walk {
	const struct form *form, *greeting;
	size_t f, g;	   /* positions in form and greeting */
	bool wild;	   /* a wildcard was met */
	size_t wild_f;	   /* position of the last wildcard */
	size_t begin, end; /* the greeting's symbols that it has taken */
};

/* Takes a date by a wrong clock, which structure does not make wild. */
static bool take_date(struct walk *w)
{
	const size_t end = looks_date_end(w->greeting, w->g);

	if (end == w->g)
		return false;
	w->g = end;
	w->f++;
	return true;
}

static bool step(struct walk *w)
{
	const uint16_t found = w->greeting->symbol[w->g];
	uint16_t wanted;

	if (w->f == w->form->len)
		return false;
	wanted = w->form->symbol[w->f];
	if (wanted == SYMBOL_WILD + WILD_TIME && !symbol_is_wild(found) &&
	    !symbol_is_digit(found))
		return take_date(w);
	if (wanted == SYMBOL_WILD + WILD_TIME && symbol_is_digit(found) &&
	    take_date(w))
		return true;
	if (wanted == SYMBOL_WILD + WILD_BYTE ? !symbol_is_wild(found) :
						same(wanted, found)) {
		if (symbol_is_wild(wanted) && wanted == found) {
			w->wild = true;
			w->wild_f = w->f;
			w->begin = w->g;
			w->end = w->g + 1;
		}
		w->f++;
		w->g++;
		return true;
	}
	if (!symbol_is_wild(wanted) || wanted == SYMBOL_WILD + WILD_BYTE ||
	    !wild_takes(symbol_wild(wanted), found))
		return false;
	w->wild = true;
	w->wild_f = w->f++;
	w->begin = w->g++;
	w->end = w->g;
	return true;
}

/* The symbols that a wild part of a text takes must not contain a version. */
static bool hides_version(const struct walk *w)
{
	const uint16_t *last = w->greeting->symbol + w->end;

	return w->end - w->begin >= 3 && last[-2] == '.' &&
	       symbol_is_digit(last[-1]) && symbol_is_digit(last[-3]) &&
	       wild_class(symbol_wild(w->form->symbol[w->wild_f])) < CLASS_ANY;
}

static bool take_more(struct walk *w)
{
	if (!w->wild || w->end == w->greeting->len ||
	    (w->form->symbol[w->wild_f] == SYMBOL_WILD + WILD_TIME &&
	     !symbol_is_digit(w->greeting->symbol[w->end])) ||
	    !wild_takes(symbol_wild(w->form->symbol[w->wild_f]),
			w->greeting->symbol[w->end]))
		return false;
	w->end++;
	w->g = w->end;
	w->f = w->wild_f + 1;
	return !hides_version(w);
}

/* Takes the greeting to its end; the form may go on. */
static bool walk(struct walk *w)
{
	while (w->g < w->greeting->len) {
		if (!step(w) && !take_more(w))
			return false;
	}
	return true;
}

bool form_begins(const struct form *form, const struct form *greeting)
{
	struct walk w = { .form = form, .greeting = greeting };

	if (!walk(&w))
		return false;
	/* What takes anything has taken what the form has behind it. */
	return w.f == form->len || !w.wild || w.f > w.wild_f + 1 ||
	       wild_class(symbol_wild(form->symbol[w.wild_f])) < CLASS_TEXT;
}

bool form_matches(const struct form *form, const struct form *greeting)
{
	struct walk w = { .form = form, .greeting = greeting };

	/* At its end the form must be, too. */
	while (walk(&w)) {
		if (w.f == form->len)
			return true;
		if (!take_more(&w))
			return false;
	}
	return false;
}
