/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loads PCRE2 and expat, which user/identify/ calls, with dlopen(): only
 * --identify and the inventory need them. loaded.c has functions of their names
 * that call the loaded libraries. The static program links linked.c and the
 * libraries instead.
 */
#ifndef BANNERPROBE_LIBRARIES_H
#define BANNERPROBE_LIBRARIES_H

#include <stdbool.h>

/*
 * To be called before any function of the libraries, and before the process is
 * confined. `with_expat`: load expat too, which only Recog's rules need. False,
 * with a message: a library is missing.
 */
bool libraries_load(bool with_expat);

#endif
