/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* BPF filters of tc: listing those of an interface, and adding one. */
#ifndef BANNERPROBE_TC_FILTERS_H
#define BANNERPROBE_TC_FILTERS_H

#include <stdbool.h>

/* A BPF filter of tc. */
struct filter {
	unsigned int parent; /* TC_H_MAKE(TC_H_CLSACT, ...): the direction */
	unsigned int handle;
	unsigned int priority;
	unsigned int program_id; /* 0 where the kernel does not report it */
	const char *name;	 /* "" where the filter has none */
};

typedef void filter_found(const struct filter *filter, void *context);

/*
 * Calls `found` for each filter of one direction (`parent`) of an interface's
 * clsact; of filters other than BPF, only handle and priority are set. Negative
 * errno.
 */
int filters_list(unsigned int index, unsigned int parent, filter_found *found,
		 void *context);

/* Whether an interface has a clsact qdisc. */
bool filters_have_clsact(unsigned int index);

/* Removes an interface's clsact qdisc with all its filters. Negative errno. */
int filters_remove_clsact(unsigned int index);

/*
 * Adds a filter that runs a BPF program (a file descriptor) and takes its
 * verdict. `filter` has parent, name and priority (0: the kernel chooses), and
 * receives the result. `make_qdisc`: makes the clsact qdisc first, in the same
 * request, so a signal comes before or after both. The first error as negative
 * errno; the other step is done in any case.
 */
int filters_add(unsigned int index, struct filter *filter, int program,
		bool make_qdisc);

#endif
