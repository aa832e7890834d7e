/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "from_captures.h"

#include "capture_reader.h"
#include "progress.h"

#include "system/clock.h"
#include "system/event_loop.h"
#include "system/message.h"
#include "capture/not_opened.h"
#include "stats/losses.h"
#include "system/stopping.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/timerfd.h>
#include <time.h>

static void read_stats(const struct capture_reader *reader, struct stats *now)
{
	const struct sink_counts sinks = pipeline_counts(reader->pipeline);
	const __u32 kinds = reader->options->track.events;
	struct job_counts counts = {};

	capture_reader_counts(reader, &counts);
	stats_read(now, counts.packets, counts.counters, &sinks);
	if (kinds & ~EVENTS_BANNER)
		stats_read_events(now, kinds, &counts.events);
}

static void print_stats(struct capture_reader *reader,
			enum report_reason reason)
{
	struct stats now;

	read_stats(reader, &now);
	report_print(&reader->report, &now, reason);
}

/* --- signals and timers -------------------------------------------------- */

static struct events events = { .fd = -1 };
static int quiet_fd = -1; /* the timer of greetings */

static void on_stop(void *context)
{
	(void)context;
	stopping();
}

static void on_hangup(void *context)
{
	const struct capture_reader *reader = context;

	pipeline_reopen(reader->pipeline);
}

static void on_stats_timer(void *context)
{
	print_stats(context, REPORT_INTERVAL);
}

static void on_user_signal(void *context)
{
	print_stats(context, REPORT_SIGNAL);
}

/* From a pipe, a greeting also counts as quiet if no packet arrives at all. */
static void set_quiet_timer(const struct capture_reader *reader)
{
	const __u64 deadline = pipeline_deadline(reader->pipeline);
	const struct options *options = reader->options;
	const __s64 most = (__s64)NS_PER_MS * (options->unfinished_ms ?
						       options->unfinished_ms :
						       options->gather_ms);
	__s64 left = (__s64)(deadline - reader->last_time);
	__u64 at;
	struct itimerspec timer = {};

	/* Packets without a time, or with one far off, delay no greeting. */
	if (left > most)
		left = most;
	at = reader->came_at + (__u64)(left > 0 ? left : 0);
	if (deadline) {
		timer.it_value.tv_sec = (time_t)(at / NS_PER_SECOND);
		timer.it_value.tv_nsec = (long)(at % NS_PER_SECOND);
	}
	timerfd_settime(quiet_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void on_quiet_timer(void *context)
{
	const struct capture_reader *reader = context;

	/* In a file, the packets' times are the clock. */
	if (reader->packet_reader.source.is_regular)
		return;
	pipeline_expire(reader->pipeline,
			reader->last_time + monotonic_ns() - reader->came_at);
	pipeline_flush(reader->pipeline);
	set_quiet_timer(reader);
}

/* The keeper has sent changes: the inventory's sink takes them. */
static void on_sink(void *context)
{
	const struct capture_reader *reader = context;

	pipeline_flush(reader->pipeline);
}

static bool open_pipeline(const struct capture_reader *reader)
{
	int input;

	if (pipeline_open(reader->pipeline))
		return false;
	input = pipeline_input(reader->pipeline);
	return input < 0 || !events_watch(&events, input, on_sink);
}

int captures_open_events(const struct options *options, bool is_job)
{
	int error = events_open(&events, NULL);
	int stop_fd = stopping_open();

	if (!error)
		error = stop_fd < 0 ? stop_fd :
				      events_watch(&events, stop_fd, on_stop);
	if (!error && !is_job)
		error = events_signal(&events, SIGHUP, on_hangup);
	if (!error && !is_job)
		error = events_signal(&events, SIGUSR1, on_user_signal);
	if (!error && !is_job && options->stats_seconds) {
		int timer = events_timer(&events, options->stats_seconds,
					 on_stats_timer);

		error = timer < 0 ? timer : 0;
	}
	if (!error && options->gather_ms) {
		quiet_fd = events_timer(&events, 0, on_quiet_timer);
		error = quiet_fd < 0 ? quiet_fd : 0;
	}
	if (error)
		message("setting up the event loop: %s", strerror(-error));
	return error;
}

/*
 * Handles pending signals and timers, and waits until a pipe can be read.
 * False: the reading is to end.
 */
static bool wait_for_bytes(int fd, void *context)
{
	const struct capture_reader *reader = context;
	const bool waits = fd >= 0 && !reader->packet_reader.source.is_regular;

	return events_wait(&events, fd, waits) &&
	       !pipeline_is_over(reader->pipeline);
}

bool capture_reader_serve(struct capture_reader *reader)
{
	return events_wait(&events, -1, false) &&
	       !pipeline_is_over(reader->pipeline);
}

int capture_reader_events(struct capture_reader *reader)
{
	events.context = reader;
	return events.fd;
}

/* From a pipe with a running capture, each event is written at once. */
static void keep_up(struct capture_reader *reader)
{
	pipeline_flush(reader->pipeline);
	if (!reader->options->gather_ms)
		return;
	reader->came_at = monotonic_ns();
	set_quiet_timer(reader);
}

/* --- files --------------------------------------------------------------- */

static void show_progress(const struct capture_reader *reader)
{
	const struct capture_list *list = &reader->jobs->list;
	const struct progress progress = {
		.path = reader->file->path,
		.file = (size_t)(reader->file - list->files) + 1,
		.files = list->count,
		.done = reader->bytes_done +
			reader->packet_reader.source.bytes_read,
		.size = list->size,
		.packets = reader->packets,
		.banners = reader->engine.counters[COUNT_BANNER],
	};

	if (!reader->is_job)
		progress_show(&progress);
}

/* The packets' bytes become invalid: their batch is tracked first. */
static void let_go(void *context)
{
	struct capture_reader *reader = context;

	if (!reader->batch.count)
		return;
	capture_batch_track(reader);
	if (reader->packet_reader.source.is_regular)
		show_progress(reader);
}

static void end_sequence(struct capture_reader *reader)
{
	engine_finish(&reader->engine);
	pipeline_forget(reader->pipeline);
	origins_clear(&reader->origins);
}

/*
 * Reads all packets. READ_FAILED, with a message: not to the end. A packet of a
 * mapped file is tracked after the next one was read, as the source then knows
 * that the file had its bytes.
 */
static enum read_result read_packets(struct capture_reader *reader)
{
	struct packet_reader *packets = &reader->packet_reader;
	const bool stream = !packets->source.is_regular;
	struct captured_packet packet;
	enum read_result result;

	while ((result = packet_reader_next(packets, &packet)) == READ_DONE) {
		if (packets->packets == 1)
			sequence_check(&reader->sequence,
				       capture_name_of(reader), packet.time);
		if (packet_batch_is_full(&reader->batch) &&
		    !capture_batch_track(reader))
			return READ_STOPPED;
		packet_batch_add(&reader->batch, &packet);
		if (!stream)
			continue;
		if (!capture_batch_track(reader))
			return READ_STOPPED;
		keep_up(reader);
	}
	source_has(&packets->source, source_offset(&packets->source));
	capture_batch_track(reader);
	if (result == READ_FAILED)
		message("%s: %s", capture_name_of(reader), packets->problem);
	return result;
}

/* Whether all packets of a capture have link types that are not known. */
static bool report_not_opened(const struct capture_reader *reader,
			      const __u64 before[COUNTER_MAX])
{
	const __u64 packets = reader->packet_reader.packets;
	__u64 counters[COUNTER_MAX];

	for (int i = 0; i < COUNTER_MAX; i++)
		counters[i] = reader->engine.counters[i] - before[i];
	not_opened_report(capture_name_of(reader), packets, counters,
			  reader->unknown_link_type,
			  &reader->engine.settings.track.decap);
	return packets && counters[COUNT_NOT_OPENED_LINK_TYPE] == packets;
}

bool capture_reader_begin(struct capture_reader *reader)
{
	if (!reader->is_open && !open_pipeline(reader))
		reader->must_end = true; /* all events would be lost */
	else
		reader->is_open = true;
	return reader->is_open;
}

/* Reads an open file. READ_FAILED, with a message: not to the end. */
static enum read_result read_capture(struct capture_reader *reader)
{
	enum read_result result = packet_reader_begin(&reader->packet_reader);
	__u64 before[COUNTER_MAX];

	if (result == READ_FAILED)
		message("%s: %s", capture_name_of(reader),
			reader->packet_reader.problem);
	if (result != READ_DONE)
		return result;
	if (!capture_reader_begin(reader))
		return READ_FAILED;
	memcpy(before, reader->engine.counters, sizeof(before));
	result = read_packets(reader);
	message_clear_status();
	if (report_not_opened(reader, before))
		result = READ_FAILED;
	if (reader->options->sequence) {
		reader->sequence.path = capture_name_of(reader);
		reader->sequence.end = reader->last_time;
	} else {
		end_sequence(reader);
	}
	pipeline_flush(reader->pipeline);
	return result;
}

/* Why root may not read a file. A confined process cannot call geteuid(). */
static const char *advice_on(const struct capture_reader *reader, int error)
{
	return error == -EACCES && reader->options->identify &&
			       !getauxval(AT_EUID) ?
		       ": with --identify root gives up its capabilities: run "
		       "bannerprobe as the file's owner" :
		       "";
}

enum job_flags capture_reader_file(struct capture_reader *reader,
				   struct capture_file *file)
{
	struct packet_reader *packets = &reader->packet_reader;
	enum read_result result = READ_FAILED;
	enum job_flags flags = 0;
	int error;

	reader->file = file;
	*packets = (struct packet_reader){};
	error = source_open(&packets->source, file->path, file->directory,
			    wait_for_bytes, reader);
	packets->source.let_go = let_go;
	if (error) {
		message("%s: %s%s", capture_name_of(reader), strerror(-error),
			advice_on(reader, error));
	} else {
		result = read_capture(reader);
		if (result == READ_NO_CAPTURE && !file->directory)
			message("%s: %s", capture_name_of(reader),
				packets->problem);
		packet_reader_close(packets);
	}
	reader->bytes_done += file->size;
	if (result != READ_NO_CAPTURE)
		flags |= JOB_IS_CAPTURE;
	if (result != READ_FAILED &&
	    (result != READ_NO_CAPTURE || file->directory))
		flags |= JOB_READ;
	return reader->is_open ? flags | JOB_IS_OPEN : flags;
}

/* Reads a file, here or by a process of -j. False: the reading is to end. */
static bool read_one(struct capture_reader *reader, struct capture_file *file,
		     enum exit_code *code)
{
	enum job_flags flags = 0;
	bool goes_on = true;

	if (reader->jobs->count)
		goes_on = capture_reader_listen(reader, file, &flags);
	else
		flags = capture_reader_file(reader, file);
	capture_list_done(&reader->jobs->list, file, flags & JOB_IS_CAPTURE);
	goes_on &= !stopping() && !pipeline_is_over(reader->pipeline);
	if (!(flags & JOB_READ) && (goes_on || !reader->jobs->count))
		*code = EXIT_FAILED;
	return goes_on && !reader->must_end;
}

static enum exit_code read_files(struct capture_reader *reader)
{
	const struct options *options = reader->options;
	const struct capture_list *list = &reader->jobs->list;
	enum exit_code code = EXIT_DONE;
	struct stats now;
	size_t i = 0;

	while (i < list->count && read_one(reader, &list->files[i], &code))
		i++;
	if (list->is_incomplete)
		code = EXIT_FAILED;
	end_sequence(reader);
	pipeline_close(reader->pipeline);
	if (options->stats)
		print_stats(reader, REPORT_END);
	read_stats(reader, &now);
	if (!pipeline_is_over(reader->pipeline))
		losses_print(&now);
	return pipeline_exit_code(reader->pipeline, code);
}

bool capture_reader_open(struct capture_reader *reader)
{
	const struct options *options = reader->options;

	if (!engine_open(&reader->engine, options->max_flows, options->length,
			 capture_event, reader) ||
	    !packet_batch_open(&reader->batch, &reader->engine) ||
	    (!reader->jobs->is_listed &&
	     !capture_list_fill(&reader->jobs->list, options->names,
				options->count)))
		return false;
	reader->engine.wants_part = capture_wants_part;
	reader->engine.has_bytes = capture_has_bytes;
	reader->engine.note_place = capture_note_place;
	reader->engine.servers = &options->wanted;
	reader->engine.settings.track = options->track;
	return pipeline_prepare(reader->pipeline, options, capture_source_of,
				reader);
}

void capture_reader_close(struct capture_reader *reader)
{
	pipeline_free(reader->pipeline);
	origins_clear(&reader->origins);
	packet_batch_close(&reader->batch);
	engine_close(&reader->engine);
}

enum exit_code captures_run(const struct options *options,
			    struct pipeline *pipeline,
			    struct capture_jobs *jobs)
{
	struct capture_reader reader = { .options = options,
					 .pipeline = pipeline,
					 .jobs = jobs,
					 .report.format =
						 options->stats_format };
	enum exit_code code = EXIT_FAILED;

	events.context = &reader;
	pipeline->source_waits = true;
	if (capture_reader_open(&reader))
		code = read_files(&reader);
	else
		message("out of memory");
	capture_reader_close(&reader);
	return code;
}
