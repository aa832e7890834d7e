/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Both homes of the core, side by side: the loaded BPF programs, through
 * BPF_PROG_TEST_RUN, and the native one. Each packet goes to both, and what
 * comes of it must be the same. Needs root, and nothing attached.
 */
#ifndef BANNERPROBE_TESTS_HOMES_H
#define BANNERPROBE_TESTS_HOMES_H

#include "play.h"

#define FRAME_MIN 14	/* bytes: test_run takes nothing shorter */
#define TC_FRAME_MIN 54 /* nor, for tc, less than an IP header (6.18) */
#define FRAME_MAX 3000	/* nor more than a page with its head- and tailroom */

struct bannerprobe_bpf;
struct bpf_program;
struct ring_buffer;

/* Both homes, and what the last packet gave in each. */
struct homes {
	struct bannerprobe_bpf *bpf;
	struct engine native;
	struct ring_buffer *ring;
	bool can_split; /* an XDP packet: Linux 6.18 */
	__u64 counters[COUNTER_MAX]; /* of the kernel, at the beginning */
	unsigned int native_logged, kernel_logged;
	struct event *native_record, *kernel_record;
	char banners[TEXT_MAX];	   /* the kernel's, as the cases write them */
	char difference[TEXT_MAX]; /* what the functions below return */
};

/*
 * `bpf`: all programs, loaded for banners of `length` and `max_flows`
 * connections. False without memory, or the ring buffer.
 */
bool homes_open(struct homes *homes, struct bannerprobe_bpf *bpf, __u32 length,
		__u32 max_flows);
void homes_close(struct homes *homes);

/* Both forget all connections, and count from 0. */
void homes_clear(struct homes *homes);

/* A packet for both homes. */
struct delivery {
	const struct bpf_program *program;
	const __u8 *data;
	size_t len; /* within the limits above */
	size_t linear; /* of an XDP packet, FRAME_MIN or more: the rest lies in
			* another buffer, where the kernel can do that; or 0 */
	bool raw_ip;
	__u64 now; /* ns, for the native core; an hour from the first at most */
};

/*
 * Gives one packet to a program and to the native core, and compares the
 * verdict, the state of its connection and the record. Returns what differs,
 * or NULL.
 */
const char *homes_feed(struct homes *homes, const struct delivery *delivery);

/* Compares the counters since the beginning. Returns likewise. */
const char *homes_compare_counters(struct homes *homes);

#endif
