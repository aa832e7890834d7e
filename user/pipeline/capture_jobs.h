/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Several processes that read captures at the same time (-j). Each takes the
 * next file, and sends the file's events to the first process. The first
 * process hands the events to its sinks in the order of the files, so that the
 * log does not depend on -j.
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
	JOB_READ = 1 << 0,	 /* read to its end */
	JOB_IS_CAPTURE = 1 << 1, /* or it could not be opened */
	JOB_IS_OPEN = 1 << 2,	 /* a capture has begun: the log is opened */
};

/* What a process has counted so far. */
struct job_counts {
	__u64 packets;
	__u64 counters[COUNTER_ROOM];
	struct event_counts events;
};

struct job {
	struct process process;
	int pipe;	       /* its frames */
	bool has_ended;	       /* no frame comes any more */
	char *buffer;	       /* frames that are not yet due */
	size_t at, used, room; /* bytes of the buffer: taken, filled, all */
};

struct capture_jobs {
	struct sink sink; /* in a process that reads: to the first one */
	struct capture_list list;
	bool is_listed;	    /* `list` is filled; else it is, once confined */
	unsigned int count; /* of `jobs`; 0: this process reads all files */
	struct job *jobs;
	struct job_share *share; /* memory that all processes share */

	/* In a process that reads: */
	unsigned int number; /* of this process, from 0 on */
	size_t file;	     /* its number in the list */
	int to;		     /* the pipe to the first process */
	char *frames;	     /* not yet written to the pipe */
	size_t frames_len;   /* bytes */
};

/*
 * If -j asks for more than one process: lists the captures, and starts the
 * processes. Returns 1, but 0 in a process that reads; or negative errno, with
 * a message.
 */
int capture_jobs_start(struct capture_jobs *jobs,
		       const struct options *options);

/* Ends the processes. */
void capture_jobs_free(struct capture_jobs *jobs);

/* --- in a process that reads */

/* The next file, or NULL. */
struct capture_file *capture_jobs_take(struct capture_jobs *jobs);

/*
 * Reports the file's end, with what this process has counted so far. False: the
 * first process reads no more.
 */
bool capture_jobs_done(struct capture_jobs *jobs, enum job_flags flags,
		       const struct job_counts *counts);

/* --- in the first process */

enum job_result {
	JOB_DONE,
	JOB_STOPPED, /* take() or serve() returned false */
	JOB_DIED,    /* the process that reads the file has ended */
};

/* Receives a file's events, with the names of their interfaces. */
struct job_listener {
	/* False: it takes no more events. */
	bool (*take)(const struct event *event, const char *capture_iface,
		     void *context);
	/* Called when `fd` is readable. False: the reading is to end. */
	bool (*serve)(void *context);
	int fd;
	void *context;
};

/* Hands a file's events to the listener. To be called in the files' order. */
enum job_result capture_jobs_listen(struct capture_jobs *jobs, size_t file,
				    const struct job_listener *listener,
				    enum job_flags *flags);

/* The sum of what all processes have counted. */
void capture_jobs_counts(const struct capture_jobs *jobs,
			 struct job_counts *counts);

#endif
