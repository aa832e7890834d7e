/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The status line while captures are read. */
#ifndef BANNERPROBE_PROGRESS_H
#define BANNERPROBE_PROGRESS_H

#include <linux/types.h>
#include <stddef.h>

struct progress {
	const char *path;   /* of the file that is being read */
	size_t file, files; /* number of the file, from 1 on; number of files */
	__u64 done, size;   /* bytes, of all files; size 0: not known */
	__u64 packets;	    /* read so far, from all files */
	__u64 banners;
};

/* Shows how far all captures have been read, at most once a second. */
void progress_show(const struct progress *progress);

#endif
