/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The maps of the ring buffers that events come through: how many, and how
 * large.
 */
#ifndef BANNERPROBE_RING_MAPS_H
#define BANNERPROBE_RING_MAPS_H

#include "event.h"

struct bannerprobe_bpf;

/* Called before the programs are loaded. */
void ring_maps_size(struct bannerprobe_bpf *bpf);

/*
 * The descriptors of the ring buffers of the loaded programs. Returns how many
 * there are, 1 to RINGS_MAX.
 */
unsigned int ring_maps(const struct bannerprobe_bpf *bpf, int maps[RINGS_MAX]);

#endif
