/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An input of the core's fuzzers is a row of steps, each a packet. A byte
 * chooses what follows: a raw frame after two bytes of length, or a few numbers
 * that describe a segment of one of 32 connections, so that the fuzzer can find
 * conversations.
 */
#ifndef BANNERPROBE_TESTS_FUZZ_STEPS_H
#define BANNERPROBE_TESTS_FUZZ_STEPS_H

#include "unit/packet.h"

/* The rest of an input. */
struct steps {
	const __u8 *data;
	size_t size;
};

struct fuzz_step {
	const __u8 *data; /* until the next step */
	size_t len;
	size_t wire_len; /* at least len */
	bool raw_ip;	 /* no Ethernet header */
	__u8 hook;	 /* 0 to 3 */
	__u8 split;	 /* 0 to 7 */
	__u64 wait;	 /* ns since the last packet */
};

/* The next packet. False at the end. */
bool steps_next(struct steps *steps, struct fuzz_step *step);

#endif
