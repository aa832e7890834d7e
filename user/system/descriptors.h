/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * File descriptors: replacing missing ones, opening inherited ones again, and
 * passing them to other processes.
 */
#ifndef BANNERPROBE_DESCRIPTORS_H
#define BANNERPROBE_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Opens /dev/null where 0, 1 or 2 is closed, so that no file of this program
 * gets a number that messages or records are written to. Then writing to 1 is
 * an error. 0 or negative errno. *no_stdout: whether 1 was closed.
 */
int descriptors_fill(bool *no_stdout);

/*
 * Returns a new, nonblocking descriptor for the same pipe or terminal, or the
 * given one where that is not possible. O_NONBLOCK on the given descriptor
 * would affect the other processes that have it open.
 */
int descriptor_unblocked(int fd);

/*
 * Sends a datagram over a socket of AF_UNIX, with a descriptor if that is not
 * -1. 0 or negative errno.
 */
int descriptor_send(int socket, const void *bytes, size_t len, int fd);

/*
 * Receives a datagram of exactly `len` bytes; *fd: its descriptor, or -1.
 * `flags` of recvmsg(2). 0 or negative errno; -EPIPE: the other end is closed.
 */
int descriptor_receive(int socket, void *bytes, size_t len, int *fd, int flags);

/* Like write(2), but never waits on a socket. */
ssize_t descriptor_write(int fd, const void *bytes, size_t len);

/* Whether the reader of a pipe or socket, or a terminal, is gone for good. */
bool descriptor_is_gone(int fd);

#endif
