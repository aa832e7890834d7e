/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics.h"

#include "inventory/change_stream.h"
#include "losses.h"
#include "system/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdbool.h>
#include <unistd.h>

/* The metrics' file being written, and the probe that it is about. */
struct page {
	FILE *file;
	const struct options *options;
	const struct interface_stats *interfaces;
};

static void describe(const struct page *page, const char *name,
		     const char *type, const char *meaning)
{
	fprintf(page->file,
		"# HELP bannerprobe_%s %s\n"
		"# TYPE bannerprobe_%s %s\n",
		name, meaning, name, type);
}

/*
 * A label's value. An interface's name may hold nearly any bytes. Bytes that
 * are not UTF-8 would make the whole file invalid, so they are escaped as in a
 * record.
 */
static void write_label(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			fprintf(file, "\\\\x%02x", (unsigned char)*text);
		else if (*text == '\\')
			fputs("\\\\\\\\", file);
		else if (*text == '"')
			fputs("\\\"", file);
		else
			fputc(*text, file);
	}
}

/*
 * The label `probe`: the interfaces that this process watches. A
 * collector that reads the files of several processes distinguishes them by it.
 */
static void write_probe(const struct page *page)
{
	const struct options *options = page->options;

	fputs("probe=\"", page->file);
	for (int i = 0; i < options->count; i++) {
		if (i)
			fputc(' ', page->file); /* in no interface's name */
		write_label(page->file, options->names[i]);
	}
	fputc('"', page->file);
}

/* `interface`, `label` (with its value): NULL where there is none. */
static void write_sample(const struct page *page, const char *name,
			 const struct published_interface *interface,
			 const char *label, const char *text, __u64 value)
{
	fprintf(page->file, "bannerprobe_%s{", name);
	write_probe(page);
	if (interface) {
		fputs(",interface=\"", page->file);
		write_label(page->file, interface->name);
		fputc('"', page->file);
	}
	if (label)
		fprintf(page->file, ",%s=\"%s\"", label, text);
	fprintf(page->file, "} %llu\n", value);
}

static void write_one(const struct page *page, const char *name,
		      const char *type, const char *meaning, __u64 value)
{
	describe(page, name, type, meaning);
	write_sample(page, name, NULL, NULL, NULL, value);
}

/* A family of counters, from `first` to `last`, with their names as a label. */
static void write_reasons(const struct page *page, const char *name,
			  const char *meaning,
			  const __u64 counters[COUNTER_MAX], enum counter first,
			  enum counter last)
{
	describe(page, name, "counter", meaning);
	for (int i = first; i <= (int)last; i++) {
		if (i != COUNT_OPEN)
			write_sample(page, name, NULL, "reason",
				     counter_texts[i].name, counters[i]);
	}
}

typedef bool interface_test(const struct published_interface *interface);

static bool is_watched(const struct published_interface *interface)
{
	return interface->is_watched;
}

static bool has_counters(const struct published_interface *interface)
{
	return interface->has_counters;
}

/* The next interface with statistics, from a place on; or NULL. */
static const struct published_interface *
next_of(const struct page *page, __u32 place, interface_test *is_told)
{
	const struct published_counts *counts = &page->interfaces->published;

	for (; place < counts->count; place++) {
		if (is_told(&counts->interfaces[place]))
			return &counts->interfaces[place];
	}
	return NULL;
}

static __u32 place_of(const struct page *page,
		      const struct published_interface *interface)
{
	return (__u32)(interface - page->interfaces->published.interfaces);
}

#define EACH(interface, page, is_told)                                         \
	(const struct published_interface *interface =                         \
		 next_of(page, 0, is_told);                                    \
	 interface;                                                            \
	 interface = next_of(page, place_of(page, interface) + 1, is_told))

/* Counters of interfaces, from `first` to `last`, by their names. */
static void write_by_interface(const struct page *page, const char *name,
			       const char *meaning, enum counter first,
			       enum counter last)
{
	describe(page, name, "counter", meaning);
	for
		EACH(interface, page, has_counters)
		{
			for (int i = first; i <= (int)last; i++) {
				if (i != COUNT_OPEN && i != COUNT_EVICTED)
					write_sample(page, name, interface,
						     "reason",
						     counter_texts[i].name,
						     interface->counters[i]);
			}
		}
}

static void write_interface_counters(const struct page *page)
{
	write_by_interface(
		page, "interface_connections_total",
		"connections that were seen to begin on an interface",
		COUNT_CONNECTIONS, COUNT_CONNECTIONS);
	write_by_interface(page, "interface_connections_decided_total",
			   "likewise, by what a packet seen there made of them",
			   COUNT_FIRST_OUTCOME, COUNT_LAST_OUTCOME);
	write_by_interface(page, "interface_segments_ignored_total",
			   "segments seen there that changed nothing",
			   COUNT_FIRST_IGNORED, COUNT_LAST_IGNORED);
	write_by_interface(page, "interface_packets_unread_total",
			   "packets seen there that no segment could be read "
			   "from",
			   COUNT_FIRST_UNREAD, COUNT_LAST_UNREAD);
	write_by_interface(page, "interface_lost_total",
			   "banners, and segments of greetings, seen there and "
			   "lost: the ring buffer was full",
			   COUNT_LOST_RING, COUNT_LOST_PART);
}

static void write_interfaces(const struct page *page)
{
	write_one(page, "interfaces_not_watched", "gauge",
		  "interfaces that were asked for and are there, and could "
		  "not be attached to",
		  (__u64)page->interfaces->published.not_watched);
	describe(page, "interface_packets_total", "counter",
		 "packets of a watched interface since it is watched, as the "
		 "device counts them");
	for
		EACH(interface, page, is_watched)
		{
			write_sample(page, "interface_packets_total", interface,
				     "direction", "in",
				     interface->packets.received);
			write_sample(page, "interface_packets_total", interface,
				     "direction", "out",
				     interface->packets.sent);
		}
	describe(page, "interface_banners_total", "counter",
		 "banners seen on a watched interface");
	for
		EACH(interface, page, is_watched)
	write_sample(page, "interface_banners_total", interface, NULL, NULL,
		     page->interfaces->banners[place_of(page, interface)]);
	write_interface_counters(page);
}

/* Each metric of losses, and each kind that is counted in it. */
static void write_losses(const struct page *page, const struct stats *now)
{
	for (int i = 0; i < LOSS_METRICS; i++) {
		const struct loss_metric_text *metric = &loss_metrics[i];

		describe(page, metric->name, "counter", metric->meaning);
		for (size_t j = 0; j < losses_count; j++) {
			if ((int)losses[j].metric == i)
				write_sample(page, metric->name, NULL,
					     metric->label, losses[j].kind,
					     now->by[losses[j].value]);
		}
	}
}

static void write_fate(const struct page *page, const char *name,
		       const struct event_stats *events, int kind, int fate)
{
	char labels[64];

	if (fate == FATE_OPEN)
		snprintf(labels, sizeof(labels), "%s", event_kind_names[kind]);
	else
		snprintf(labels, sizeof(labels), "%s\",reason=\"%s",
			 event_kind_names[kind], event_fate_name(fate));
	write_sample(page, name, NULL, "event", labels,
		     events->counts.by[kind][fate]);
}

/* A counter with two labels for each fate. Open ones are a gauge. */
static void write_events(const struct page *page,
			 const struct event_stats *events)
{
	if (!(events->kinds & ~EVENTS_BANNER))
		return;
	describe(page, "events_total", "counter",
		 "connections by what became of each kind of event");
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		for (int fate = FATE_NONE + 1;
		     event_stats_tell(events, kind) && fate < FATE_MAX;
		     fate++) {
			if (fate != FATE_OPEN)
				write_fate(page, "events_total", events, kind,
					   fate);
		}
	}
	describe(page, "events_open", "gauge",
		 "connections of which such an event may follow");
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		if (event_stats_tell(events, kind))
			write_fate(page, "events_open", events, kind,
				   FATE_OPEN);
	}
}

static void write_inventory(const struct page *page, const struct stats *now)
{
	if (!page->options->inventory)
		return;
	write_one(page, "services", "gauge", "services in the inventory",
		  now->services);
	write_one(page, "ftp_data_total", "counter",
		  stats_text(STATS_FTP_DATA)->meaning, now->by[STATS_FTP_DATA]);
	describe(page, "changes_total", "counter",
		 "changes of services in the inventory, by kind");
	for (int kind = 0; kind < CHANGE_KINDS; kind++)
		write_sample(page, "changes_total", NULL, "kind",
			     change_kind_names[kind], now->changes[kind]);
}

static void write_all(const struct page *page, const struct stats *now)
{
	const __u64 *counters = now->by;

	describe(page, "build_info", "gauge", "1, and the version");
	write_sample(page, "build_info", NULL, "version", VERSION, 1);
	write_one(page, "connections_total", "counter",
		  counter_texts[COUNT_CONNECTIONS].meaning,
		  counters[COUNT_CONNECTIONS]);
	write_one(page, "connections_open", "gauge",
		  counter_texts[COUNT_OPEN].meaning, counters[COUNT_OPEN]);
	write_reasons(page, "connections_decided_total",
		      "connections by what came of them; banners: the server "
		      "spoke first",
		      counters, COUNT_FIRST_OUTCOME, COUNT_LAST_OUTCOME);
	write_reasons(page, "segments_ignored_total",
		      "segments that changed nothing, by what is wrong with "
		      "them",
		      counters, COUNT_FIRST_IGNORED, COUNT_LAST_IGNORED);
	write_reasons(page, "packets_unread_total",
		      "packets that no segment could be read from", counters,
		      COUNT_FIRST_UNREAD, COUNT_LAST_UNREAD);
	write_events(page, &now->events);
	write_losses(page, now);
	write_inventory(page, now);
	write_one(page, "records_logged_total", "counter", "records written",
		  now->by[STATS_LOGGED]);
	write_one(page, "records_left_out_total", "counter",
		  "records that this format leaves out",
		  now->by[STATS_LEFT_OUT]);
}

/* Writes the new file and closes it. 0 or negative errno. */
static int write_page(int fd, struct page *page, const struct stats *now)
{
	bool failed;

	page->file = fdopen(fd, "w");
	if (!page->file) {
		int error = -errno;

		close(fd);
		return error;
	}
	write_all(page, now);
	write_interfaces(page);
	failed = ferror(page->file);
	return fclose(page->file) || failed ? -errno : 0;
}

int metrics_write(struct file_helper *helper, const struct options *options,
		  const struct stats *now,
		  const struct interface_stats *interfaces)
{
	struct page page = { .options = options, .interfaces = interfaces };
	const int fd = file_helper_ask(helper, FILE_NEW_METRICS);
	int error;

	if (fd < 0)
		return fd;
	error = write_page(fd, &page, now);
	if (!error)
		return file_helper_ask(helper, FILE_SET_METRICS);
	file_helper_ask(helper, FILE_DROP_METRICS);
	return error;
}

const char *metrics_advice(int error)
{
	return error == -EEXIST ? "not replaced: it is no file for metrics" :
				  strerror(-error);
}

bool metrics_try(struct file_helper *helper, const struct options *options)
{
	int fd;

	if (!options->metrics)
		return true;
	fd = file_helper_ask(helper, FILE_NEW_METRICS);
	if (fd >= 0) {
		close(fd);
		file_helper_ask(helper, FILE_DROP_METRICS);
		return true;
	}
	message("--metrics %s: %s", options->metrics, metrics_advice(fd));
	return false;
}
