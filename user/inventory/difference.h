/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What becomes of a place at which two forms of a service differ. */
#ifndef BANNERPROBE_DIFFERENCE_H
#define BANNERPROBE_DIFFERENCE_H

#include "learn.h"

/* What becomes of a gap. */
enum verdict {
	REFUSED,   /* it is another form */
	AS_IT_WAS, /* what stands in the form fits */
	BECOMES_WILD,
	BECOMES_TIME,
	BECOMES_STRUCTURE, /* what is wild in the greeting is wild */
	DIGITS_BECOME_WILD,
	GOES_ON, /* the form was cut here; the greeting is longer */
};

/* One side of a gap. */
struct part {
	const struct form *form;
	const bool *version;
	size_t from, to;
	const uint8_t *latest; /* as in struct learn_side */
};

/* `raw`: the bytes of the greeting, which is b. */
enum verdict judge_gap(struct learn *learn, enum learn_how how,
		       const struct part *a, const struct part *b,
		       const uint8_t *raw);

bool part_is_binary(const struct part *a, const struct part *b);
bool part_has_wild(const struct part *part);
/* The least class that takes all of it. */
enum byte_class part_class(const struct part *part);

#endif
