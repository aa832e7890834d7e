/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What joins the attacher and the reader: jobs for the reader, words of the
 * reader for the attacher, and the published memory. Neither process waits for
 * the other to take something.
 */
#ifndef BANNERPROBE_READER_LINK_H
#define BANNERPROBE_READER_LINK_H

#include "attach/published.h"

#include <linux/types.h>
#include <stdbool.h>

/* In the order in which they are done. One that is posted twice is done once.
 */
enum job {
	JOB_OPEN,     /* the sinks; then events are read */
	JOB_LEFT,     /* an interface has gone: its greetings end */
	JOB_REOPEN,   /* the sinks */
	JOB_STATUS,   /* a line on the terminal */
	JOB_INTERVAL, /* statistics, for one of three reasons */
	JOB_SIGNAL,
	JOB_METRICS,
	JOB_LAST, /* nothing is attached any more: read the rest, and end */
};

enum word {
	WORD_READY = 1, /* it has given up its privileges */
	WORD_OPEN,	/* the sinks are */
	WORD_WRITTEN,	/* the first event is */
	WORD_OVER,	/* a sink wants no more: the run is to end */
};

struct reader_jobs {
	__u32 posted; /* a bit for each */
	bool has_status;
};

struct reader_link {
	struct reader_jobs *jobs;
	struct published *published;
	int socket;
	int stop; /* eventfd: readable once the run is to end */
};

#define READER_LINK_NONE                                                       \
	{                                                                      \
		.socket = -1, .stop = -1                                       \
	}

/* Here the end of the attacher; *other: the reader's socket. Negative errno. */
int reader_link_open(struct reader_link *link, int *other);

/* After the fork, in the reader. */
int reader_link_take_over(struct reader_link *link, int other);

void reader_link_close(struct reader_link *link);

/* --- the attacher -------------------------------------------------------- */

void reader_link_post(struct reader_link *link, enum job job);

/* Hands over the ring buffer's map. 0 or negative errno. */
int reader_link_send_ring(struct reader_link *link, int map);

/* The next word; 0: none is there; -1: the reader has ended. */
int reader_link_hear(struct reader_link *link);

/*
 * Waits for a word. False: the reader has ended instead, and has printed the
 * reason; or it takes too long, with a message.
 */
bool reader_link_await(struct reader_link *link, enum word word);

/* --- the reader ---------------------------------------------------------- */

/* Waits for the ring buffer's map; negative errno if there will be none. */
int reader_link_receive_ring(struct reader_link *link);

void reader_link_say(struct reader_link *link, enum word word);

/* The jobs, a bit for each. False: the attacher has ended. */
bool reader_link_take_jobs(struct reader_link *link, __u32 *jobs);

#endif
