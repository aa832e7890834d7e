/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stop that SIGINT and SIGTERM ask for. Every wait of this program is made
 * here: it ends early on the stop, and has a deadline after it.
 */
#ifndef BANNERPROBE_STOPPING_H
#define BANNERPROBE_STOPPING_H

#include <stdbool.h>

/* What a wait is for. stopping.c has the limits of each. */
enum wait {
	WAIT_READER,   /* a consumer of records takes some */
	WAIT_OWNER,    /* the owner process answers */
	WAIT_LOCK,     /* the lock of the network namespace is free */
	WAIT_HELPER,   /* the file helper answers, or has ended */
	WAIT_START,    /* another process has started */
	WAIT_GUARD,    /* the guard has ended */
	WAIT_MESSAGES, /* a consumer of standard error takes some */
	WAIT_RECORDS,  /* the reader has written all records, and ended */
	WAIT_LAST,     /* the same, counted from the reader's last job */
	WAIT_KEEPER,   /* the keeper has written the inventory, and ended */
	WAIT_KILLED,   /* a killed process has ended, if the kernel lets it */
};

/*
 * From now on SIGINT and SIGTERM do not end the process. Returns a descriptor
 * that becomes readable when one arrives, or negative errno.
 */
int stopping_open(void);

/* Whether the stop has been asked for. */
bool stopping(void);

/*
 * Stops as if a signal had come. Called when the program cannot go on.
 */
void stop_now(void);

/* Passes the stop on to another process through this eventfd(2). */
void stopping_pass_on(int eventfd);
void stopping_follow(int eventfd);

/* When a wait that begins now ends, and how many milliseconds are left. */
long long wait_end(enum wait wait);
int wait_left(enum wait wait, long long end);

/*
 * Waits until the descriptor is ready for `events` of poll(2), or until `end`;
 * -1: only until `end`. False: the time is over.
 */
bool wait_ready(int fd, short events, enum wait wait, long long end);

#endif
