/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attacher's side of the reader: starting and ending the process. */
#ifndef BANNERPROBE_READER_PROCESS_H
#define BANNERPROBE_READER_PROCESS_H

#include "owner_process.h"
#include "reader.h"
#include "system/process.h"

struct bannerprobe_bpf;

struct reader_process {
	struct process process;
	struct reader_link link;
	long long last_end; /* wait_end(): when its last job must be over */
	struct owner_process owner; /* that the reader asks */
};

#define READER_PROCESS_NONE                                                    \
	{                                                                      \
		.process = PROCESS_NONE, .link = READER_LINK_NONE,             \
		.owner = OWNER_PROCESS_NONE                                    \
	}

/*
 * Starts the reader, before anything is opened that the reader must not
 * inherit. With --owner, starts the process that finds owners first. The reader
 * then waits for the ring buffers. From now on it alone uses the file helper
 * and the sinks. 0 or negative errno, with a message.
 */
int reader_process_start(struct reader_process *reader,
			 const struct options *options,
			 struct pipeline *pipeline, struct file_helper *helper,
			 const struct identity *identity);

/*
 * Hands over the programs' ring buffers, and waits until the reader is
 * confined.
 */
bool reader_process_begin(struct reader_process *reader,
			  const struct bannerprobe_bpf *bpf);

/*
 * Posts the job to open the sinks. False if the reader cannot; it has printed
 * the reason.
 */
bool reader_process_open(struct reader_process *reader);

/* Posts the reader's last job. */
void reader_process_finish(struct reader_process *reader);

/*
 * Waits for the reader's end and returns its exit code. A reader that is late
 * is killed, and its records are lost.
 */
enum exit_code reader_process_end(struct reader_process *reader);

#endif
