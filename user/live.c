/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "live.h"

#include "addresses.h"
#include "greetings.h"
#include "interface_stats.h"
#include "interfaces.h"
#include "message.h"
#include "metrics.h"
#include "netlink.h"
#include "notify.h"
#include "own_bits.h"
#include "privileges.h"
#include "programs.h"
#include "stats_json.h"
#include "trie.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
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

#define STATUS_SECONDS 1 /* from one status line to the next */

struct live {
	struct options *options;
	struct output *output;
	struct bannerprobe_bpf *bpf;
	struct ring_buffer *ring;
	struct interfaces interfaces;
	struct greetings *greetings; /* NULL: not gathered */
	struct mnl_socket *links;
	struct addresses *addresses; /* of this host */
	struct trie trie;
	struct own_bits own_bits;
	int addresses_error; /* the last one, told once */
	int epoll_fd, stop_fd, hangup_fd, stats_fd, metrics_fd, status_fd;
	int user_fd;	    /* somebody asks for the counters */
	int quiet_fd;	    /* a greeting has been quiet long enough */
	int metrics_error;  /* the last one, told once */
	__u64 evicted;	    /* as told the last time */
	struct stats told;  /* as --stats told the last time */
	__u64 clock_offset; /* ns from CLOCK_MONOTONIC's beginning to 1970 */
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

static void log_record(const struct record *record, void *context)
{
	struct live *live = context;
	const struct source source = {
		.name = interfaces_banner(&live->interfaces, record->ifindex),
		.clock_offset = live->clock_offset,
	};

	output_record(live->output, record, &source);
}

static int on_record(void *context, void *data, size_t size)
{
	struct live *live = context;

	(void)size;
	if (live->greetings)
		greetings_add(live->greetings, data);
	else
		log_record(data, live);
	return 0;
}

/* Logs the greetings that have been quiet since before `now`. */
static void expire_greetings(struct live *live, __u64 now)
{
	struct itimerspec timer = {};
	__u64 deadline;

	greetings_expire(live->greetings, now);
	deadline = greetings_deadline(live->greetings);
	timer.it_value.tv_sec = (time_t)(deadline / NS_PER_SECOND);
	timer.it_value.tv_nsec = (long)(deadline % NS_PER_SECOND);
	timerfd_settime(live->quiet_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void write_records(struct live *live)
{
	const __u64 now = clock_ns(CLOCK_MONOTONIC);

	read_clock_offset(live);
	ring_buffer__consume(live->ring);
	if (live->greetings)
		expire_greetings(live, now);
	output_flush(live->output);
	if (live->output->closed)
		live->stop = true; /* the reader has what it wanted */
}

static void on_records(struct live *live)
{
	usleep(BATCH_TIME);
	write_records(live);
}

/* What is in the ring, and no more of greetings, whose interfaces go. */
static void write_last_records(struct live *live, unsigned int ifindex)
{
	write_records(live);
	if (!live->greetings)
		return;
	greetings_finish(live->greetings, ifindex);
	write_records(live);
}

/* What is in the ring bears an index that tells a name only now. */
static void on_leaving(unsigned int index, void *context)
{
	write_last_records(context, index);
}

static void on_links(struct live *live)
{
	if (interfaces_follow(&live->interfaces, live->links) || live->stop)
		return;
	live->stop = true;
	live->code = EXIT_FAILED;
}

/* --- the event loop ---------------------------------------------------- */

/* Takes the signal that has come; false if it was none. */
static bool take_signal(int fd)
{
	struct signalfd_siginfo signal;

	return read(fd, &signal, sizeof(signal)) == sizeof(signal);
}

static void on_stop(struct live *live)
{
	if (take_signal(live->stop_fd))
		live->stop = live->output->stopping = true;
}

static void on_hangup(struct live *live)
{
	if (take_signal(live->hangup_fd))
		output_reopen(live->output);
}

/* Evictions are worked out. They never fall: that would be a new beginning. */
static void read_counters(struct live *live, __u64 counters[COUNTER_MAX])
{
	programs_read_counters(live->bpf, counters);
	if (counters[COUNT_EVICTED] > live->evicted)
		live->evicted = counters[COUNT_EVICTED];
	counters[COUNT_EVICTED] = live->evicted;
	if (live->greetings)
		greetings_read_counters(live->greetings, counters);
}

static void read_stats(struct live *live, struct stats *now)
{
	__u64 counters[COUNTER_MAX];

	read_counters(live, counters);
	stats_read(now, interfaces_count_packets(&live->interfaces), counters,
		   live->output);
}

enum stats_reason { STATS_INTERVAL, STATS_SIGNAL, STATS_END };

/* A line in between; all of it at the end, and when somebody asks. */
static void print_stats(struct live *live, enum stats_reason reason)
{
	static const char *const names[] = { "interval", "signal", "end" };
	struct stats now;

	read_stats(live, &now);
	if (live->options->stats_format == STATS_JSON) {
		stats_print_json(&now, &live->told, names[reason],
				 interface_stats_write_json, &live->interfaces);
	} else if (reason == STATS_INTERVAL) {
		stats_print_line(&now, &live->told);
	} else {
		interfaces_print_stats(&live->interfaces);
		stats_print_table(&now);
	}
	live->told = now;
}

/* Until something is logged, who watches is told that it is alive. */
static void show_status(struct live *live)
{
	__u64 counters[COUNTER_MAX], packets;

	if (live->output->logged)
		return;
	packets = interfaces_count_packets(&live->interfaces);
	read_counters(live, counters);
	message_status("no banner yet: %llu packets, %llu connections", packets,
		       counters[COUNT_CONNECTIONS]);
}

static bool has_expired(int timer_fd)
{
	__u64 expirations;

	return read(timer_fd, &expirations, sizeof(expirations)) > 0;
}

static void on_stats_timer(struct live *live)
{
	if (has_expired(live->stats_fd))
		print_stats(live, STATS_INTERVAL);
}

static void on_user_signal(struct live *live)
{
	if (take_signal(live->user_fd))
		print_stats(live, STATS_SIGNAL);
}

static const char *metrics_advice(int error)
{
	return error == -EEXIST ? "not replaced: it is no file for metrics" :
				  strerror(-error);
}

/* Tells whether they can be, before anything is attached; leaves nothing. */
static bool try_metrics(struct live *live)
{
	const struct opener *opener = &live->output->opener;
	int fd;

	if (!live->options->metrics)
		return true;
	fd = opener_ask(opener, OPENER_NEW_METRICS);
	if (fd >= 0) {
		close(fd);
		opener_ask(opener, OPENER_DROP_METRICS);
		return true;
	}
	message("--metrics %s: %s", live->options->metrics, metrics_advice(fd));
	live->code = EXIT_FAILED;
	return false;
}

static void write_metrics(struct live *live)
{
	__u64 counters[COUNTER_MAX];
	int error;

	if (!live->options->metrics)
		return;
	read_counters(live, counters);
	error = metrics_write(counters, live->output, &live->interfaces);
	if (error && error != live->metrics_error)
		message("--metrics %s: %s", live->options->metrics,
			metrics_advice(error));
	live->metrics_error = error;
}

static void on_quiet_timer(struct live *live)
{
	if (has_expired(live->quiet_fd))
		write_records(live);
}

static void on_status_timer(struct live *live)
{
	if (has_expired(live->status_fd))
		show_status(live);
}

static void on_metrics_timer(struct live *live)
{
	if (has_expired(live->metrics_fd))
		write_metrics(live);
}

static int watch_fd(struct live *live, int fd, void (*handler)(struct live *))
{
	/* The handler stands for the event: there is one of each. */
	struct epoll_event event = { .events = EPOLLIN,
				     .data.ptr = (void *)handler };

	return fd < 0 ? -errno :
			epoll_ctl(live->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* Signals of these numbers wait for the event loop from now on. */
static int open_signals(int first, int second)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Apart from each other: only the one is to end a wait for a slow reader. */
static int watch_signals(struct live *live)
{
	live->stop_fd = open_signals(SIGINT, SIGTERM);
	live->hangup_fd = open_signals(SIGHUP, SIGHUP);
	live->user_fd = open_signals(SIGUSR1, SIGUSR1);
	live->output->stop_fd = live->stop_fd;
	return watch_fd(live, live->stop_fd, on_stop) ||
	       watch_fd(live, live->hangup_fd, on_hangup) ||
	       watch_fd(live, live->user_fd, on_user_signal);
}

/* Calls the handler every so many seconds; 0: never. */
static int open_timer(struct live *live, int *fd, unsigned int seconds,
		      void (*handler)(struct live *))
{
	const struct timespec interval = { .tv_sec = seconds };
	const struct itimerspec timer = { interval, interval };

	if (!seconds)
		return 0;
	*fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	timerfd_settime(*fd, 0, &timer, NULL);
	return watch_fd(live, *fd, handler);
}

static int open_timers(struct live *live)
{
	int error = open_timer(live, &live->stats_fd,
			       live->options->stats_seconds, on_stats_timer);

	if (!error)
		error = open_timer(live, &live->metrics_fd,
				   live->options->metrics ? METRICS_SECONDS : 0,
				   on_metrics_timer);
	if (!error)
		error = open_timer(live, &live->status_fd,
				   isatty(STDERR_FILENO) ? STATUS_SECONDS : 0,
				   on_status_timer);
	return error;
}

static bool open_events(struct live *live)
{
	live->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	live->links = netlink_watch_links();
	if (live->epoll_fd >= 0 && live->links && !watch_signals(live) &&
	    !open_timers(live) &&
	    !watch_fd(live, netlink_fd(live->links), on_links))
		return true;
	message("setting up the event loop: %s", strerror(errno));
	return false;
}

static void on_address(const struct net *net, bool added, void *context)
{
	struct live *live = context;
	int error = trie_update(&live->trie, net);

	/* After the table that a set bit leads to. */
	own_bits_update(&live->own_bits, net, added);

	if (error)
		message("an address of this host that has %s: %s",
			added ? "come" : "gone", strerror(-error));
}

static void on_addresses(struct live *live)
{
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
		live->trie = (struct trie){ bpf_map__fd(live->bpf->maps.nets),
					    &live->options->wanted,
					    addresses_nets(live->addresses) };
		error = trie_fill(&live->trie);
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
		error = watch_fd(live, addresses_fd(live->addresses),
				 on_addresses);
	if (error) {
		message("finding this host's addresses: %s", strerror(-error));
		return false;
	}
	addresses_tell(live->addresses, on_address, live);
	return true;
}

/* Whoever sets the timer: expire_greetings(). */
static bool open_greetings(struct live *live)
{
	const __u32 quiet = live->options->gather_ms;

	if (!quiet)
		return true;
	live->greetings = greetings_new(live->options->length,
					quiet * NS_PER_MS, log_record, live);
	live->quiet_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (live->greetings && !watch_fd(live, live->quiet_fd, on_quiet_timer))
		return true;
	message("making room for greetings: %s", strerror(errno));
	return false;
}

static bool open_ring(struct live *live)
{
	live->ring = ring_buffer__new(bpf_map__fd(live->bpf->maps.records),
				      on_record, live, NULL);
	if (live->ring &&
	    !watch_fd(live, ring_buffer__epoll_fd(live->ring), on_records))
		return true;
	message("opening the ring buffer: %s", strerror(errno));
	return false;
}

static void run(struct live *live)
{
	struct epoll_event events[4];

	while (!live->stop) {
		int count = epoll_wait(live->epoll_fd, events, 4, -1);

		for (int i = 0; i < count; i++)
			((void (*)(struct live *))events[i].data.ptr)(live);
	}
}

/*
 * Who to be, and who opens the output file for him; and the metrics, whoever he
 * is: to rename and remove files is nothing that a loader needs to be able to.
 */
static bool choose_identity(struct live *live, struct identity *identity)
{
	int error;

	if (!privileges_find_user(identity, live->options->user)) {
		live->code = EXIT_USAGE;
		return false;
	}
	live->output->opener.metrics = live->options->metrics;
	if (!live->options->metrics &&
	    (!identity->changes || !live->options->output))
		return true;
	error = opener_start(&live->output->opener);
	if (error)
		message("starting a process for the files: %s",
			strerror(-error));
	return !error;
}

/* All that can fail has not: what is seen from now on is written. */
static bool begin_run(struct live *live)
{
	live->code = EXIT_DONE;
	if (!live->options->check && output_begin(live->output)) {
		live->code = EXIT_FAILED;
		return false;
	}
	interfaces_tell(&live->interfaces);
	if (live->options->check)
		return false; /* as a start, up to here, and leaves nothing */
	write_metrics(live);
	notify_ready();
	return true;
}

/* Everything up to the first packet. */
static bool start(struct live *live)
{
	struct identity identity;

	live->code = EXIT_ATTACH;
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
	if (!open_ring(live) || !open_greetings(live) ||
	    !open_addresses(live) || privileges_drop(&identity))
		return false;
	privileges_confine();
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
	write_metrics(live);
	if (live->options->stats)
		print_stats(live, STATS_END);
	read_stats(live, &now);
	if (live->output->closed)
		return; /* the reader has what it wanted */
	stats_print_losses(&now);
	if (now.by[COUNT_LOST_RING] + now.by[COUNT_LOST_PART] &&
	    live->code == EXIT_DONE)
		live->code = EXIT_FAILED;
}

enum exit_code live_run(struct options *options, struct output *output)
{
	struct live live = { .options = options,
			     .interfaces = { .options = options,
					     .leaving = on_leaving,
					     .context = &live },
			     .output = output,
			     .epoll_fd = -1,
			     .stop_fd = -1,
			     .hangup_fd = -1,
			     .user_fd = -1,
			     .stats_fd = -1,
			     .metrics_fd = -1,
			     .status_fd = -1,
			     .quiet_fd = -1 };

	if (start(&live)) {
		run(&live);
		finish(&live);
	}
	interfaces_detach(&live.interfaces);
	ring_buffer__free(live.ring);
	greetings_free(live.greetings);
	bannerprobe_bpf__destroy(live.bpf);
	addresses_close(live.addresses);
	netlink_close(live.links);
	output->stop_fd = -1;
	close(live.stats_fd);
	close(live.metrics_fd);
	close(live.status_fd);
	close(live.quiet_fd);
	close(live.user_fd);
	close(live.hangup_fd);
	close(live.stop_fd);
	close(live.epoll_fd);
	interfaces_free(&live.interfaces);
	return live.code;
}
