/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* -j: both ends of the pipes by which processes send captures' events. */
#include "capture_reader.h"
#include "from_captures.h"
#include "identifying.h"
#include "system/message.h"
#include "system/stopping.h"

void capture_reader_counts(const struct capture_reader *reader,
			   struct job_counts *counts)
{
	if (reader->jobs->count) {
		capture_jobs_counts(reader->jobs, counts);
		/* This is done where the log is written. */
		identifying_read_counters(reader->pipeline, counts->counters);
		return;
	}
	counts->packets = reader->packets;
	engine_read_counters(&reader->engine, counts->counters);
	pipeline_read_counters(reader->pipeline, counts->counters);
	engine_read_events(&reader->engine, &counts->events);
}

/* --- a process that reads ------------------------------------------------- */

static void read_files_taken(struct capture_reader *reader)
{
	struct capture_file *file;
	struct job_counts counts;
	enum job_flags flags;

	while ((file = capture_jobs_take(reader->jobs))) {
		flags = capture_reader_file(reader, file);
		counts = (struct job_counts){};
		capture_reader_counts(reader, &counts);
		if (!capture_jobs_done(reader->jobs, flags, &counts) ||
		    stopping() || reader->must_end)
			break;
	}
}

void captures_work(const struct options *options, struct capture_jobs *jobs)
{
	struct pipeline pipeline = {};
	struct capture_reader reader = { .options = options,
					 .pipeline = &pipeline,
					 .jobs = jobs,
					 .is_job = true };

	pipeline_add(&pipeline, &jobs->sink);
	pipeline.source_waits = true;
	capture_reader_events(&reader);
	if (capture_reader_open(&reader))
		read_files_taken(&reader);
	else
		message("out of memory");
	capture_reader_close(&reader);
}

/* --- the process that writes ---------------------------------------------- */

static bool take(const struct event *event, const char *capture_iface,
		 void *context)
{
	struct capture_reader *reader = context;
	struct source source = { .name = reader->file->path,
				 .capture_iface = capture_iface };

	if (!capture_reader_begin(reader))
		return false;
	pipeline_put(reader->pipeline, event, &source);
	return !pipeline_is_over(reader->pipeline);
}

static bool serve(void *context)
{
	return capture_reader_serve(context);
}

bool capture_reader_listen(struct capture_reader *reader,
			   struct capture_file *file, enum job_flags *flags)
{
	const struct job_listener listener = {
		.take = take,
		.serve = serve,
		.fd = capture_reader_events(reader),
		.context = reader,
	};
	enum job_result result;

	reader->file = file;
	result = capture_jobs_listen(reader->jobs,
				     (size_t)(file - reader->jobs->list.files),
				     &listener, flags);
	if (result == JOB_DIED && !stopping())
		message("%s: the process that reads it has ended: not read to "
			"its end",
			file->path);
	if (*flags & JOB_IS_OPEN)
		capture_reader_begin(reader);
	pipeline_forget(reader->pipeline);
	pipeline_flush(reader->pipeline);
	return result != JOB_STOPPED;
}
