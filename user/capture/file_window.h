/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The part of a file that is mapped. One window is mapped at a time, so a file
 * of any size takes little memory and few addresses.
 *
 * The bytes are those of the file at this moment: another process may change
 * them between two looks. What is checked has to be copied first.
 */
#ifndef BANNERPROBE_FILE_WINDOW_H
#define BANNERPROBE_FILE_WINDOW_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct file_window {
	const __u8 *bytes;
	size_t len; /* 0: nothing is mapped */
	__u64 at;   /* of the file: where the window begins */
};

/*
 * Moves the window to the page of `offset`. `size`: bytes of the file, more
 * than `offset`. False: the file cannot be mapped, and nothing is mapped any
 * more.
 */
bool file_window_move(struct file_window *window, int fd, __u64 offset,
		      __u64 size);
void file_window_close(struct file_window *window);

/* The offset in the file up to which the window has the file's own bytes. */
__u64 file_window_intact(const struct file_window *window);

#endif
