/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The part of difference.h that is about binary bytes. */
#ifndef BANNERPROBE_DIFFERENCE_BYTES_H
#define BANNERPROBE_DIFFERENCE_BYTES_H

#include "difference.h"

/* A part with wild bytes, and literal ones beside them. */
enum verdict judge_bytes(enum learn_how how, const struct part *a,
			 const struct part *b);

#endif
