/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The processes that this program forks. Each is the child of the process that
 * started it, ends with it, and is named for what it does.
 */
#ifndef BANNERPROBE_PROCESS_H
#define BANNERPROBE_PROCESS_H

#include "stopping.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
	pid_t pid;  /* 0: there is none */
	int ended;  /* pidfd: readable when the process has ended; or -1 */
	int life;   /* the process is killed when this is closed; or -1 */
	int status; /* of waitpid(2), once the process has ended */
};

#define PROCESS_NONE                                                           \
	{                                                                      \
		.ended = -1, .life = -1                                        \
	}

/*
 * Like fork(2), with all signals blocked in the child: one to the whole process
 * group, as a shell or timeout(1) sends, might come before it blocks any.
 */
pid_t process_fork(void);

/*
 * Forks. Returns 1 in the parent, or negative errno; 0 in the child. The child
 * is called `name` (15 bytes at most), takes no signal but SIGKILL and SIGSTOP,
 * and is killed when the parent ends or closes `life`.
 */
int process_start(struct process *process, const char *name);

/*
 * From now on the kernel kills this process, whatever it waits for, when the
 * pipe's other end is closed, or something is written to it. 0 or negative
 * errno.
 */
int process_live_with(int pipe);

/* Closes all descriptors but these; -1 is ignored. */
void process_keep_only(const int *kept, size_t count);

/* Called in another child, which must not wait for or end the process. */
void process_forget(struct process *process);

bool process_has_ended(const struct process *process);

/*
 * Waits for the end of the process until `end`, from wait_end(). False: it has
 * not ended.
 */
bool process_wait(const struct process *process, enum wait wait, long long end);

/*
 * Kills the process if it has not ended, and returns false then. A second call
 * does nothing.
 */
bool process_end(struct process *process);

#endif
