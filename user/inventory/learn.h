/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is wild in a service's greeting, learned from the service itself: what
 * differs while the rest agrees, and is no version.
 */
#ifndef BANNERPROBE_LEARN_H
#define BANNERPROBE_LEARN_H

#include "align.h"
#include "form.h"

enum learn_how {
	/* A wild part may become longer, or take other bytes. */
	LEARN_GROW,
	/* The same for a form that was seen so often that bytes beside a wild
	 * part that were always the same are none of it. */
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
	LEARNED_WIDER, /* it is of what the form has become */
};

/* Working memory. */
struct learn {
	struct align align;
	bool a_version[FORM_MAX], b_version[FORM_MAX];
	const uint8_t *a_latest;
	struct form a_part, b_part, wider;
};

/* A form, and what else is known of it. */
struct learn_side {
	const struct form *form;
	const char *version; /* version reported for it; NULL: none */
	/* Of a form of bytes that are no text, what was last said: a byte for
	 * each symbol. NULL: not known. */
	const uint8_t *latest;
};

/*
 * Is a greeting of this form, once what was learned is wild? `raw` are the
 * greeting's bytes. LEARNED_WIDER leaves the form as it has become in
 * learn->wider.
 */
enum learned learn_form(struct learn *learn, enum learn_how how,
			const struct learn_side *form,
			const struct learn_side *greeting, const uint8_t *raw);

/*
 * A new form of a service that had the form `old`: what was wild there is wild
 * here, too, where it is at the same place. Leaves it in learn->wider.
 */
void learn_inherit(struct learn *learn, const struct learn_side *old,
		   const struct learn_side *greeting, const uint8_t *raw);

#endif
