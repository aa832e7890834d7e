/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guard: a process that outlives the attacher for a moment. clsact filters
 * stay when the attacher is killed; the guard removes them then.
 */
#ifndef BANNERPROBE_GUARD_H
#define BANNERPROBE_GUARD_H

struct identity;

/*
 * Starts the guard as an unprivileged user. It has a copy of the memory that is
 * used then. Prints a message if that fails: a SIGKILL would leave filters
 * behind until the next start.
 */
void guard_start(const struct identity *identity);

/* Called before anything is attached: from now on the guard has work to do. */
void guard_begin(void);

/* Called when everything is detached: ends the guard, and waits for its end. */
void guard_stop(void);

/* Readable when the guard has ended; -1: there is no guard. */
int guard_fd(void);

#endif
