/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tc hook of kernels before 6.6: a filter on the clsact qdisc. Such a
 * filter outlives the process that made it, so filters that another run of this
 * program left behind are found and removed here, too.
 */
#ifndef BANNERPROBE_CLSACT_H
#define BANNERPROBE_CLSACT_H

#include <bpf/libbpf.h>
#include <linux/types.h>
#include <stdbool.h>

/* One filter of ours. */
struct clsact_filter {
	enum bpf_tc_attach_point direction;
	__u32 handle;
	__u32 priority;
	__u32 program_id;
	bool owns_qdisc; /* this program made the qdisc: it is removed with the
			  * last filter */
	int claim;	 /* socket that claims a leftover filter */
};

/*
 * Attaches a program to one direction, on a qdisc that is made where there is
 * none. Removes filters of this program whose process is gone. Negative errno.
 */
int clsact_attach(struct clsact_filter *filter, unsigned int ifindex,
		  enum bpf_tc_attach_point direction, int program);

/*
 * Removes the filter, if it is still ours, and the qdisc with the last filter,
 * if a process of this program made it.
 */
void clsact_detach(struct clsact_filter *filter, unsigned int ifindex);

/* Removes filters of this program whose process is gone. */
void clsact_clear(unsigned int ifindex);

/* Opens what is needed for that once privileges are gone. Negative errno. */
int clsact_open(void);

#endif
