/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Several processes that read captures at the same time (-j). Each takes the
 * next file, and sends the file's events to the first process. That one hands
 * them to its sinks in the order of the files, so the log is the same as if it
 * had read them itself.
 */
#ifndef BANNERPROBE_CAPTURE_JOBS_H
#define BANNERPROBE_CAPTURE_JOBS_H

#include "capture/capture_list.h"
#include "counters.h"
#include "event_kind.h"
#include "options/options.h"
#include "sinks/sink.h"
#include "system/process.h"

/* What became of a file. */
enum job_flags {
	JOB_READ = 1 << 0,	 /* to its end */
	JOB_IS_CAPTURE = 1 << 1, /* or cannot be opened, which is a failure */
	JOB_IS_OPEN = 1 << 2,	 /* some capture has begun: a log is due */
};

/* What a process has counted so far. */
struct job_counts {
	__u64 packets;
	__u64 counters[COUNTER_ROOM];
	struct event_counts events;
};

struct job {
	struct process process;
	int pipe;
	bool has_ended; /* nothing comes any more */
	char *buffer;
	size_t at, used, room;
};

struct capture_jobs {
	struct sink sink; /* in a process: sends events to the first */
	struct capture_list list;
	bool is_listed;	    /* else it is to be filled, once confined */
	unsigned int count; /* 0: this process reads all files itself */
	struct job *jobs;
	struct job_share *share; /* memory that all of them have */

	/* In a process that reads: */
	unsigned int number;
	size_t file; /* that it reads */
	int to;
	char *frames;
	size_t frames_len;
};

/*
 * Where -j asks for more than one process: lists the captures, and starts the
 * processes. 1; or 0 in such a process; or
 * negative errno, with a message.
 */
int capture_jobs_start(struct capture_jobs *jobs,
		       const struct options *options);

/* Ends the processes. */
void capture_jobs_free(struct capture_jobs *jobs);

/* --- in a process that reads */

/* The next file, or NULL. */
struct capture_file *capture_jobs_take(struct capture_jobs *jobs);

/* What became of it, and what was counted by now. False: nobody listens. */
bool capture_jobs_done(struct capture_jobs *jobs, enum job_flags flags,
		       const struct job_counts *counts);

/* --- in the first process */

enum job_result {
	JOB_DONE,
	JOB_STOPPED, /* `wait` has said so */
	JOB_DIED,    /* its process has ended */
};

/* Who hears of a file's events and their interfaces' names. */
struct job_listener {
	/* False: no more is wanted. */
	bool (*take)(const struct event *event, const char *capture_iface,
		     void *context);
	/* Serves what happens at `fd` and has happened; false: to end. */
	bool (*serve)(void *context);
	int fd;
	void *context;
};

/* Hands on the events of a file, in the order of the files. */
enum job_result capture_jobs_listen(struct capture_jobs *jobs, size_t file,
				    const struct job_listener *listener,
				    enum job_flags *flags);

/* The sum of what all have counted. */
void capture_jobs_counts(const struct capture_jobs *jobs,
			 struct job_counts *counts);

#endif
