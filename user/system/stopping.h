/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stop that SIGINT and SIGTERM ask for. Every wait of this program is made
 * here: it ends early on the stop, and has a deadline after it.
 */
#ifndef BANNERPROBE_STOPPING_H
#define BANNERPROBE_STOPPING_H

#include <stdbool.h>

/* What is waited for: see the table in stopping.c. */
enum wait {
	WAIT_READER,   /* of the records takes some */
	WAIT_OWNER,    /* of a record's service is told */
	WAIT_LOCK,     /* of the network namespace is free */
	WAIT_HELPER,   /* for files answers */
	WAIT_START,    /* of another process is over */
	WAIT_GUARD,    /* of tc filters has ended */
	WAIT_MESSAGES, /* are taken from standard error */
	WAIT_RECORDS,  /* are written: the process that does so has ended */
	WAIT_LAST,     /* likewise, where detaching has taken that time */
	WAIT_KEEPER,   /* of the inventory has written it, and ended */
	WAIT_KILLED,   /* process has ended, unless the kernel holds it */
};

/*
 * From now on SIGINT and SIGTERM do not end the process: the descriptor that
 * is returned becomes readable. Negative errno.
 */
int stopping_open(void);

/* Whether the stop has been asked for. */
bool stopping(void);

/*
 * Stops as if a signal had come: the program cannot go on, and must not wait
 * long.
 */
void stop_now(void);

/* Passes the stop on to another process through this eventfd(2). */
void stopping_pass_on(int eventfd);
void stopping_follow(int eventfd);

/* When a wait that begins now ends, and how many milliseconds are left. */
long long wait_end(enum wait wait);
int wait_left(enum wait wait, long long end);

/*
 * Waits until the descriptor is ready for `events` of poll(2); -1: for nothing
 * but the end. False: it is not, and the time is over.
 */
bool wait_ready(int fd, short events, enum wait wait, long long end);

#endif
