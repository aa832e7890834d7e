/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Both backends of the core, side by side: the loaded BPF programs, through
 * BPF_PROG_TEST_RUN, and the one in user space. Each packet goes to both, and
 * the results must be the same. Needs root, and nothing attached.
 */
#ifndef BANNERPROBE_TESTS_BACKENDS_H
#define BANNERPROBE_TESTS_BACKENDS_H

#include "unit/play.h"

#define FRAME_MIN 14	/* bytes: test_run takes nothing shorter */
#define TC_FRAME_MIN 54 /* nor, for tc, less than an IP header (6.18) */
#define FRAME_MAX 3000	/* nor more than a page with its head- and tailroom */
#define RECORDS_MOST 4	/* of one packet */

struct bannerprobe_bpf;
struct bpf_program;
struct ring_buffer;

/* Both backends, and the results of the last packet in each. */
struct backends {
	struct bannerprobe_bpf *bpf;
	struct engine native;
	struct rings *rings;
	bool can_split;		     /* an XDP packet: Linux 6.18 */
	__u64 counters[COUNTER_MAX]; /* of the kernel, at the beginning */
	struct event_counts events;  /* likewise */
	unsigned int native_logged, kernel_logged;
	struct event *native_records[RECORDS_MOST];
	struct event *kernel_records[RECORDS_MOST];
	char banners[TEXT_MAX];	   /* the kernel's, as the cases write them */
	char difference[TEXT_MAX]; /* what the functions below return */
};

/*
 * `bpf`: all programs, loaded for banners of `length` and `max_flows`
 * connections. False without memory, or the ring buffer.
 */
bool backends_open(struct backends *backends, struct bannerprobe_bpf *bpf,
		   __u32 length, __u32 max_flows);
void backends_close(struct backends *backends);

/* Empties both tables, and sets all counters to 0. */
void backends_clear(struct backends *backends);

/* A packet for both backends. */
struct delivery {
	const struct bpf_program *program;
	const __u8 *data;
	size_t len;    /* within the limits above */
	size_t linear; /* of an XDP packet, FRAME_MIN or more: the rest lies in
			* another buffer, where the kernel can do that; or 0 */
	bool raw_ip;
	__u64 now; /* ns, for the native core; an hour from the first at most */
};

/*
 * Gives one packet to a program and to the native core, and compares the
 * verdict, the state of its connection and the records. Returns what differs,
 * or NULL.
 */
const char *backends_feed(struct backends *backends,
			  const struct delivery *delivery);

/* Compares the counters since the beginning, and the fates of events. Returns
 * likewise. */
const char *backends_compare_counters(struct backends *backends);

#endif
