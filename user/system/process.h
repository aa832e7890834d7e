/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The processes that this program forks. Each has the one that started it as
 * its parent, ends with it, and is named for what it does.
 */
#ifndef BANNERPROBE_PROCESS_H
#define BANNERPROBE_PROCESS_H

#include "stopping.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
	pid_t pid;  /* 0: there is none */
	int ended;  /* readable when it has ended; -1 */
	int life;   /* it is killed when this is closed; -1 */
	int status; /* as waitpid(2) has it, once it has ended */
};

#define PROCESS_NONE                                                           \
	{                                                                      \
		.ended = -1, .life = -1                                        \
	}

/*
 * Forks. Returns 1 in this process, or negative errno; 0 in the new one, which
 * is called `name` (15 bytes at most), takes no signal but SIGKILL and SIGSTOP,
 * and is killed when this one has ended or has closed `life`.
 */
int process_start(struct process *process, const char *name);

/* Closes all descriptors but these, of which some may be -1. */
void process_keep_only(const int *kept, size_t count);

/* In another process after a fork: it is not that one's. */
void process_forget(struct process *process);

bool process_has_ended(const struct process *process);

/* Waits for its end until `end`, as wait_end() has it. False: not yet. */
bool process_wait(const struct process *process, enum wait wait, long long end);

/* Kills it if it has not ended: false. Once more it does nothing. */
bool process_end(struct process *process);

#endif
