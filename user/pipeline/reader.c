/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "reader.h"

#include "attach/rings.h"
#include "identifying.h"
#include "reader_source.h"
#include "stats/losses.h"
#include "stats/metrics.h"
#include "stats/stats_report.h"
#include "system/clock.h"
#include "system/event_loop.h"
#include "system/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/*
 * How long the reader lets events collect, in microseconds. A wakeup for each
 * event would cost more than all other work for it. The ring buffer has room
 * for a hundred times as many events as arrive in that time on a busy host.
 */
#define BATCH_TIME 5000

#define BATCH_MAX 4096 /* events before jobs and timers are handled */
#define RING_BATCHES 4 /* batches that hold all that the ring buffers hold */

#define RETRY_MILLISECONDS 20 /* until the next flush, if a sink holds back */

struct reader {
	const struct options *options;
	struct pipeline *pipeline;
	struct file_helper *helper;
	struct reader_link *link;
	struct rings *rings;
	struct events events;
	int quiet_fd;	    /* timer: a greeting has been quiet long enough */
	unsigned int batch; /* events of this batch so far */
	struct reader_source source;
	__u64 left_since; /* names that ended before this are handled */
	struct report report;
	int metrics_error; /* the last one, as errno; it is reported once */
	bool has_written;  /* an event, and reported that to the attacher */
	bool has_said_over;
	bool holds_back; /* a sink does: flush it again */
	bool is_done;
	enum exit_code code;
};

/* --- events -------------------------------------------------------------- */

/* Ends the batch in time, so that other work does not wait. */
static bool on_event(void *context, const struct event *event, size_t size)
{
	struct reader *reader = context;

	(void)size;
	pipeline_take(reader->pipeline, event);
	return ++reader->batch % BATCH_MAX;
}

/* Ends the greetings that have been quiet since before `now`. */
static void expire_greetings(struct reader *reader, __u64 now)
{
	struct itimerspec timer = {};
	__u64 deadline;

	pipeline_expire(reader->pipeline, now);
	deadline = pipeline_deadline(reader->pipeline);
	timer.it_value.tv_sec = (time_t)(deadline / NS_PER_SECOND);
	timer.it_value.tv_nsec = (long)(deadline % NS_PER_SECOND);
	timerfd_settime(reader->quiet_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

/* Reports to the attacher what happened to the events. */
static void tell_attacher(struct reader *reader)
{
	if (!reader->has_written && pipeline_counts(reader->pipeline).written) {
		reader->has_written = true;
		reader_link_say(reader->link, WORD_WRITTEN);
	}
	if (!reader->has_said_over && pipeline_is_over(reader->pipeline)) {
		reader->has_said_over = true;
		reader_link_say(reader->link, WORD_OVER);
	}
}

/*
 * Handles the events that are there; false if there were too many for one
 * batch.
 */
static bool read_rings(struct reader *reader)
{
	const __u64 now = reader_source_begin(&reader->source);
	const bool is_empty = rings_consume(reader->rings);

	/* Not before all events are handled: there may be more parts. */
	if (reader->options->gather_ms)
		expire_greetings(reader, is_empty ? now : 0);
	reader->holds_back = !pipeline_flush(reader->pipeline);
	tell_attacher(reader);
	return is_empty;
}

static void on_rings(void *context)
{
	usleep(BATCH_TIME);
	read_rings(context);
}

static void on_quiet_timer(void *context)
{
	read_rings(context);
}

/*
 * Handles the events that are in the ring buffers now, and no later ones: other
 * interfaces may fill them as fast as they are emptied.
 */
static void empty_rings(struct reader *reader)
{
	for (int i = 0; i < RING_BATCHES && !read_rings(reader); i++)
		;
}

static void end_greetings(__u32 ifindex, void *context)
{
	const struct reader *reader = context;

	pipeline_end_greetings(reader->pipeline, ifindex);
}

/* An interface has gone: ends its greetings. */
static void do_left(struct reader *reader)
{
	if (!reader->options->gather_ms)
		return;
	empty_rings(reader);
	published_each_ended(reader->link->published, &reader->left_since,
			     end_greetings, reader);
	read_rings(reader);
}

/* --- statistics ---------------------------------------------------------- */

static void read_stats(struct reader *reader, struct stats *now)
{
	struct published_counts *counts = &reader->source.stats.published;
	struct sink_counts sinks;

	/* Updates the sinks' counts: the keeper counts, too. */
	pipeline_flush(reader->pipeline);
	sinks = pipeline_counts(reader->pipeline);
	reader_source_read(&reader->source);
	pipeline_read_counters(reader->pipeline, counts->counters);
	stats_read(now, counts->packets, counts->counters, &sinks);
	stats_read_events(now, reader->options->track.events, &counts->events);
}

static void print_stats(struct reader *reader, enum report_reason reason)
{
	struct stats now;

	read_stats(reader, &now);
	report_print(&reader->report, &now, reason);
}

/* Shows a status line until the first event. */
static void show_status(struct reader *reader)
{
	struct stats now;

	if (pipeline_counts(reader->pipeline).written)
		return;
	read_stats(reader, &now);
	message_status("no banner yet: %llu packets, %llu connections",
		       now.by[STATS_PACKETS], now.by[COUNT_CONNECTIONS]);
}

static void write_metrics(struct reader *reader)
{
	struct stats now;
	int error;

	if (!reader->options->metrics)
		return;
	read_stats(reader, &now);
	error = metrics_write(reader->helper, reader->options, &now,
			      &reader->source.stats);
	if (error && error != reader->metrics_error)
		message("--metrics %s: %s", reader->options->metrics,
			metrics_advice(error));
	reader->metrics_error = error;
}

/* --- jobs ---------------------------------------------------------------- */

static void do_open(struct reader *reader)
{
	const int error = pipeline_open(reader->pipeline);
	const int input = pipeline_input(reader->pipeline);

	reader->is_done = error ||
			  /* Level-triggered: changes that the log has no room
			   * for stay in the socket. */
			  (input >= 0 &&
			   events_watch(&reader->events, input, on_rings)) ||
			  events_watch(&reader->events, rings_fd(reader->rings),
				       on_rings);
	if (reader->is_done)
		reader->code = EXIT_FAILED;
	else
		reader_link_say(reader->link, WORD_OPEN);
}

/* The last job: nothing is attached, so ring buffers and counters are final. */
static void do_last(struct reader *reader)
{
	struct stats now;

	reader->is_done = true;
	message_clear_status();
	empty_rings(reader);
	pipeline_end_greetings(reader->pipeline, 0);
	pipeline_close(reader->pipeline);
	write_metrics(reader);
	if (reader->options->stats)
		print_stats(reader, REPORT_END);
	read_stats(reader, &now);
	if (pipeline_is_over(reader->pipeline))
		return; /* the log's consumer has closed the pipe */
	losses_print(&now);
	if (now.by[COUNT_LOST_RING] + now.by[COUNT_LOST_PART])
		reader->code = EXIT_LOST;
}

static void do_job(struct reader *reader, enum job job)
{
	switch (job) {
	case JOB_OPEN:
		do_open(reader);
		break;
	case JOB_LEFT:
		do_left(reader);
		break;
	case JOB_REOPEN:
		pipeline_reopen(reader->pipeline);
		tell_attacher(reader);
		break;
	case JOB_STATUS:
		show_status(reader);
		break;
	case JOB_INTERVAL:
		print_stats(reader, REPORT_INTERVAL);
		break;
	case JOB_SIGNAL:
		print_stats(reader, REPORT_SIGNAL);
		break;
	case JOB_METRICS:
		write_metrics(reader);
		break;
	case JOB_ANSWER:
		reader_link_say(reader->link, WORD_ALIVE);
		break;
	case JOB_LAST:
		do_last(reader);
		break;
	}
}

static void on_jobs(void *context)
{
	struct reader *reader = context;
	__u32 jobs = 0;

	if (!reader_link_take_jobs(reader->link, &jobs)) {
		reader->is_done = true; /* the attacher has ended */
		return;
	}
	for (int job = 0; job <= JOB_LAST && !reader->is_done; job++) {
		if (jobs >> job & 1)
			do_job(reader, (enum job)job);
	}
}

/* --- start --------------------------------------------------------------- */

/* Called before the process is confined: later no bpf(2) is allowed. */
static bool open_rings(struct reader *reader)
{
	int maps[RINGS_MAX];
	const int count = reader_link_receive_rings(reader->link, maps);

	if (count < 0) {
		reader->code = EXIT_DONE; /* the attacher printed the reason */
		return false;
	}
	reader->rings = rings_open(maps, (unsigned int)count, on_event, reader);
	if (!reader->rings)
		message("opening the ring buffers: %s", strerror(errno));
	/* They are mapped, and the epoll descriptor works without bpf(2). */
	for (int i = 0; i < count; i++)
		close(maps[i]);
	return reader->rings;
}

static bool open_events(struct reader *reader)
{
	int error = events_open(&reader->events, reader);

	if (!error)
		error = events_watch(&reader->events, reader->link->socket,
				     on_jobs);
	if (!error && reader->options->gather_ms) {
		reader->quiet_fd =
			events_timer(&reader->events, 0, on_quiet_timer);
		error = reader->quiet_fd < 0 ? reader->quiet_fd : 0;
	}
	if (error)
		message("setting up the event loop: %s", strerror(-error));
	return !error;
}

static bool open_owners(struct reader *reader, const struct reader_needs *needs)
{
	if (needs->owners < 0)
		return true;
	reader->source.owners =
		owner_client_open(needs->owners, needs->owner_counters);
	return reader->source.owners;
}

static bool prepare_pipeline(struct reader *reader,
			     const struct reader_needs *needs)
{
	if (reader_source_open(&reader->source, reader->link->published) &&
	    open_owners(reader, needs) &&
	    pipeline_prepare(reader->pipeline, reader->options,
			     reader_source_find, &reader->source))
		return true;
	message("out of memory");
	return false;
}

/* The C library opens the time zone's file at first use: that has to be now. */
static void load_time_zone(void)
{
	if (!getenv("TZ"))
		setenv("TZ", ":/etc/localtime", 1);
	tzset();
}

static bool drop(const struct reader_needs *needs)
{
	return !privileges_drop(needs->identity, ROLE_READ) ||
	       needs->options->unconfined;
}

static bool confine(const struct reader_needs *needs)
{
	const bool may_fail = needs->options->unconfined;
	int error = privileges_limit();

	if (error)
		message("limiting resources: %s", strerror(-error));
	return (!error || may_fail) &&
	       privileges_confine_or_tell(ROLE_READ, may_fail);
}

static bool start(struct reader *reader, const struct reader_needs *needs)
{
	reader->code = EXIT_FAILED;
	load_time_zone();
	if (!open_events(reader) || !prepare_pipeline(reader, needs) ||
	    !open_rings(reader))
		return false;
	reader->code = EXIT_ATTACH;
	if (!drop(needs))
		return false;
	/* Rules are untrusted text: they are read without a capability. */
	reader->code = EXIT_FAILED;
	if (!identifying_open(reader->pipeline, reader->options))
		return false;
	reader->code = EXIT_ATTACH;
	if (!confine(needs))
		return false;
	reader->code = EXIT_DONE;
	reader_link_say(reader->link, WORD_READY);
	return true;
}

static void run(struct reader *reader)
{
	while (!reader->is_done) {
		events_serve(&reader->events,
			     reader->holds_back ? RETRY_MILLISECONDS : -1);
		if (reader->holds_back && !reader->is_done)
			read_rings(reader);
	}
}

enum exit_code reader_run(const struct reader_needs *needs)
{
	struct reader reader = {
		.options = needs->options,
		.pipeline = needs->pipeline,
		.helper = needs->helper,
		.link = needs->link,
		.events = { .fd = -1 },
		.report = { .format = needs->options->stats_format,
			    .write_interfaces = interface_stats_write_json,
			    .print_interfaces = interface_stats_print,
			    .interfaces = &reader.source.stats },
	};

	if (start(&reader, needs))
		run(&reader);
	pipeline_close(reader.pipeline);
	owner_client_close(reader.source.owners);
	file_helper_leave(reader.helper);
	return pipeline_exit_code(reader.pipeline, reader.code);
}
