/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --sequence: the captures are one that was rotated. */
#ifndef BANNERPROBE_SEQUENCE_H
#define BANNERPROBE_SEQUENCE_H

#include <linux/types.h>

/* The previous file. */
struct sequence {
	const char *path; /* NULL: none */
	__u64 end;	  /* ns since 1970: its last packet's time */
};

/* Reports a file that begins, in ns since 1970, before the previous one ends. */
void sequence_check(const struct sequence *previous, const char *path,
		    __u64 begin);

#endif
