/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The XDP features that a driver reports, without attaching a program. */
#ifndef BANNERPROBE_XDP_FEATURES_H
#define BANNERPROBE_XDP_FEATURES_H

#include <stdbool.h>

/*
 * Whether native XDP can be attached, as far as the kernel reports: 0;
 * -EOPNOTSUPP: the driver has none; -EBUSY: an XDP program is attached already.
 * `known`: the kernel reports the driver's features (Linux 6.3). Whether the
 * driver would refuse, for the MTU for instance, is not known.
 */
int xdp_features_try_native(unsigned int index, bool *known);

#endif
