/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --sequence: the captures are the files of one rotated capture. */
#ifndef BANNERPROBE_SEQUENCE_H
#define BANNERPROBE_SEQUENCE_H

#include <linux/types.h>

/* The previous file. */
struct sequence {
	const char *path; /* NULL: none */
	__u64 end;	  /* ns since 1970: its last packet's time */
};

/*
 * Reports a file that begins before the previous one's end. `begin`: time of
 * its first packet, ns since 1970; 0: not known.
 */
void sequence_check(const struct sequence *previous, const char *path,
		    __u64 begin);

#endif
