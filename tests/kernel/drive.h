/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Drives packets by the million through the loaded programs. */
#ifndef BANNERPROBE_TESTS_DRIVE_H
#define BANNERPROBE_TESTS_DRIVE_H

#include <stdbool.h>

#include "drive.bpf.h"
#include "unit/packet.h"

struct bannerprobe_bpf;

/* Where the packets go. */
enum road {
	ROAD_XDP,
	ROAD_TC,
};

/* To be called first; then drive() as often as one likes. False on failure. */
bool drive_open(struct bannerprobe_bpf *probe);
void drive_close(void);

/* From then on packets go to these programs; loaded as those of drive_open(). */
void drive_to(struct bannerprobe_bpf *probe);

/*
 * Attaches what is run on ROAD_XDP to the loopback of this network namespace,
 * which no packet may pass. The kernel calls XDP programs that are attached
 * directly, and rewrites code to do so (bpf_dispatcher): else it does that for
 * each run anew, and waits until no CPU is in the old code. False on failure.
 */
bool drive_attach(void);

/*
 * Runs `packet` `count` times, each time made another: `vary` and, for
 * VARY_ADDRESS, `connections` say how, `from` where to begin. They go to the
 * probe's programs, or to empty ones. Returns ns a packet, negative on failure.
 */
double drive(enum road road, bool to_probe, const struct test_packet *packet,
	     enum vary vary, __u32 connections, __u64 from, __u32 count);

/* The same, with bytes that are no sound packet. */
double drive_bytes(enum road road, bool to_probe, const struct bytes *bytes,
		   enum vary vary, __u32 connections, __u64 from, __u32 count);

#endif
