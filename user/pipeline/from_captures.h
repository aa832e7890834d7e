/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads captures, through the engine, into the pipeline. */
#ifndef BANNERPROBE_FROM_CAPTURES_H
#define BANNERPROBE_FROM_CAPTURES_H

#include "capture_jobs.h"
#include "options/options.h"
#include "pipeline.h"

/*
 * From now on SIGINT and SIGTERM end the reading, SIGHUP reopens the sinks, and
 * SIGUSR1 and, with --stats=SECONDS, a timer print the statistics. In a process
 * of -j (`is_job`) only SIGINT and SIGTERM are handled. Called once, before the
 * process is confined. 0 or negative errno, with a message.
 */
int captures_open_events(const struct options *options, bool is_job);

/*
 * Logs the events of each file, and of those below a directory. A file that
 * cannot be read to its end gets one message; the others are read all the same.
 * Frees the pipeline. Returns an exit code.
 */
enum exit_code captures_run(const struct options *options,
			    struct pipeline *pipeline,
			    struct capture_jobs *jobs);

/* Runs in a process of capture_jobs_start(): reads files until none is left. */
void captures_work(const struct options *options, struct capture_jobs *jobs);

#endif
