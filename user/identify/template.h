/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is made of a match: "$1" is its first group, $P(1) that without what is
 * unprintable, $SUBST(1,"_",".") that with one text put in place of another,
 * $I(1,">") that as a number.
 */
#ifndef BANNERPROBE_IDENTIFY_TEMPLATE_H
#define BANNERPROBE_IDENTIFY_TEMPLATE_H

#include "pattern.h"

#define TEMPLATE_MAX 256

/*
 * Expands a template into at most `size` bytes with their NUL, nmap's way to
 * count. `for_cpe`: what is put in is escaped as a CPE's component. False: a
 * group is not set, or it is too long; there is no such field then.
 */
bool template_expand(const char *template, const struct match *match,
		     bool for_cpe, char *out, size_t size);

#endif
