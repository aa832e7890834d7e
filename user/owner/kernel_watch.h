/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts in the kernel, by BPF programs (kernel_counters.h). While a port's
 * counter stays the same, so do its listeners; while a process's does, no child
 * has inherited its sockets. A load from memory proves it, and no system call.
 * Needs Linux 5.8 with BTF, and CAP_BPF and CAP_PERFMON to open.
 */
#ifndef BANNERPROBE_KERNEL_WATCH_H
#define BANNERPROBE_KERNEL_WATCH_H

#include <linux/types.h>

#include "kernel_counters.h"

#include <stdint.h>

struct kernel_watch;

/*
 * `netns`: inode of the namespace; 0: not known, the changes of all count. NULL
 * where the kernel cannot count, or without memory.
 */
struct kernel_watch *kernel_watch_open(uint32_t netns);
void kernel_watch_close(struct kernel_watch *watch);

const uint64_t *kernel_watch_counters(const struct kernel_watch *watch);

/*
 * The counters' descriptor, by which another process maps them. The caller
 * closes it. -1: it was taken before.
 */
int kernel_watch_take_fd(struct kernel_watch *watch);

/* Maps the counters, for reading only. NULL with errno set. */
const uint64_t *kernel_counters_map(int fd);
void kernel_counters_unmap(const uint64_t *counters);

static inline uint64_t kernel_count(const uint64_t *counters, uint32_t place)
{
	return __atomic_load_n(&counters[place], __ATOMIC_ACQUIRE);
}

/* Copies `count` counters from the first place on. */
static inline void kernel_counters_copy(uint64_t *to, const uint64_t *counters,
					uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = kernel_count(counters, first + i);
}

#endif
