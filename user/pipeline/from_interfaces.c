/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "from_interfaces.h"

#include "attach/addresses.h"
#include "system/event_loop.h"
#include "attach/guard.h"
#include "stats/interface_stats.h"
#include "attach/interfaces.h"
#include "attach/links.h"
#include "system/message.h"
#include "stats/metrics.h"
#include "attach/netlink.h"
#include "system/notify.h"
#include "attach/own_bits.h"
#include "system/privileges.h"
#include "attach/programs.h"
#include "stats/losses.h"
#include "stats/report.h"
#include "system/stopping.h"
#include "attach/filter_maps.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bannerprobe.skel.h"

#define NS_PER_SECOND 1000000000ULL

/*
 * How long records gather, in microseconds: waking up for each would cost more
 * than all else that is done for it. The ring buffer has room for a hundred
 * times as many as come in that time on a busy host.
 */
#define BATCH_TIME 5000

#define BATCH_MAX 4096 /* records between looks at other events */
#define RING_BATCHES 4 /* so many hold all that the ring can */

#define STATUS_SECONDS 1 /* from one status line to the next */

#define RETRY_MILLISECONDS                                                     \
	20 /* until a sink that holds back is asked again                      \
	    */

struct live {
	const struct options *options;
	struct pipeline *pipeline;
	struct file_helper *helper; /* opens files */
	struct bannerprobe_bpf *bpf;
	struct ring_buffer *ring;
	struct interfaces interfaces;
	struct mnl_socket *links;
	struct addresses *addresses; /* of this host */
	struct filter_maps trie;
	struct own_bits own_bits;
	int addresses_error; /* the last one, told once */
	struct events events;
	int quiet_fd;	    /* a greeting has been quiet long enough */
	unsigned int batch; /* records taken from the ring in one go */
	int metrics_error;  /* the last one, told once */
	__u64 evicted;	    /* as told the last time */
	struct report report;
	__u64 clock_offset; /* ns from CLOCK_MONOTONIC's beginning to 1970 */
	bool ready;	    /* and told so */
	bool holds_back;    /* a sink: it is to be asked again */
	bool stop;
	enum exit_code code;
};

/* --- records ----------------------------------------------------------- */

static __u64 clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (__u64)time.tv_sec * NS_PER_SECOND + (__u64)time.tv_nsec;
}

/* Called before each batch: the wall clock may have been set. */
static void read_clock_offset(struct live *live)
{
	live->clock_offset =
		clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

static struct source source_of(const struct event *event, void *context)
{
	struct live *live = context;

	return (struct source){
		.name = interfaces_banner(&live->interfaces, event->ifindex),
		.clock_offset = live->clock_offset,
	};
}

/* An error ends the batch: other events must not wait for a ring that fills. */
static int on_record(void *context, void *data, size_t size)
{
	struct live *live = context;

	(void)size;
	pipeline_take(live->pipeline, data);
	return ++live->batch % BATCH_MAX ? 0 : -EAGAIN;
}

/* Logs the greetings that have been quiet since before `now`. */
static void expire_greetings(struct live *live, __u64 now)
{
	struct itimerspec timer = {};
	__u64 deadline;

	pipeline_expire(live->pipeline, now);
	deadline = pipeline_deadline(live->pipeline);
	timer.it_value.tv_sec = (time_t)(deadline / NS_PER_SECOND);
	timer.it_value.tv_nsec = (long)(deadline % NS_PER_SECOND);
	timerfd_settime(live->quiet_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

/* Logs what is in the ring; false if that was too much for one go. */
static bool write_records(struct live *live)
{
	const __u64 now = clock_ns(CLOCK_MONOTONIC);
	bool is_empty;

	read_clock_offset(live);
	is_empty = ring_buffer__consume(live->ring) != -EAGAIN;
	if (live->options->gather_ms) /* none while parts may be in the ring */
		expire_greetings(live, is_empty ? now : 0);
	live->holds_back = !pipeline_flush(live->pipeline);
	live->stop |= pipeline_is_over(live->pipeline);
	return is_empty;
}

static void on_records(void *context)
{
	struct live *live = context;

	usleep(BATCH_TIME);
	write_records(live);
}

/* Writes what is in the ring, and ends the greetings of an interface that goes.
 */
static void write_last_records(struct live *live, unsigned int ifindex)
{
	/* Other interfaces may fill it as fast as it is emptied. */
	for (int i = 0; i < RING_BATCHES && !write_records(live); i++)
		;
	pipeline_end_greetings(live->pipeline, ifindex);
	write_records(live);
}

/* What is in the ring bears an index that tells a name only now. */
static void on_leaving(unsigned int index, void *context)
{
	write_last_records(context, index);
}

static void on_links(void *context)
{
	struct live *live = context;

	interfaces_follow(&live->interfaces, live->links);
}

/* --- the event loop ---------------------------------------------------- */

static void on_stop(void *context)
{
	(void)context;
	stopping();
}

static void on_hangup(void *context)
{
	struct live *live = context;

	pipeline_reopen(live->pipeline);
}

/* Between two interfaces, while many are attached to. */
static bool is_stopped(void *context)
{
	const struct live *live = context;

	return live->stop || stopping();
}

/* Evictions are worked out. They never fall: that would be a new beginning. */
static void read_counters(struct live *live, __u64 counters[COUNTER_MAX])
{
	programs_read_counters(live->bpf, counters);
	if (counters[COUNT_EVICTED] > live->evicted)
		live->evicted = counters[COUNT_EVICTED];
	counters[COUNT_EVICTED] = live->evicted;
	pipeline_read_counters(live->pipeline, counters);
}

static void read_stats(struct live *live, struct stats *now)
{
	const __u64 packets = interfaces_count_packets(&live->interfaces);
	const struct sink_counts counts = pipeline_counts(live->pipeline);
	__u64 counters[COUNTER_MAX];

	read_counters(live, counters);
	stats_read(now, packets, counters, &counts);
}

static void print_stats(struct live *live, enum report_reason reason)
{
	struct stats now;

	read_stats(live, &now);
	report_print(&live->report, &now, reason);
}

static void print_interfaces(const void *interfaces)
{
	interfaces_print_stats(interfaces);
}

/* Shows a status line until the first record. */
static void show_status(struct live *live)
{
	__u64 counters[COUNTER_MAX], packets;

	if (pipeline_counts(live->pipeline).written)
		return;
	packets = interfaces_count_packets(&live->interfaces);
	read_counters(live, counters);
	message_status("no banner yet: %llu packets, %llu connections", packets,
		       counters[COUNT_CONNECTIONS]);
}

static void on_stats_timer(void *context)
{
	print_stats(context, REPORT_INTERVAL);
}

static void on_user_signal(void *context)
{
	print_stats(context, REPORT_SIGNAL);
}

static const char *metrics_advice(int error)
{
	return error == -EEXIST ? "not replaced: it is no file for metrics" :
				  strerror(-error);
}

/* Tells whether they can be, before anything is attached; leaves nothing. */
static bool try_metrics(struct live *live)
{
	struct file_helper *helper = live->helper;
	int fd;

	if (!live->options->metrics)
		return true;
	fd = file_helper_ask(helper, FILE_NEW_METRICS);
	if (fd >= 0) {
		close(fd);
		file_helper_ask(helper, FILE_DROP_METRICS);
		return true;
	}
	message("--metrics %s: %s", live->options->metrics, metrics_advice(fd));
	live->code = EXIT_FAILED;
	return false;
}

static void write_metrics(struct live *live)
{
	struct stats now;
	int error;

	if (!live->options->metrics)
		return;
	read_stats(live, &now);
	error = metrics_write(live->helper, &now, &live->interfaces);
	if (error && error != live->metrics_error)
		message("--metrics %s: %s", live->options->metrics,
			metrics_advice(error));
	live->metrics_error = error;
}

static void on_quiet_timer(void *context)
{
	write_records(context);
}

static void on_status_timer(void *context)
{
	show_status(context);
}

static void on_metrics_timer(void *context)
{
	write_metrics(context);
}

/* Calls the handler every so many seconds; 0: never. */
static int open_timer(struct live *live, unsigned int seconds,
		      event_handler *handler)
{
	int fd = seconds ? events_timer(&live->events, seconds, handler) : 0;

	return fd < 0 ? fd : 0;
}

static int open_timers(struct live *live)
{
	int error =
		open_timer(live, live->options->stats_seconds, on_stats_timer);

	if (!error)
		error = open_timer(live,
				   live->options->metrics ? METRICS_SECONDS : 0,
				   on_metrics_timer);
	if (!error)
		error = open_timer(live,
				   isatty(STDERR_FILENO) ? STATUS_SECONDS : 0,
				   on_status_timer);
	return error;
}

/*
 * Until here the signals end the process, whatever it waits for: nothing is
 * attached yet, and loading may take seconds.
 */
static bool watch_stop(struct live *live)
{
	const int stop_fd = stopping_open();
	int error = stop_fd < 0 ? stop_fd :
				  events_watch(&live->events, stop_fd, on_stop);

	if (error)
		message("waiting for signals: %s", strerror(-error));
	return !error;
}

static bool open_events(struct live *live)
{
	int error = events_open(&live->events, live);

	if (!error)
		error = events_signal(&live->events, SIGHUP, on_hangup);
	if (!error)
		error = events_signal(&live->events, SIGUSR1, on_user_signal);
	if (!error)
		error = open_timers(live);
	live->links = links_watch();
	if (!error)
		error = live->links ? events_watch(&live->events,
						   netlink_fd(live->links),
						   on_links) :
				      -errno;
	if (error)
		message("setting up the event loop: %s", strerror(-error));
	return !error;
}

static void on_address(const struct net *net, bool added, void *context)
{
	struct live *live = context;
	int error = filter_maps_update(&live->trie, net);

	/* After the table that a set bit leads to. */
	own_bits_update(&live->own_bits, net, added);

	if (error)
		message("an address of this host that has %s: %s",
			added ? "come" : "gone", strerror(-error));
}

static void on_addresses(void *context)
{
	struct live *live = context;
	int error = addresses_follow(live->addresses);

	if (error && error != live->addresses_error)
		message("following this host's addresses: %s",
			strerror(-error));
	live->addresses_error = error;
}

static bool open_addresses(struct live *live)
{
	int error;

	live->addresses = addresses_open();
	if (live->addresses) {
		live->trie =
			(struct filter_maps){ bpf_map__fd(live->bpf->maps.nets),
					      &live->options->wanted,
					      addresses_nets(live->addresses) };
		error = filter_maps_fill(&live->trie);
		live->own_bits = (struct own_bits){
			.words = live->bpf->data_own->own_bits,
			.secrets = live->bpf->rodata->hash_secrets,
			.addresses = live->addresses,
		};
		own_bits_fill(&live->own_bits);
	} else {
		error = -errno;
	}
	if (!error)
		error = events_watch(&live->events,
				     addresses_fd(live->addresses),
				     on_addresses);
	if (error) {
		message("finding this host's addresses: %s", strerror(-error));
		return false;
	}
	addresses_tell(live->addresses, on_address, live);
	return true;
}

/* expire_greetings() sets the timer. */
static bool prepare_pipeline(struct live *live)
{
	if (!pipeline_prepare(live->pipeline, live->options, source_of, live)) {
		message("making room for greetings: out of memory");
		return false;
	}
	if (!live->options->gather_ms)
		return true;
	live->quiet_fd = events_timer(&live->events, 0, on_quiet_timer);
	if (live->quiet_fd < 0)
		message("setting up a timer: %s", strerror(-live->quiet_fd));
	return live->quiet_fd >= 0;
}

static bool open_ring(struct live *live)
{
	live->ring = ring_buffer__new(bpf_map__fd(live->bpf->maps.records),
				      on_record, live, NULL);
	if (live->ring &&
	    !events_watch(&live->events, ring_buffer__epoll_fd(live->ring),
			  on_records))
		return true;
	message("opening the ring buffer: %s", strerror(errno));
	return false;
}

/* Told once: all that stood at the start is attached to, or told of. */
static void tell_ready(struct live *live)
{
	if (live->ready)
		return;
	live->ready = true;
	write_metrics(live);
	notify_ready();
}

static void run(struct live *live)
{
	while (!live->stop && !stopping()) {
		int wait;

		if (!interfaces_work(&live->interfaces, &wait)) {
			live->code = EXIT_FAILED;
			break;
		}
		if (wait)
			tell_ready(live);
		if (live->stop) /* nothing can be written any more */
			break;
		if (live->holds_back) {
			events_serve(&live->events,
				     wait ? RETRY_MILLISECONDS : 0);
			write_records(live);
		} else {
			events_serve(&live->events, wait);
		}
	}
}

/*
 * The user to become, and the process that opens the output file where that one
 * may not; and the metrics, for any: to rename and remove files is nothing that
 * watching needs.
 */
static bool choose_identity(struct live *live, struct identity *identity)
{
	const struct options *options = live->options;
	struct file_helper *helper = live->helper;

	if (!privileges_find_user(identity, live->options->user)) {
		live->code = EXIT_USAGE;
		return false;
	}
	/* What is wrong with the metrics' place is told when they are written.
	 */
	if (options->metrics)
		files_find_metrics(&helper->files, options->metrics);
	if (!options->metrics && (!identity->changes || !options->output))
		return true;
	return !file_helper_start(helper, options->unconfined);
}

/* Once all is loaded. */
static bool give_up_privileges(const struct live *live,
			       const struct identity *identity)
{
	const bool may_fail = live->options->unconfined;

	return (!privileges_drop(identity) || may_fail) &&
	       privileges_confine_or_tell(ROLE_WATCH, may_fail);
}

/* Without it a SIGKILL leaves filters behind, until the next start. */
static void start_guard(const struct live *live,
			const struct identity *identity)
{
	int error;

	if (!interfaces_may_need_clsact(&live->interfaces))
		return;
	error = guard_start(identity);
	if (error)
		message("starting the process that removes tc filters after a "
			"SIGKILL: %s: the next start would remove them",
			strerror(-error));
}

/* All that can fail has not: what is seen from now on is written. */
static bool begin_run(struct live *live)
{
	live->code = EXIT_DONE;
	if (!live->options->check && pipeline_open(live->pipeline)) {
		live->code = EXIT_FAILED;
		return false;
	}
	interfaces_tell(&live->interfaces);
	if (live->options->check)
		return false; /* as a start, up to here, and leaves nothing */
	return true;
}

/* Everything up to the first packet. */
static bool start(struct live *live)
{
	struct identity identity;

	live->code = EXIT_ATTACH;
	attach_prepare();
	if (!choose_identity(live, &identity) || !try_metrics(live))
		return false;
	/* Links are watched before they are looked up: none can slip away. */
	if (!open_events(live) || !interfaces_find(&live->interfaces))
		return false;
	live->bpf =
		programs_load(interfaces_programs(&live->interfaces),
			      live->options->length, live->options->max_flows,
			      &live->options->track, &live->options->wanted);
	if (!live->bpf)
		return false;
	live->interfaces.bpf = live->bpf;
	start_guard(live, &identity);
	clsact_open();
	if (!watch_stop(live) || !open_ring(live) || !prepare_pipeline(live) ||
	    !open_addresses(live) || !give_up_privileges(live, &identity))
		return false;
	/* As those that come later: nothing more is needed to attach. */
	return interfaces_attach(&live->interfaces) && begin_run(live);
}

/* Detached first: then the ring and the counters do not change any more. */
static void finish(struct live *live)
{
	struct stats now;

	message_clear_status();
	notify_stopping();
	interfaces_detach(&live->interfaces);
	write_last_records(live, 0);
	pipeline_close(live->pipeline);
	write_metrics(live);
	if (live->options->stats)
		print_stats(live, REPORT_END);
	read_stats(live, &now);
	if (pipeline_is_over(live->pipeline))
		return; /* the reader has what it wanted */
	losses_print(&now);
	if (now.by[COUNT_LOST_RING] + now.by[COUNT_LOST_PART] &&
	    live->code == EXIT_DONE)
		live->code = EXIT_LOST;
}

enum exit_code interfaces_run(const struct options *options,
			      struct pipeline *pipeline,
			      struct file_helper *helper)
{
	struct live live = {
		.options = options,
		.pipeline = pipeline,
		.helper = helper,
		.interfaces = { .options = options,
				.leaving = on_leaving,
				.is_stopped = is_stopped,
				.context = &live },
		.events = { .fd = -1 },
		.report = { .format = options->stats_format,
			    .write_interfaces = interface_stats_write_json,
			    .print_interfaces = print_interfaces,
			    .interfaces = &live.interfaces },
	};

	if (start(&live)) {
		run(&live);
		finish(&live);
	}
	interfaces_detach(&live.interfaces);
	guard_stop();
	ring_buffer__free(live.ring);
	pipeline_free(pipeline);
	bannerprobe_bpf__destroy(live.bpf);
	addresses_close(live.addresses);
	netlink_close(live.links);
	events_close(&live.events);
	interfaces_free(&live.interfaces);
	return pipeline_exit_code(pipeline, live.code);
}
