/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * PCRE2 and expat, which user/identify/ calls. The program is not linked with
 * them: loaded.c has functions of their names, and loads the libraries when
 * that is asked for. The static program has linked.c and the libraries.
 */
#ifndef BANNERPROBE_LIBRARIES_H
#define BANNERPROBE_LIBRARIES_H

#include <stdbool.h>

/*
 * To be called before any of their functions, and before the process is
 * confined. False, with a message: there is no such library. Expat is for
 * Recog's rules alone.
 */
bool libraries_load(bool with_expat);

#endif
