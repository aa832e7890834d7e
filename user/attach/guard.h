/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A process that outlives the attacher for a moment: filters of clsact stay
 * when the attacher is killed, and this removes them then.
 */
#ifndef BANNERPROBE_GUARD_H
#define BANNERPROBE_GUARD_H

struct identity;

/* Starts it, as a user with few rights. 0 or negative errno. */
int guard_start(const struct identity *identity);

/* All is detached: ends it, and waits for its end. */
void guard_stop(void);

/* Readable when it has ended; -1: there is none. */
int guard_fd(void);

#endif
