/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The process that finds the owners of services (--owner). It asks the kernel
 * for listeners and processes, reads cgroups, and answers the reader.
 */
#ifndef BANNERPROBE_OWNER_PROCESS_H
#define BANNERPROBE_OWNER_PROCESS_H

#include "options/options.h"
#include "system/privileges.h"
#include "system/process.h"

#define OWNER_NAME "bannerprobe-own" /* as ps shows it; 15 bytes at most */

struct owner_process {
	struct process process;
	int asks;     /* the reader's end of the socket; -1: closed here */
	int counters; /* for kernel_counters_map(), likewise; or none */
};

#define OWNER_PROCESS_NONE                                                     \
	{                                                                      \
		.process = PROCESS_NONE, .asks = -1, .counters = -1            \
	}

/*
 * With --owner, starts the process. Waits until it has opened what it needs,
 * has reported what it cannot find, and is confined. False, with a message, on
 * failure.
 */
bool owner_process_start(struct owner_process *owner,
			 const struct options *options,
			 const struct identity *identity);

/* Closes what is the reader's in this process. */
void owner_process_hand_over(struct owner_process *owner);

/*
 * Ends the process, which ends by itself with the reader. EXIT_FAILED, with a
 * message, if it failed or was killed before.
 */
enum exit_code owner_process_end(struct owner_process *owner);

#endif
