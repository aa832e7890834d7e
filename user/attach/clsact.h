/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tc hook of kernels before 6.6: a filter on the clsact qdisc. Such a
 * filter outlives the process that made it. So filters that an earlier run of
 * this program left behind are found and removed here, too.
 */
#ifndef BANNERPROBE_CLSACT_H
#define BANNERPROBE_CLSACT_H

#include "tc_filters.h"

#include <bpf/libbpf.h>
#include <linux/types.h>
#include <stdbool.h>

/* One filter of this program. */
struct clsact_filter {
	enum bpf_tc_attach_point direction;
	__u32 handle;
	__u32 priority;
	__u32 program_id;
	bool owns_qdisc; /* this program made the qdisc, and removes it with the
			  * last filter */
	int claim;	 /* socket that claims a leftover filter */
};

/*
 * Attaches a BPF program to one direction. Makes the qdisc if there is none.
 * Removes filters that ended processes of this program left. Negative errno.
 */
int clsact_attach(struct clsact_filter *filter, unsigned int ifindex,
		  enum bpf_tc_attach_point direction, int program);

/*
 * Removes the filter, unless another one has replaced it. Removes the qdisc
 * with its last filter, if a process of this program made the qdisc.
 */
void clsact_detach(struct clsact_filter *filter, unsigned int ifindex);

/* An interface's filters of both directions. */
struct clsact_pair {
	unsigned int ifindex;
	struct clsact_filter *in, *out;
};

/* Interfaces that are listed before any of them changes. */
#define CLSACT_PAIRS_MAX 32

/* clsact_detach() for several interfaces, with far fewer requests. */
void clsact_detach_pairs(const struct clsact_pair *pairs, int count);

/* Whether the filter is there; others can remove or replace it. */
bool clsact_is_attached(const struct clsact_filter *filter,
			unsigned int ifindex);

/* Removes filters that ended processes of this program left. */
void clsact_clear(unsigned int ifindex);

/*
 * Opens what the functions above need after privileges are given up. Negative
 * errno.
 */
int clsact_open(void);

#endif
