/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events of packets that are seen twice: on the device that carries a tunnel,
 * where --decap opens it, and on the tunnel's own device. Of both one record is
 * made, by the first that comes.
 */
#ifndef BANNERPROBE_SEEN_TWICE_H
#define BANNERPROBE_SEEN_TWICE_H

#include "event.h"

#include <stdbool.h>

struct seen_twice;

/* NULL without memory: it takes some 2 MiB. */
struct seen_twice *seen_twice_new(void);
void seen_twice_free(struct seen_twice *seen);

/*
 * Whether an event was logged already: of the same addresses, ports and initial
 * sequence numbers, where the layers of the one are the rest of the layers of
 * the other. If not, it is remembered; the latest 65,536 layers are.
 */
bool seen_twice_has(struct seen_twice *seen, const struct event *event);

/* Forgets them. The count stays. */
void seen_twice_clear(struct seen_twice *seen);

/* How many were. */
__u64 seen_twice_count(const struct seen_twice *seen);

#endif
