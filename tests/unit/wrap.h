/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Puts frames into tunnels, for the tests. */
#ifndef BANNERPROBE_TESTS_WRAP_H
#define BANNERPROBE_TESTS_WRAP_H

#include "packet.h"
#include "verdict.h"

enum wrap {
	WRAP_NONE,
	WRAP_VXLAN,
	WRAP_GPE,
	WRAP_GENEVE,
	WRAP_GRE,
	WRAP_ERSPAN_1,
	WRAP_ERSPAN_2,
	WRAP_ERSPAN_3,
	WRAP_IPIP,
	WRAP_MPLS,
	WRAP_PPPOE,
	WRAPS,
};

#define WRAP_ID 42 /* of those that have one */

/* A frame of packet_build() without tags becomes one with a tunnel around it.
 */
void wrap(struct bytes *bytes, enum wrap kind);

/* All tunnels are opened, and their identifiers are part of the key. */
void wrap_track(struct track_options *track);

#endif
