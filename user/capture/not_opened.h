/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reports a capture that consists nearly entirely of one encapsulation that is
 * not opened.
 */
#ifndef BANNERPROBE_NOT_OPENED_H
#define BANNERPROBE_NOT_OPENED_H

#include "counters.h"
#include "tunnel.h"

#include <linux/types.h>

/*
 * Of a capture with so many packets: one line for a kind that nearly all are
 * of, which says what to do. `counters`: how much each counter grew by it;
 * `link_type`: the last that was not known; `decap`: what was to be opened.
 */
void not_opened_report(const char *name, __u64 packets,
		       const __u64 counters[COUNTER_MAX], __u32 link_type,
		       const struct decap *decap);

#endif
