/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The unit in which memory comes to a CPU. */
#ifndef BANNERPROBE_CACHE_LINE_H
#define BANNERPROBE_CACHE_LINE_H

#define CACHE_LINE 64 /* bytes; a longer one costs time only */

#endif
