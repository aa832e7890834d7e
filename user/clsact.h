/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way into tc of kernels before 6.6: a filter on the clsact qdisc. Such a
 * filter outlives the process that made it, so what another run of this
 * program has left behind is found and cleared here, too.
 */
#ifndef BANNERPROBE_CLSACT_H
#define BANNERPROBE_CLSACT_H

#include <bpf/libbpf.h>
#include <linux/types.h>

/* One filter of ours. */
struct clsact_filter {
	enum bpf_tc_attach_point direction;
	__u32 handle;
	__u32 priority;
	__u32 program_id;
	int claim; /* socket that tells others that its process lives */
};

/*
 * Makes the qdisc where there is none (*made: it is ours to remove) and
 * removes filters of this program whose process is gone. Negative errno.
 */
int clsact_prepare(unsigned int ifindex, bool *made);

/* Attaches a program to one direction; negative errno. */
int clsact_attach(struct clsact_filter *filter, unsigned int ifindex,
		  enum bpf_tc_attach_point direction, int program);

/* Removes the filter, if it is still ours. */
void clsact_detach(struct clsact_filter *filter, unsigned int ifindex);

/* Removes the qdisc, if nobody filters there. */
void clsact_remove(unsigned int ifindex);

#endif
