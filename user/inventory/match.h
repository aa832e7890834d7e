/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Matches greetings with known forms. */
#ifndef BANNERPROBE_MATCH_H
#define BANNERPROBE_MATCH_H

#include "form.h"

/*
 * Whether a greeting has a form. True is exact. It may be false where two wild
 * parts would need more than one way of filling them to be tried.
 */
bool form_matches(const struct form *form, const struct form *greeting);

/* Whether the greeting is the beginning of one that matches the form. */
bool form_begins(const struct form *form, const struct form *greeting);

/* Whether a wild part can take this symbol of a greeting. */
bool wild_takes(enum wild wild, uint16_t symbol);

#endif
