/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Keeps this process alive where a mapped file has become shorter, or cannot be
 * read. The kernel then sends SIGBUS to whatever reads the mapping; here it
 * reads zeros instead, and can ask afterwards from where on.
 */
#ifndef BANNERPROBE_BUS_GUARD_H
#define BANNERPROBE_BUS_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Guards a mapping from its first page on, instead of the one before. False: it
 * cannot be guarded, so it must not be read.
 */
bool bus_guard_watch(void *mapping, size_t len);

/* No mapping is guarded any more. */
void bus_guard_release(void);

/* Set by the handler of signals; cleared by bus_guard_watch(). */
extern volatile sig_atomic_t bus_guard_zeros;

/* Whether zeros were read in place of a part of the guarded mapping. */
static inline bool bus_guard_has_zeros(void)
{
	return bus_guard_zeros;
}

/* Bytes of the mapping before the first page of zeros. */
size_t bus_guard_intact(void);

#endif
