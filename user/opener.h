/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Files that are opened while the program runs: the log again after a rotation,
 * and the metrics each time anew. By a process of its own, where the loader may
 * not any more: it knows these paths, does nothing else, and ends with the
 * loader.
 */
#ifndef BANNERPROBE_OPENER_H
#define BANNERPROBE_OPENER_H

struct opener {
	const char *log;     /* NULL: none */
	const char *metrics; /* NULL: none */
	int socket;	     /* to the process; -1: all is done here */
};

enum opener_request {
	OPENER_LOG,	     /* for appending, made if need be: a descriptor */
	OPENER_NEW_METRICS,  /* an empty file beside, for all to read: likewise
			      */
	OPENER_SET_METRICS,  /* that file in the place of the metrics: 0 */
	OPENER_DROP_METRICS, /* that file is not wanted, after all: 0 */
};

/* Starts the process, while privileges are there. 0 or negative errno. */
int opener_start(struct opener *opener);
void opener_stop(struct opener *opener);

/* Has something done; negative errno where it could not be. */
int opener_ask(const struct opener *opener, enum opener_request request);

#endif
