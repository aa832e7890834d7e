/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A process of its own that opens the output file again, for a loader that may
 * not any more: after a rotation the new file is made where only root may write.
 * It knows the one path and does nothing else, and ends with the loader.
 */
#ifndef BANNERPROBE_OPENER_H
#define BANNERPROBE_OPENER_H

/*
 * Opens a file for appending, and makes it if need be. The descriptor, or
 * negative errno.
 */
int opener_open_here(const char *path);

/*
 * Starts the process, to be called while privileges are there. The socket to
 * ask it by, or negative errno.
 */
int opener_start(const char *path);

/* Has it opened by the process: the descriptor, or negative errno. */
int opener_open(int opener);

#endif
