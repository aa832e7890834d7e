/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Checks that the names on the command line are interfaces or, with -r,
 * captures.
 */
#ifndef BANNERPROBE_NAMES_H
#define BANNERPROBE_NAMES_H

#include "options.h"

/*
 * A usage error for a name that cannot be right: a capture without -r, an
 * interface with -r, a word of another tool's command line. A missing interface
 * is reported later, when it is looked up.
 */
void names_check(const struct options *options);

#endif
