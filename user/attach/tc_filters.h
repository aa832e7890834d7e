/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* BPF filters of tc: which are on an interface, and adding one. */
#ifndef BANNERPROBE_TC_FILTERS_H
#define BANNERPROBE_TC_FILTERS_H

#include <stdbool.h>

/* A BPF filter of tc. */
struct filter {
	unsigned int parent; /* TC_H_MAKE(TC_H_CLSACT, ...): the direction */
	unsigned int handle;
	unsigned int priority;
	unsigned int program_id; /* 0 where the kernel does not tell */
	const char *name;	 /* of the program, with more; or "" */
};

typedef void filter_found(const struct filter *filter, void *context);

/*
 * Calls `found` for each filter of one direction (`parent`) of an interface's
 * clsact; of filters that are not BPF, only handle and priority are told.
 * Negative errno.
 */
int filters_list(unsigned int index, unsigned int parent, filter_found *found,
		 void *context);

/* Whether an interface has a qdisc that such filters can be on. */
bool filters_have_clsact(unsigned int index);

/*
 * Adds a filter that runs a BPF program (a file descriptor) and takes its
 * verdict: `filter` tells parent, name and priority (0: the kernel chooses),
 * and is told what it came to. `make_qdisc`: first the clsact qdisc, in one
 * request: a signal comes before both or after. The first error as negative
 * errno; the other step is done all the same.
 */
int filters_add(unsigned int index, struct filter *filter, int program,
		bool make_qdisc);

#endif
