/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Judges a gap: a place at which two forms of a service differ. */
#ifndef BANNERPROBE_DIFFERENCE_H
#define BANNERPROBE_DIFFERENCE_H

#include "learn.h"

/* The verdict on a gap. */
enum verdict {
	REFUSED,   /* the greeting has another form */
	AS_IT_WAS, /* the form's part matches already */
	BECOMES_WILD,
	BECOMES_TIME,
	BECOMES_STRUCTURE, /* the greeting's wild parts are taken over */
	DIGITS_BECOME_WILD,
	GOES_ON, /* the form was cut here; the greeting is longer */
};

/* One side of a gap. */
struct part {
	const struct form *form;
	const uint8_t *version; /* enum looks_version of each symbol */
	size_t from, to;
	const uint8_t *latest; /* as in struct learn_side */
	uint64_t elapsed;      /* as in struct learn */
};

/* `a` is the form's part, `b` the greeting's; `raw`: the greeting's bytes. */
enum verdict judge_gap(struct learn *learn, enum learn_how how,
		       const struct part *a, const struct part *b,
		       const uint8_t *raw);

bool part_is_binary(const struct part *a, const struct part *b);
bool part_has_wild(const struct part *part);
bool part_has_words(const struct part *a, const struct part *b);
/* The narrowest class that includes all bytes of a part. */
enum byte_class part_class(const struct part *part);

#endif
