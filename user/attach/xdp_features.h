/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a device says of XDP, without a program being attached to it. */
#ifndef BANNERPROBE_XDP_FEATURES_H
#define BANNERPROBE_XDP_FEATURES_H

#include <stdbool.h>

/*
 * Whether native XDP can be attached, as far as is told: 0; -EOPNOTSUPP: the
 * driver has none; -EBUSY: an XDP program is there already. `known`: the kernel
 * tells what the driver has (Linux 6.3). That it would not refuse for the MTU
 * or the like is not told.
 */
int xdp_features_try_native(unsigned int index, bool *known);

#endif
