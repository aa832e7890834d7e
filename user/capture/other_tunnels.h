/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Recognises tunnels that are never opened, so that a capture of them is not
 * taken for one without connections. Hooks do not look for these: each packet
 * of UDP would pay for it.
 */
#ifndef BANNERPROBE_OTHER_TUNNELS_H
#define BANNERPROBE_OTHER_TUNNELS_H

#include "segment.h"

/* Bytes of UDP's payload that are looked at. */
#define OTHER_TUNNEL_BEGINNING 4

/*
 * `result`: where the walk over the headers of a packet stopped. Returns the
 * tunnel's result for UDP and other protocols that are such a tunnel, else
 * `result`.
 */
enum parse_result other_tunnel(const struct frame *frame,
			       const struct segment *segment,
			       enum parse_result result);

#endif
