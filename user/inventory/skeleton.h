/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Judges what is equal in two binary greetings: a form's skeleton, or chance.
 */
#ifndef BANNERPROBE_SKELETON_H
#define BANNERPROBE_SKELETON_H

#include "form.h"

/* Runs of equal bytes. */
struct skeleton {
	size_t edge;  /* bytes at the beginning and at the end */
	size_t inner; /* bytes of the runs between these */
	size_t runs;  /* number of the runs between these */
};

/* Adds a run of a form's symbols that a greeting has, too. */
void skeleton_add(struct skeleton *skeleton, const struct form *form,
		  size_t from, size_t to);

/*
 * Whether as much would be equal in random bytes. `places`: at how many places
 * a run could be. `greetings`: how many have the runs.
 */
bool skeleton_is_chance(const struct skeleton *skeleton, size_t places,
			int greetings);

/*
 * Whether a form is nearly all wild bytes, and so fits random bytes now and
 * then.
 */
bool form_is_faint(const struct form *form);

#endif
