/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts, by BPF programs, how often sockets of a network namespace began or
 * ceased to listen (port_changes.h). While a port's counter stays the same, so
 * do its listeners: a load from memory proves it, and no system call. Needs
 * Linux 5.8 with BTF, and CAP_BPF and CAP_PERFMON to open.
 */
#ifndef BANNERPROBE_PORT_WATCH_H
#define BANNERPROBE_PORT_WATCH_H

#include <linux/types.h>

#include "port_changes.h"

#include <stdint.h>

struct port_watch;

/*
 * `netns`: inode of the namespace; 0: not known, the changes of all count. NULL
 * where the kernel cannot count, or without memory.
 */
struct port_watch *port_watch_open(uint32_t netns);
void port_watch_close(struct port_watch *watch);

const uint64_t *port_watch_counters(const struct port_watch *watch);

/*
 * The counters' descriptor, by which another process maps them. The caller
 * closes it. -1: it was taken before.
 */
int port_watch_take_fd(struct port_watch *watch);

/* Maps the counters, for reading only. NULL with errno set. */
const uint64_t *port_changes_map(int fd);
void port_changes_unmap(const uint64_t *counters);

static inline uint64_t port_changes_of(const uint64_t *counters, uint16_t port)
{
	return __atomic_load_n(&counters[port_changes_place(port)],
			       __ATOMIC_ACQUIRE);
}

#endif
