/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The far ends of interfaces (namespaces.h), remembered for a second. */
#ifndef BANNERPROBE_FAR_ENDS_H
#define BANNERPROBE_FAR_ENDS_H

#include "namespaces.h"

#include <stddef.h>

#define FAR_ENDS_LINKS_MAX 4096 /* interfaces that are remembered */
#define FAR_ENDS_MAX 1024	/* of one interface: one, or a bridge's ports */

struct far_ends;

/* NULL without memory. */
struct far_ends *far_ends_open(void);
void far_ends_close(struct far_ends *ends);

/*
 * The far ends of an interface, *count of them. Valid until the next call.
 */
const struct peer *far_ends_find(struct far_ends *ends, uint32_t ifindex,
				 size_t *count);

/* Until then the interface's far ends are not asked for again. */
uint64_t far_ends_due(struct far_ends *ends, uint32_t ifindex);

#endif
