/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packets that are seen twice: on the device that carries a tunnel, where
 * --decap opens it, and on the tunnel's own device. Of the two events the first
 * is logged.
 */
#ifndef BANNERPROBE_SEEN_TWICE_H
#define BANNERPROBE_SEEN_TWICE_H

#include "event.h"

#include <stdbool.h>

struct seen_twice;

/* Takes some 2 MiB. NULL without memory. */
struct seen_twice *seen_twice_new(void);
void seen_twice_free(struct seen_twice *seen);

/*
 * Whether an event was logged already: one of the same side, with the same
 * addresses, ports and initial sequence numbers, where the tunnels of one event
 * are the innermost tunnels of the other. If not, the event is remembered. The
 * latest 65,536 hashes are kept.
 */
bool seen_twice_has(struct seen_twice *seen, const struct event *event);

/* Forgets all events. The count stays. */
void seen_twice_clear(struct seen_twice *seen);

/* How many events were seen twice. */
__u64 seen_twice_count(const struct seen_twice *seen);

#endif
