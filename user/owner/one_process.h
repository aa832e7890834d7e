/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The listening sockets that one process has open: the iterator over the files
 * of this process alone (Linux 6.1), which takes some microseconds.
 */
#ifndef BANNERPROBE_ONE_PROCESS_H
#define BANNERPROBE_ONE_PROCESS_H

#include <linux/types.h>

#include "held_socket.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * `program`: the iterator's. Fills in `list`, and returns how many there are;
 * or negative errno: -E2BIG: there is no room, or the kernel is older.
 */
ssize_t one_process_read(int program, uint32_t pid, struct held_socket *list,
			 size_t room);

#endif
