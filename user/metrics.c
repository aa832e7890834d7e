/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics.h"

#include "stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void describe(FILE *file, const char *name, const char *type,
		     const char *meaning)
{
	fprintf(file,
		"# HELP bannerprobe_%s %s\n"
		"# TYPE bannerprobe_%s %s\n",
		name, meaning, name, type);
}

static void write_one(FILE *file, const char *name, const char *type,
		      const char *meaning, __u64 value)
{
	describe(file, name, type, meaning);
	fprintf(file, "bannerprobe_%s %llu\n", name, value);
}

/* A family of counters, from `first` to `last`, told apart by their names. */
static void write_reasons(FILE *file, const char *name, const char *meaning,
			  const __u64 counters[COUNTER_MAX], enum counter first,
			  enum counter last)
{
	describe(file, name, "counter", meaning);
	for (int i = first; i <= (int)last; i++) {
		if (i != COUNT_OPEN)
			fprintf(file, "bannerprobe_%s{reason=\"%s\"} %llu\n",
				name, counter_texts[i].name, counters[i]);
	}
}

/*
 * A label's value: an interface may be called nearly anything. What is not
 * UTF-8 would make all of the file invalid, so it is written as in a record.
 */
static void write_label(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			fprintf(file, "\\\\x%02x", (unsigned char)*text);
		else if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else
			fputc(*text, file);
	}
}

/* `label`: another one and its value, or both empty. */
static void write_interface(FILE *file, const char *name,
			    const struct interface *interface,
			    const char *label, const char *text, __u64 value)
{
	fprintf(file, "bannerprobe_%s{interface=\"", name);
	write_label(file, interface->name);
	if (*label)
		fprintf(file, "\",%s=\"%s", label, text);
	fprintf(file, "\"} %llu\n", value);
}

/* What is known of an interface, read once for all that is told of it. */
struct interface_counters {
	const struct interface *interface;
	__u64 counters[COUNTER_MAX];
};

/* Counters of interfaces, from `first` to `last`, by their names. */
static void write_by_interface(FILE *file, const char *name,
			       const char *meaning,
			       const struct interface_counters *known,
			       int count, enum counter first, enum counter last)
{
	describe(file, name, "counter", meaning);
	for (int i = 0; i < count; i++) {
		for (int j = first; j <= (int)last; j++) {
			if (j != COUNT_OPEN && j != COUNT_EVICTED)
				write_interface(file, name, known[i].interface,
						"reason", counter_texts[j].name,
						known[i].counters[j]);
		}
	}
}

static void write_interface_counters(FILE *file,
				     const struct interface_counters *known,
				     int count)
{
	write_by_interface(file, "interface_connections_total",
			   "connections whose opening was seen on an interface",
			   known, count, COUNT_CONNECTIONS, COUNT_CONNECTIONS);
	write_by_interface(file, "interface_connections_decided_total",
			   "likewise, by what a packet seen there made of them",
			   known, count, COUNT_FIRST_OUTCOME,
			   COUNT_LAST_OUTCOME);
	write_by_interface(file, "interface_segments_ignored_total",
			   "segments seen there that changed nothing", known,
			   count, COUNT_FIRST_IGNORED, COUNT_LAST_IGNORED);
	write_by_interface(file, "interface_packets_unread_total",
			   "packets seen there that no segment could be read "
			   "from",
			   known, count, COUNT_FIRST_UNREAD, COUNT_LAST_UNREAD);
	write_by_interface(file, "interface_lost_total",
			   "banners, and segments of greetings, seen there and "
			   "lost: the ring buffer was full",
			   known, count, COUNT_LOST_RING, COUNT_LOST_PART);
}

/* Without memory for it nothing is told by interface, rather than nothing. */
static void read_and_write_counters(FILE *file,
				    const struct interfaces *interfaces)
{
	struct interface_counters *known =
		calloc((size_t)interfaces->count + 1, sizeof(*known));
	int count = 0;

	for (int i = 0; known && i < interfaces->count; i++) {
		known[count].interface = interfaces->list[i];
		count += interfaces_read_counters(
			interfaces, interfaces->list[i], known[count].counters);
	}
	write_interface_counters(file, known, count);
	free(known);
}

static void write_interfaces(FILE *file, const struct interfaces *interfaces)
{
	describe(file, "interface_packets_total", "counter",
		 "packets of a watched interface since it is watched, as the "
		 "device counts them");
	for (int i = 0; i < interfaces->count; i++) {
		const struct interface *interface = interfaces->list[i];
		struct packet_counts packets;

		if (interface->gone ||
		    interface_count_packets(interface, &packets))
			continue;
		write_interface(file, "interface_packets_total", interface,
				"direction", "in", packets.received);
		write_interface(file, "interface_packets_total", interface,
				"direction", "out", packets.sent);
	}
	describe(file, "interface_banners_total", "counter",
		 "banners seen on a watched interface");
	for (int i = 0; i < interfaces->count; i++) {
		if (!interfaces->list[i]->gone)
			write_interface(file, "interface_banners_total",
					interfaces->list[i], "", "",
					interfaces->list[i]->banners);
	}
	read_and_write_counters(file, interfaces);
}

static void write_all(FILE *file, const __u64 counters[COUNTER_MAX],
		      const struct output *output)
{
	describe(file, "build_info", "gauge", "1, and the version");
	fprintf(file, "bannerprobe_build_info{version=\"%s\"} 1\n", VERSION);
	write_one(file, "connections_total", "counter",
		  counter_texts[COUNT_CONNECTIONS].meaning,
		  counters[COUNT_CONNECTIONS]);
	write_one(file, "connections_open", "gauge",
		  counter_texts[COUNT_OPEN].meaning, counters[COUNT_OPEN]);
	write_reasons(file, "connections_decided_total",
		      "connections by what came of them; banners: the server "
		      "spoke first",
		      counters, COUNT_FIRST_OUTCOME, COUNT_LAST_OUTCOME);
	write_reasons(file, "segments_ignored_total",
		      "segments that changed nothing, by what is wrong with "
		      "them",
		      counters, COUNT_FIRST_IGNORED, COUNT_LAST_IGNORED);
	write_reasons(file, "packets_unread_total",
		      "packets that no segment could be read from", counters,
		      COUNT_FIRST_UNREAD, COUNT_LAST_UNREAD);
	describe(file, "banners_lost_total", "counter",
		 "banners lost: the ring buffer was full, or they could not be "
		 "written");
	fprintf(file,
		"bannerprobe_banners_lost_total{where=\"ring\"} %llu\n"
		"bannerprobe_banners_lost_total{where=\"output\"} %llu\n",
		counters[COUNT_LOST_RING], output_lost(output));
	write_reasons(file, "greetings_cut_total",
		      "greetings of which a part was lost, or that were logged "
		      "before their end",
		      counters, COUNT_LOST_PART, COUNT_CROWDED_OUT);
	write_one(file, "records_logged_total", "counter", "records written",
		  output->logged);
	write_one(file, "records_left_out_total", "counter",
		  "records that this format leaves out", output->left_out);
}

int metrics_write(const __u64 counters[COUNTER_MAX],
		  const struct output *output,
		  const struct interfaces *interfaces)
{
	int fd = opener_ask(&output->opener, OPENER_NEW_METRICS);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int failed;

	if (!file)
		return fd < 0 ? fd : -errno;
	write_all(file, counters, output);
	write_interfaces(file, interfaces);
	failed = ferror(file);
	if (fclose(file) || failed)
		return -errno;
	return opener_ask(&output->opener, OPENER_SET_METRICS);
}
