/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * expat, as it was before 2.8: that version calls XML_GetCurrentLineNumber()
 * deprecated, and what replaces it is in no version before.
 */
#ifndef BANNERPROBE_EXPAT_API_H
#define BANNERPROBE_EXPAT_API_H

#include <expat.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#endif
