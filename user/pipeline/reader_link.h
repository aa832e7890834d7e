/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The link between attacher and reader: jobs for the reader, words (messages)
 * of the reader for the attacher, and the published memory. Neither process
 * waits for the other to read.
 */
#ifndef BANNERPROBE_READER_LINK_H
#define BANNERPROBE_READER_LINK_H

#include "system/message.h"
#include "attach/published.h"
#include "event.h"

#include <linux/types.h>
#include <stdbool.h>

/*
 * Jobs, in the order in which they are done. A job posted twice is done once.
 */
enum job {
	JOB_OPEN,     /* open the sinks, and begin to read events */
	JOB_LEFT,     /* an interface has gone: end its greetings */
	JOB_REOPEN,   /* reopen the sinks */
	JOB_STATUS,   /* show a line on the terminal */
	JOB_INTERVAL, /* statistics; these three differ in the reason */
	JOB_SIGNAL,
	JOB_METRICS,
	JOB_ANSWER, /* say WORD_ALIVE */
	JOB_LAST,   /* nothing is attached any more: read the rest, and end */
};

enum word {
	WORD_READY = 1, /* the reader has given up its privileges */
	WORD_OPEN,	/* the sinks are open */
	WORD_WRITTEN,	/* the first event is written */
	WORD_OVER,	/* a sink takes no more events: the run has to end */
	WORD_ALIVE,	/* the answer to JOB_ANSWER */
};

struct reader_jobs {
	__u32 posted; /* a bit for each enum job */
	struct message_shared messages;
};

struct reader_link {
	struct reader_jobs *jobs;
	struct published *published;
	int socket;
	int stop; /* eventfd: readable once the run has to end */
};

#define READER_LINK_NONE                                                       \
	{                                                                      \
		.socket = -1, .stop = -1                                       \
	}

/* Opens the attacher's end; *other: the reader's socket. Negative errno. */
int reader_link_open(struct reader_link *link, int *other);

/* Called after the fork, in the reader. `other`: its socket. */
int reader_link_take_over(struct reader_link *link, int other);

void reader_link_close(struct reader_link *link);

/* --- the attacher -------------------------------------------------------- */

void reader_link_post(struct reader_link *link, enum job job);

/*
 * Hands over the maps of so many ring buffers, one at least. 0 or negative
 * errno.
 */
int reader_link_send_rings(struct reader_link *link, const int *maps,
			   unsigned int count);

/* The next word; 0: there is none yet; -1: the reader has ended. */
int reader_link_hear(struct reader_link *link);

/*
 * Waits for a word. False: the reader has ended, and has printed the reason;
 * or, with a message, the time is over.
 */
bool reader_link_await(struct reader_link *link, enum word word);

/* --- the reader ---------------------------------------------------------- */

/*
 * Waits for the maps of the ring buffers. Returns how many there are; negative
 * errno if there will be none.
 */
int reader_link_receive_rings(struct reader_link *link, int maps[RINGS_MAX]);

void reader_link_say(struct reader_link *link, enum word word);

/* Takes the posted jobs, a bit for each. False: the attacher has ended. */
bool reader_link_take_jobs(struct reader_link *link, __u32 *jobs);

#endif
