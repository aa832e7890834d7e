/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attacher's side of the reader: starting and ending the process. */
#ifndef BANNERPROBE_READER_PROCESS_H
#define BANNERPROBE_READER_PROCESS_H

#include "owner_process.h"
#include "reader.h"
#include "system/process.h"

struct reader_process {
	struct process process;
	struct reader_link link;
	long long last_end; /* when its last job must be over */
	struct owner_process owner; /* which it asks */
};

#define READER_PROCESS_NONE                                                    \
	{                                                                      \
		.process = PROCESS_NONE, .link = READER_LINK_NONE,             \
		.owner = OWNER_PROCESS_NONE                                    \
	}

/*
 * Starts the reader, and with --owner first the process that it asks, before anything is opened that it must not have. The
 * reader waits for the ring buffer then. The file helper and the sinks belong
 * to it from now on. 0 or negative errno, with a message.
 */
int reader_process_start(struct reader_process *reader,
			 const struct options *options,
			 struct pipeline *pipeline, struct file_helper *helper,
			 const struct identity *identity);

/* Hands over the ring buffer, and waits until the reader is confined. */
bool reader_process_begin(struct reader_process *reader, int map);

/*
 * Posts the job to open the sinks. False if the reader cannot; it has printed
 * the reason.
 */
bool reader_process_open(struct reader_process *reader);

/* Gives it its last job. */
void reader_process_finish(struct reader_process *reader);

/*
 * Waits for the reader's end and returns its exit code. If it is late it is
 * killed, and records are lost.
 */
enum exit_code reader_process_end(struct reader_process *reader);

#endif
