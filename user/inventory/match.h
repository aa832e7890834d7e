/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Is a greeting one of a form that is known? */
#ifndef BANNERPROBE_MATCH_H
#define BANNERPROBE_MATCH_H

#include "form.h"

/*
 * Exact in what it says yes to; where two wild parts stand so that more than
 * one way of filling them has to be tried it may say no.
 */
bool form_matches(const struct form *form, const struct form *greeting);

/* Is the greeting the beginning of what the form says, wild parts filled? */
bool form_begins(const struct form *form, const struct form *greeting);

/* May this symbol of a greeting stand for a wild part? */
bool wild_takes(enum wild wild, uint16_t symbol);

#endif
