/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Templates of fields: "$1" is the first group of a match, $P(1) the group
 * without unprintable bytes, $SUBST(1,"_",".") the group with "_" replaced by
 * ".", and $I(1,">") the group as a big-endian number.
 */
#ifndef BANNERPROBE_IDENTIFY_TEMPLATE_H
#define BANNERPROBE_IDENTIFY_TEMPLATE_H

#include "pattern.h"

#define TEMPLATE_MAX 256

/*
 * Expands a template into at most `size` bytes with the NUL, counted as nmap
 * does. `for_cpe`: values are escaped as components of a CPE. False: the field
 * is left out, because a group is not set or the field is too long.
 */
bool template_expand(const char *template, const struct match *match,
		     bool for_cpe, char *out, size_t size);

#endif
