/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The process that finds whose services are (--owner): it asks the kernel for
 * listeners and processes, reads cgroups, and answers the reader.
 */
#ifndef BANNERPROBE_OWNER_PROCESS_H
#define BANNERPROBE_OWNER_PROCESS_H

#include "options/options.h"
#include "system/privileges.h"
#include "system/process.h"

#define OWNER_NAME "bannerprobe-own" /* as ps shows it; 15 bytes at most */

struct owner_process {
	struct process process;
	int asks; /* the end for the reader; -1: it is not here */
};

#define OWNER_PROCESS_NONE                                                     \
	{                                                                      \
		.process = PROCESS_NONE, .asks = -1                            \
	}

/*
 * Starts it, and waits until it has opened what it needs, has said what cannot
 * be known, and is confined. Nothing is done without --owner. False, with a
 * message, on failure.
 */
bool owner_process_start(struct owner_process *owner,
			 const struct options *options,
			 const struct identity *identity);

/* The reader has its end: it is closed here. */
void owner_process_hand_over(struct owner_process *owner);

/*
 * It ends with the reader, or is killed. EXIT_FAILED, with a message, where it
 * was killed before: then the run could not go on.
 */
enum exit_code owner_process_end(struct owner_process *owner);

#endif
