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
 * Prints a line with advice if nearly all packets of a capture are of one such
 * kind. `packets`: how many it has; `counters`: how much each counter grew by
 * them; `link_type`: the last that is not known; `decap`: the tunnels that were
 * opened.
 */
void not_opened_report(const char *name, __u64 packets,
		       const __u64 counters[COUNTER_MAX], __u32 link_type,
		       const struct decap *decap);

#endif
