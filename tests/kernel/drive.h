/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Drives packets by the million through the loaded programs. */
#ifndef BANNERPROBE_TESTS_DRIVE_H
#define BANNERPROBE_TESTS_DRIVE_H

#include <stdbool.h>

#include "drive.bpf.h"
#include "unit/packet.h"

struct bannerprobe_bpf;

/* A server's data, for designated initializers of a struct test_packet. */
#define DRIVE_SERVER_DATA                                                      \
	{                                                                      \
		.from_server = true, .client_port = 40000, .server_port = 25,  \
		.flags = TCP_ACK, .seq = 9000, .ack = 1001,                    \
		.payload = "0123456789012345678901234567890123456789",         \
		.payload_len = DRIVE_BANNER                                    \
	}

/* The programs that the packets go to. */
enum road {
	ROAD_XDP,
	ROAD_TC,
};

/* Called first; then drive() may be called any number of times. */
bool drive_open(struct bannerprobe_bpf *probe);
void drive_close(void);

/* From then on packets go to these programs; loaded as those of drive_open().
 */
void drive_to(struct bannerprobe_bpf *probe);

/*
 * Attaches the program of ROAD_XDP to the loopback of this network namespace,
 * which no packet may pass. The kernel calls attached XDP programs directly,
 * and rewrites code for that (bpf_dispatcher). Without this call it would do so
 * for each run, and wait until no CPU is in the old code. False on failure.
 */
bool drive_attach(void);

/* Who gets the packets that a road makes. */
enum target {
	TO_EMPTY, /* programs that do nothing */
	TO_PROBE,
	TO_REFERENCE, /* headers, and one look-up in an LRU map */
};

/* Not while packets are on the road. False on failure. */
bool drive_set_target(enum road road, enum target target);

/* Packets on one lane. */
struct lane_run {
	enum road road;
	__u8 lane;
	const struct bytes *bytes;
	enum vary vary;
	__u32 connections; /* of VARY_ADDRESS */
	__u64 from;	   /* where to begin */
	__u32 count;
};

/*
 * Sends the bytes `count` times, each time made another. May run at the same
 * time on several lanes. Returns ns a packet, negative on failure.
 */
double drive_lane(const struct lane_run *run);

/*
 * Runs `packet` `count` times, each time made another: `vary` and, for
 * VARY_ADDRESS, `connections` say how, `from` where to begin. They go to the
 * probe's programs, or to empty ones, on the first lane. Returns ns a packet,
 * negative on failure.
 */
double drive(enum road road, bool to_probe, const struct test_packet *packet,
	     enum vary vary, __u32 connections, __u64 from, __u32 count);

/* The same, with bytes that are no sound packet. */
double drive_bytes(enum road road, bool to_probe, const struct bytes *bytes,
		   enum vary vary, __u32 connections, __u64 from, __u32 count);

#endif
