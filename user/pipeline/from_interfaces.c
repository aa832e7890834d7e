/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attacher. It reads no event: the reader does. */
#include "from_interfaces.h"

#include "attach/address_maps.h"
#include "attach/guard.h"
#include "attach/interfaces.h"
#include "attach/links.h"
#include "system/netlink.h"
#include "attach/programs.h"
#include "keeper_process.h"
#include "reader_process.h"
#include "stats/metrics.h"
#include "system/event_loop.h"
#include "system/message.h"
#include "system/notify.h"
#include "system/privileges.h"
#include "system/stopping.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "bannerprobe.skel.h"

#define STATUS_SECONDS 1 /* between two status lines */

struct attacher {
	const struct options *options;
	struct file_helper *helper; /* opens files */
	struct reader_process reader;
	struct keeper_process keeper;
	struct inventory_sink *inventory; /* or NULL */
	struct bannerprobe_bpf *bpf;
	struct publisher *publisher;
	struct interfaces interfaces;
	struct mnl_socket *links;
	struct address_maps addresses; /* of this host */
	struct events events;
	bool has_written; /* the reader has written its first event */
	bool ready;	  /* all is attached, and a message said so */
	bool stop;
	enum exit_code code;
};

/* --- what is published ------------------------------------------------ */

static void publish(struct attacher *attacher)
{
	__u64 counters[COUNTER_MAX];
	struct event_counts events;

	programs_read_counters(attacher->bpf, &attacher->options->track,
			       counters, &events);
	interfaces_publish(&attacher->interfaces, counters, &events);
}

/* Publishes the counts, and posts a job for the reader. */
static void publish_for(struct attacher *attacher, enum job job)
{
	publish(attacher);
	reader_link_post(&attacher->reader.link, job);
}

static void publish_metrics(struct attacher *attacher)
{
	if (attacher->options->metrics)
		publish_for(attacher, JOB_METRICS);
}

/* --- the event loop --------------------------------------------------- */

static void on_left(void *context)
{
	struct attacher *attacher = context;

	reader_link_post(&attacher->reader.link, JOB_LEFT);
}

static void on_links(void *context)
{
	struct attacher *attacher = context;

	interfaces_follow(&attacher->interfaces, attacher->links);
}

static void on_addresses(void *context)
{
	struct attacher *attacher = context;

	address_maps_follow(&attacher->addresses);
}

static void on_stop(void *context)
{
	(void)context;
	stopping();
}

static void on_hangup(void *context)
{
	struct attacher *attacher = context;

	reader_link_post(&attacher->reader.link, JOB_REOPEN);
}

static void on_user_signal(void *context)
{
	publish_for(context, JOB_SIGNAL);
}

static void on_stats_timer(void *context)
{
	publish_for(context, JOB_INTERVAL);
}

static void on_metrics_timer(void *context)
{
	publish_metrics(context);
}

static void on_status_timer(void *context)
{
	struct attacher *attacher = context;

	if (!attacher->has_written)
		publish_for(attacher, JOB_STATUS);
}

/* The answer shows that neither of the two processes hangs. */
static void on_watchdog_timer(void *context)
{
	struct attacher *attacher = context;

	reader_link_post(&attacher->reader.link, JOB_ANSWER);
}

/* A process has ended that the run needs: the run fails. */
static void on_death(struct attacher *attacher, const char *what)
{
	if (!attacher->stop && !stopping()) {
		if (what)
			message("the process that %s has ended", what);
		attacher->code = EXIT_FAILED;
	}
	attacher->stop = true;
	stop_now();
}

static void on_reader(void *context)
{
	struct attacher *attacher = context;
	const int word = reader_link_hear(&attacher->reader.link);

	attacher->has_written |= word == WORD_WRITTEN;
	attacher->stop |= word == WORD_OVER;
	if (word == WORD_ALIVE)
		notify_alive();
	if (word < 0)
		on_death(attacher, NULL); /* its exit status will be reported */
}

static void on_helper_death(void *context)
{
	on_death(context, "opens files");
}

/* Keeper and owner process: no message, since their exit status is reported. */
static void on_other_death(void *context)
{
	on_death(context, NULL);
}

static void on_guard_death(void *context)
{
	on_death(context, "removes tc filters after a SIGKILL");
}

/* Called between two interfaces while attaching to many. */
static bool is_stopped(void *context)
{
	const struct attacher *attacher = context;

	return attacher->stop || stopping() ||
	       process_has_ended(&attacher->reader.process);
}

/* --- start ------------------------------------------------------------ */

/*
 * Finds the user to change to, and starts the file helper. No other process
 * needs to open, rename or remove files.
 */
static bool choose_identity(struct attacher *attacher,
			    struct identity *identity)
{
	const struct options *options = attacher->options;
	struct file_helper *helper = attacher->helper;

	if (!privileges_find_user(identity, options->user)) {
		attacher->code = EXIT_USAGE;
		return false;
	}
	/* An error is reported when the metrics are first written. */
	if (options->metrics)
		files_find_metrics(&helper->files, options->metrics);
	return (!options->metrics && !options->output) ||
	       !file_helper_start(helper, options->unconfined);
}

/* Calls each handler every so many seconds; 0: never. */
static int open_timers(struct attacher *attacher)
{
	const struct options *options = attacher->options;
	const struct {
		unsigned int seconds;
		event_handler *handler;
	} timers[] = {
		{ options->stats_seconds, on_stats_timer },
		{ options->metrics ? METRICS_SECONDS : 0, on_metrics_timer },
		{ isatty(STDERR_FILENO) ? STATUS_SECONDS : 0, on_status_timer },
		{ notify_watchdog_seconds(), on_watchdog_timer },
	};
	int fd = 0;

	for (size_t i = 0; i < sizeof(timers) / sizeof(*timers); i++) {
		if (timers[i].seconds && fd >= 0)
			fd = events_timer(&attacher->events, timers[i].seconds,
					  timers[i].handler);
	}
	return fd < 0 ? fd : 0;
}

/* Calls the handler when the process ends. `fd` -1: there is no process. */
static int watch_process(struct attacher *attacher, int fd,
			 event_handler *handler)
{
	return fd < 0 ? 0 : events_watch(&attacher->events, fd, handler);
}

static int watch_processes(struct attacher *attacher)
{
	int error = events_watch(&attacher->events,
				 attacher->reader.link.socket, on_reader);

	if (!error)
		error = watch_process(attacher, attacher->helper->process.ended,
				      on_helper_death);
	if (!error)
		error = watch_process(attacher, attacher->keeper.process.ended,
				      on_other_death);
	if (!error)
		error = watch_process(attacher,
				      attacher->reader.owner.process.ended,
				      on_other_death);
	return error;
}

static bool open_events(struct attacher *attacher)
{
	struct events *events = &attacher->events;
	int error = events_open(events, attacher);

	if (!error)
		error = events_signal(events, SIGHUP, on_hangup);
	if (!error)
		error = events_signal(events, SIGUSR1, on_user_signal);
	if (!error)
		error = open_timers(attacher);
	if (!error)
		error = watch_processes(attacher);
	attacher->links =
		links_watch(interfaces_may_need_clsact(&attacher->interfaces));
	if (!error)
		error = attacher->links ?
				events_watch(events,
					     netlink_fd(attacher->links),
					     on_links) :
				-errno;
	if (error)
		message("setting up the event loop: %s", strerror(-error));
	return !error;
}

/*
 * Before this, signals end the process at once: nothing is attached yet, and
 * loading may take seconds.
 */
static bool watch_stop(struct attacher *attacher)
{
	const int stop_fd = stopping_open();
	int error = stop_fd < 0 ?
			    stop_fd :
			    events_watch(&attacher->events, stop_fd, on_stop);

	if (!error)
		error = watch_process(attacher, guard_fd(), on_guard_death);
	if (error)
		message("waiting for signals: %s", strerror(-error));
	return !error;
}

static bool open_addresses(struct attacher *attacher)
{
	return !address_maps_open(&attacher->addresses, attacher->bpf,
				  &attacher->options->wanted) &&
	       !events_watch(&attacher->events,
			     address_maps_fd(&attacher->addresses),
			     on_addresses);
}

/* Called when everything is loaded. */
static bool give_up_privileges(const struct attacher *attacher,
			       const struct identity *identity)
{
	const bool may_fail = attacher->options->unconfined;

	privileges_tell_user(identity);
	return (!privileges_drop(identity, ROLE_ATTACH) || may_fail) &&
	       privileges_confine_or_tell(ROLE_ATTACH, may_fail);
}

static bool load(struct attacher *attacher, const struct identity *identity)
{
	const struct options *options = attacher->options;

	if (interfaces_may_need_clsact(&attacher->interfaces))
		guard_start(identity);
	attacher->bpf = programs_load(
		interfaces_programs(&attacher->interfaces), options->length,
		options->max_flows, &options->track, &options->wanted);
	if (!attacher->bpf)
		return false;
	attacher->interfaces.bpf = attacher->bpf;
	guard_begin();
	clsact_open();
	return watch_stop(attacher) &&
	       reader_process_begin(&attacher->reader, attacher->bpf) &&
	       open_addresses(attacher) &&
	       give_up_privileges(attacher, identity);
}

/* The last step of the start: has the reader open the sinks. */
static bool begin_run(struct attacher *attacher)
{
	attacher->code = EXIT_DONE;
	if (!attacher->options->check &&
	    !reader_process_open(&attacher->reader)) {
		attacher->code = EXIT_FAILED;
		return false;
	}
	interfaces_tell(&attacher->interfaces);
	/* --check ends here, and leaves nothing behind. */
	return !attacher->options->check;
}

/* Tries the metrics' file, and starts the keeper. */
static bool start_others(struct attacher *attacher,
			 const struct identity *identity)
{
	const struct options *options = attacher->options;
	enum exit_code code = EXIT_DONE;

	if (!metrics_try(attacher->helper, options))
		code = EXIT_FAILED;
	else if (attacher->inventory)
		code = keeper_process_start(&attacher->keeper, options,
					    identity, attacher->inventory);
	if (code != EXIT_DONE)
		attacher->code = code;
	return code == EXIT_DONE;
}

/* Called before other descriptors are opened: the reader inherits none. */
static bool start_processes(struct attacher *attacher,
			    struct pipeline *pipeline,
			    struct identity *identity)
{
	if (!choose_identity(attacher, identity) ||
	    !start_others(attacher, identity) ||
	    reader_process_start(&attacher->reader, attacher->options, pipeline,
				 attacher->helper, identity))
		return false;
	attacher->publisher = publisher_new(attacher->reader.link.published);
	attacher->interfaces.publisher = attacher->publisher;
	if (!attacher->publisher)
		message("out of memory");
	return attacher->publisher;
}

/* The whole start, up to the first event. */
static bool start(struct attacher *attacher, struct pipeline *pipeline)
{
	struct identity identity;

	attacher->code = EXIT_ATTACH;
	attach_prepare();
	/* Links are watched before they are dumped, so that none is missed. */
	return start_processes(attacher, pipeline, &identity) &&
	       open_events(attacher) &&
	       interfaces_find(&attacher->interfaces) &&
	       load(attacher, &identity) &&
	       /* Attached after privileges are given up, as later ones are. */
	       interfaces_attach(&attacher->interfaces) && begin_run(attacher);
}

/* --- run and end ------------------------------------------------------ */

/* Reports READY once each interface is attached, or a message gave a reason. */
static void tell_ready(struct attacher *attacher)
{
	if (attacher->ready)
		return;
	attacher->ready = true;
	publish_metrics(attacher);
	notify_ready();
}

static void run(struct attacher *attacher)
{
	while (!attacher->stop && !stopping()) {
		int wait;

		if (!interfaces_work(&attacher->interfaces, &wait)) {
			attacher->code = EXIT_FAILED;
			break;
		}
		if (wait)
			tell_ready(attacher);
		events_serve(&attacher->events, wait);
	}
}

/*
 * Detaches before the reader gets its last job, so that ring buffer and
 * counters do not change any more.
 */
static void finish(struct attacher *attacher)
{
	message_clear_status();
	notify_stopping();
	interfaces_detach(&attacher->interfaces);
	publish(attacher);
	reader_process_finish(&attacher->reader);
}

/*
 * Waits for the reader's end. The reader's exit code is used unless this
 * process has failed.
 */
static void end_processes(struct attacher *attacher, bool has_run)
{
	enum exit_code code;

	guard_stop();
	if (!has_run)
		reader_link_close(&attacher->reader.link);
	code = reader_process_end(&attacher->reader);
	if (attacher->code == EXIT_DONE || (!has_run && code != EXIT_DONE))
		attacher->code = code;
	attacher->code = keeper_process_end(&attacher->keeper, attacher->code);
	file_helper_stop(attacher->helper);
}

enum exit_code interfaces_run(const struct options *options,
			      struct pipeline *pipeline,
			      struct file_helper *helper,
			      struct inventory_sink *inventory)
{
	struct attacher attacher = {
		.options = options,
		.helper = helper,
		.reader = READER_PROCESS_NONE,
		.keeper = KEEPER_PROCESS_NONE,
		.inventory = inventory,
		.interfaces = { .options = options,
				.left = on_left,
				.is_stopped = is_stopped,
				.context = &attacher },
		.events = { .fd = -1 },
	};
	const bool has_run = start(&attacher, pipeline);

	if (has_run) {
		run(&attacher);
		finish(&attacher);
	}
	interfaces_detach(&attacher.interfaces);
	end_processes(&attacher, has_run);
	bannerprobe_bpf__destroy(attacher.bpf);
	address_maps_close(&attacher.addresses);
	netlink_close(attacher.links);
	events_close(&attacher.events);
	interfaces_free(&attacher.interfaces);
	publisher_free(attacher.publisher);
	return attacher.code;
}
