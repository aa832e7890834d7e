/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Adapts the core to the model of the definition: packets go in, banners and
 * counts by the model's reasons come out. Only law_judge.c uses the core's
 * interface.
 */
#ifndef BANNERPROBE_TESTS_LAW_JUDGE_H
#define BANNERPROBE_TESTS_LAW_JUDGE_H

#include "model.h"

struct judged {
	bool banner;
	__u32 len;	   /* payload bytes from the banner on */
	const __u8 *bytes; /* those that were kept */
	__u32 kept;
};

struct judge_counts {
	int begun;
	int by[REASON_MAX];
};

bool judge_open(void);
void judge_close(void);

/* Whether the core can be set up like that. */
bool judge_can(enum model_need need, bool live);

/* One conversation: begin, its packets (Ethernet frames), end. */
void judge_begin(enum model_need need, bool own0, bool own1, bool live);
struct judged judge_packet(const __u8 *data, size_t len, enum way way,
			   __u64 now);
void judge_end(struct judge_counts *counts);

/*
 * Whether the core counts a SYN as a connection that only stands beside one
 * and is never answered.
 */
bool judge_counts_each_syn(void);

/* The core's reason for an outcome with this reason in the definition. */
enum reason judge_known_as(enum reason reason);

#endif
