/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Filters that other programs add while this one removes clsact qdiscs. The
 * kernel removes a qdisc with whatever filters it has, and no request removes
 * an empty one only. So the filters are listed first, and the kernel's messages
 * about filters that come after that are read before the qdisc is removed.
 */
#ifndef BANNERPROBE_NEWCOMERS_H
#define BANNERPROBE_NEWCOMERS_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

#define NEWCOMERS_MAX 64 /* interfaces */

struct newcomers {
	struct mnl_socket *socket;
	size_t count;
	struct newcomer {
		unsigned int index; /* the interface */
		bool is_lost;	    /* the qdisc went after the filter came */
	} list[NEWCOMERS_MAX];
	bool some_missed;
};

/*
 * Notes filters from now on. False: it cannot; then none is ever noticed.
 */
bool newcomers_watch(struct newcomers *newcomers);
void newcomers_end(struct newcomers *newcomers);

/* Whether a filter may have been added on the interface so far. */
bool newcomers_came(struct newcomers *newcomers, unsigned int index);

/*
 * Prints a message if a filter was lost with the interface's qdisc: it was
 * added after newcomers_came(), and before the kernel removed the qdisc.
 */
void newcomers_report(struct newcomers *newcomers, unsigned int index);

#endif
