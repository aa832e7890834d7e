/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whether the names on the command line are of the kind that is asked for. */
#ifndef BANNERPROBE_NAMES_H
#define BANNERPROBE_NAMES_H

#include "options.h"

/*
 * A usage error where a name cannot be meant: a capture without -r, an
 * interface with it, a word of another tool. An interface that is not there is
 * none: that is told when it is looked for.
 */
void names_check(const struct options *options);

#endif
