/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Learns the wild parts of a service's greeting from the service itself: the
 * parts that differ while the rest agrees, and that are no versions.
 */
#ifndef BANNERPROBE_LEARN_H
#define BANNERPROBE_LEARN_H

#include "align.h"
#include "form.h"

enum learn_how {
	/* A wild part may become longer, or take other bytes. */
	LEARN_GROW,
	/* The same for a form that was seen often: bytes beside a wild part
	 * that were always the same do not belong to it. */
	LEARN_SETTLED,
	/* As LEARN_GROW, and: the form was seen once before. */
	LEARN_PAIR,
	/* As LEARN_GROW, and: each of three connections had another value. */
	LEARN_THIRD,
};

#define LEARN_SETTLED_AT 3 /* connections */

enum learned {
	LEARNED_NOT,   /* another form */
	LEARNED_SAME,  /* the greeting is of this form */
	LEARNED_WIDER, /* it is of the form that learn->wider holds */
};

/* Working memory. */
struct learn {
	struct align align;
	/* How much each symbol looks like a version: enum looks_version. */
	uint8_t a_version[FORM_MAX], b_version[FORM_MAX];
	const uint8_t *a_latest;
	/* Microseconds from the form's latest bytes to the greeting; 0: not
	 * known. */
	uint64_t elapsed;
	struct form a_part, b_part, wider;
	/* The gaps that became wild, but for numbers that stand alone. */
	struct gap made[FORM_MAX + 1];
	size_t made_len;
};

/* A form, and further knowledge about it. */
struct learn_side {
	const struct form *form;
	const char *version; /* the version that was identified; NULL: none */
	/* For a binary form the latest bytes, one for each symbol. NULL: not
	 * known. */
	const uint8_t *latest;
	size_t latest_len; /* of its latest bytes; 0: not known */
	uint64_t time;	   /* of these, in us since 1970; 0: not known */
};

/*
 * Whether a greeting has this form, after learning. `raw`: the greeting's
 * bytes. LEARNED_WIDER: learn->wider is the form with its new wild parts.
 */
enum learned learn_form(struct learn *learn, enum learn_how how,
			const struct learn_side *form,
			const struct learn_side *greeting, const uint8_t *raw);

/*
 * After learn_form() with LEARN_THIRD: whether a form before `form` had another
 * value in each part that became wild.
 */
bool learn_differed(struct learn *learn, const struct form *form,
		    const struct form *before);

/*
 * For a new form of a service that had the form `old`: takes over wild parts of
 * the old form at the same places. The result is in learn->wider.
 */
void learn_inherit(struct learn *learn, const struct learn_side *old,
		   const struct learn_side *greeting, const uint8_t *raw);

#endif
