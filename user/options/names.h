/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether the names on the command line are interfaces or captures, as asked
 * for.
 */
#ifndef BANNERPROBE_NAMES_H
#define BANNERPROBE_NAMES_H

#include "options.h"

/*
 * A usage error for a name that cannot be right: a capture without -r, an
 * interface with it, a word of another tool. That an interface does not exist
 * is reported when it is looked up.
 */
void names_check(const struct options *options);

#endif
