/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "capture.h"

#include "events.h"
#include "greetings.h"
#include "input.h"
#include "message.h"
#include "native.h"
#include "stats_json.h"
#include "stopping.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#define NS_PER_SECOND 1000000000ULL
#define LOOPBACK_HEADER 4 /* DLT_NULL, DLT_LOOP: the address family */

struct reader {
	const struct options *options;
	struct output *output;
	struct native native;
	struct greetings *greetings; /* NULL: not gathered */
	__u64 packets;		     /* read so far, of all files */
	struct stats told;	     /* as --stats told the last time */
	const char *path;
	bool must_end; /* nothing can be written */
	struct input input;
	__u64 time;    /* ns: of the last packet, as the capture has it */
	__u64 came_at; /* ns of CLOCK_MONOTONIC: when it was read */
	int link_type;
};

/* BSD loopback: only what announces itself as IP is opened. */
static enum parse_result parse_loopback(const struct frame *frame,
					struct segment *segment)
{
	const __u8 *family = frame_at(frame, 0, LOOPBACK_HEADER);

	if (!family)
		return frame_short(frame, 0, LOOPBACK_HEADER);
	/*
	 * In either byte order, a family is the one byte that is not 0: 2 is
	 * IPv4; IPv6 is 10 on Linux, 24, 28 or 30 on the BSDs and macOS.
	 */
	switch (family[0] | family[3]) {
	case 2:
	case 10:
	case 24:
	case 28:
	case 30:
		return parse_ip(frame, LOOPBACK_HEADER, segment);
	default:
		return PARSE_NOT_TCP;
	}
}

/* A Linux cooked header: it tells who sent the packet, not who receives it. */
struct cooked {
	__u32 len;	   /* bytes of the header; and offsets in it: */
	__u32 protocol;	   /* the EtherType */
	__u32 address_len; /* the last byte of it */
	__u8 address;	   /* the sender's */
};

static const struct cooked cooked_1 = {
	SLL_HDR_LEN, offsetof(struct sll_header, sll_protocol),
	offsetof(struct sll_header, sll_halen) + 1,
	offsetof(struct sll_header, sll_addr)
};
static const struct cooked cooked_2 = {
	SLL2_HDR_LEN, offsetof(struct sll2_header, sll2_protocol),
	offsetof(struct sll2_header, sll2_halen),
	offsetof(struct sll2_header, sll2_addr)
};

static enum parse_result parse_cooked(const struct frame *frame,
				      const struct cooked *header,
				      struct segment *segment)
{
	const __u8 *bytes = frame_at(frame, 0, header->len);

	if (!bytes)
		return frame_short(frame, 0, header->len);
	if (bytes[header->address_len] == MAC_LENGTH)
		segment->source_mac = header->address;
	bytes += header->protocol;
	return parse_ethertype(frame, header->len,
			       (__u16)(bytes[0] << 8 | bytes[1]), segment);
}

static enum parse_result parse_packet(int link_type, const struct frame *frame,
				      struct segment *segment)
{
	segment_reset(segment);
	switch (link_type) {
	case DLT_EN10MB:
		return parse_ethernet(frame, segment);
	case DLT_LINUX_SLL:
		return parse_cooked(frame, &cooked_1, segment);
	case DLT_LINUX_SLL2:
		return parse_cooked(frame, &cooked_2, segment);
	case DLT_NULL:
	case DLT_LOOP:
		return parse_loopback(frame, segment);
	default:
		return parse_ip(frame, 0, segment);
	}
}

/* Whether a packet has to be parsed: nearly all data has not. */
static bool may_matter(int link_type, const struct frame *frame,
		       const struct front *front)
{
	switch (link_type) {
	case DLT_EN10MB:
		return glance_ethernet(frame, front);
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return glance_ip(frame, 0, front);
	default:
		return true;
	}
}

static bool link_type_is_known(int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return true;
	default:
		return false;
	}
}

static void log_record(const struct record *record, void *context)
{
	const struct reader *reader = context;

	output_record(reader->output, record,
		      &(struct source){ reader->path, 0 });
}

static void on_record(const struct record *record, void *context)
{
	struct reader *reader = context;

	if (reader->greetings)
		greetings_add(reader->greetings, record);
	else
		log_record(record, reader);
}

static void read_packet(struct reader *reader, const struct pcap_pkthdr *header,
			const __u8 *bytes)
{
	/* tv_usec holds nanoseconds: so was the file opened. */
	const __u64 now = (__u64)header->ts.tv_sec * NS_PER_SECOND +
			  (__u64)header->ts.tv_usec;
	const struct frame frame = {
		.data = bytes,
		.end = bytes + header->caplen,
		.wire_len = header->len > header->caplen ? header->len :
							   header->caplen,
	};
	struct segment segment;
	enum parse_result parsed;

	reader->time = now;
	if (reader->greetings)
		greetings_expire(reader->greetings, now);
	if (!may_matter(reader->link_type, &frame, &reader->native.front))
		return;
	parsed = parse_packet(reader->link_type, &frame, &segment);
	native_packet(&reader->native, parsed, &frame, &segment, now);
}

static void read_counters(const struct reader *reader,
			  __u64 counters[COUNTER_MAX])
{
	native_read_counters(&reader->native, counters);
	if (reader->greetings)
		greetings_read_counters(reader->greetings, counters);
}

static void read_stats(const struct reader *reader, struct stats *now)
{
	__u64 counters[COUNTER_MAX];

	read_counters(reader, counters);
	stats_read(now, reader->packets, counters, reader->output);
}

/* `why`: "interval", for which a line is enough, "signal" or "end". */
static void print_stats(struct reader *reader, const char *why)
{
	struct stats now;

	read_stats(reader, &now);
	if (reader->options->stats_format == STATS_JSON)
		stats_print_json(&now, &reader->told, why, NULL, NULL);
	else if (!strcmp(why, "interval"))
		stats_print_line(&now, &reader->told);
	else
		stats_print_table(&now);
	reader->told = now;
}

/* --- what happens meanwhile ---------------------------------------------- */

static struct events events = { .fd = -1 };
static int quiet_fd = -1; /* the timer of greetings */

static void on_stop(void *context)
{
	(void)context;
	stopping();
}

static void on_hangup(void *context)
{
	const struct reader *reader = context;

	output_reopen(reader->output);
}

static void on_stats_timer(void *context)
{
	print_stats(context, "interval");
}

static void on_user_signal(void *context)
{
	print_stats(context, "signal");
}

static __u64 monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * NS_PER_SECOND + (__u64)now.tv_nsec;
}

/* Of a pipe: a greeting has been quiet when no packet comes to tell so, too. */
static void set_quiet_timer(const struct reader *reader)
{
	const __u64 deadline = greetings_deadline(reader->greetings);
	const __s64 left = (__s64)(deadline - reader->time);
	const __u64 at = reader->came_at + (__u64)(left > 0 ? left : 0);
	struct itimerspec timer = {};

	if (deadline) {
		timer.it_value.tv_sec = (time_t)(at / NS_PER_SECOND);
		timer.it_value.tv_nsec = (long)(at % NS_PER_SECOND);
	}
	timerfd_settime(quiet_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void on_quiet_timer(void *context)
{
	const struct reader *reader = context;

	greetings_expire(reader->greetings,
			 reader->time + monotonic_ns() - reader->came_at);
	output_flush(reader->output);
	set_quiet_timer(reader);
}

int capture_open_events(const struct options *options)
{
	int error = events_open(&events, NULL);
	int stop_fd = stopping_open();

	if (!error)
		error = stop_fd < 0 ? stop_fd :
				      events_watch(&events, stop_fd, on_stop);
	if (!error)
		error = events_signal(&events, SIGHUP, on_hangup);
	if (!error)
		error = events_signal(&events, SIGUSR1, on_user_signal);
	if (!error && options->stats_seconds) {
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

/* --- files -----------------------------------------------------------------
 */

#define PACKETS_A_LOOK 65536 /* between looks at the clock */

/* How far a capture has been read: at most once a second. */
static void show_progress(const struct reader *reader, __u64 packets)
{
	static time_t last;
	const struct input *input = &reader->input;
	const time_t now = time(NULL);

	if (now == last || !input->size)
		return;
	last = now;
	message_status("%s: %lld %%, %llu packets, %llu banners", reader->path,
		       (long long)input->done * 100 / input->size, packets,
		       reader->native.counters[COUNT_BANNER]);
}

/* Of a running capture in a pipe each banner is wanted at once. */
static void keep_up(struct reader *reader)
{
	output_flush(reader->output);
	if (!reader->greetings)
		return;
	reader->came_at = monotonic_ns();
	set_quiet_timer(reader);
}

/* Returns false where the file could not be read to its end. */
static bool read_packets(struct reader *reader, pcap_t *pcap)
{
	struct pcap_pkthdr *header;
	const __u8 *bytes;
	__u64 packets = 0;
	int result;

	while ((result = pcap_next_ex(pcap, &header, &bytes)) == 1) {
		packets++;
		reader->packets++;
		read_packet(reader, header, bytes);
		if (!reader->input.is_regular)
			keep_up(reader);
		else if (!(packets % PACKETS_A_LOOK))
			show_progress(reader, packets);
		if (reader->output->closed)
			return true;
	}
	if (result == PCAP_ERROR_BREAK || reader->input.ended)
		return true;
	message("%s: after packet %llu: %s", reader->path, packets,
		pcap_geterr(pcap));
	return false;
}

/* Opens what input_open() has opened; NULL, with a message. */
static pcap_t *open_pcap(struct reader *reader)
{
	char error[PCAP_ERRBUF_SIZE];
	FILE *file = input_stream(&reader->input);
	pcap_t *pcap;

	if (!file) {
		message("%s: %s", reader->path, strerror(errno));
		return NULL;
	}
	pcap = pcap_fopen_offline_with_tstamp_precision(
		file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (pcap)
		return pcap;
	fclose(file);
	if (!reader->input.ended)
		message("%s: %s", reader->path, error);
	return NULL;
}

static bool read_opened(struct reader *reader)
{
	bool complete = false;
	pcap_t *pcap = open_pcap(reader);

	if (!pcap)
		return reader->input.ended;
	if (!reader->output->begun && output_begin(reader->output)) {
		reader->must_end = true; /* what is read would be lost */
		pcap_close(pcap);
		return false;
	}
	reader->link_type = pcap_datalink(pcap);
	if (link_type_is_known(reader->link_type)) {
		complete = read_packets(reader, pcap);
	} else {
		const char *name = pcap_datalink_val_to_name(reader->link_type);

		message("%s: link type %d (%s) is not one that can be read",
			reader->path, reader->link_type,
			name ? name : "unknown");
	}
	message_clear_status();
	pcap_close(pcap);
	native_finish(&reader->native);
	if (reader->greetings)
		greetings_finish(reader->greetings, 0);
	output_flush(reader->output);
	return complete;
}

static bool read_file(struct reader *reader)
{
	int error = input_open(&reader->input, reader->path, &events);
	bool complete;

	if (error) {
		message("%s: %s", reader->path, strerror(-error));
		return false;
	}
	complete = read_opened(reader);
	input_close(&reader->input);
	return complete;
}

static enum exit_code read_files(struct reader *reader)
{
	const struct options *options = reader->options;
	enum exit_code code = EXIT_DONE;
	struct stats now;

	for (int i = 0; i < options->count; i++) {
		reader->path = options->names[i];
		if (!read_file(reader))
			code = EXIT_FAILED;
		if (stopping() || reader->must_end || reader->output->closed)
			break;
	}
	if (options->stats)
		print_stats(reader, "end");
	read_stats(reader, &now);
	if (!reader->output->closed)
		stats_print_losses(&now);
	return code;
}

static bool open_reader(struct reader *reader)
{
	const struct options *options = reader->options;

	if (!native_open(&reader->native, options->max_flows, options->length,
			 on_record, reader))
		return false;
	reader->native.wanted = &options->wanted;
	reader->native.track = options->track;
	if (!options->gather_ms)
		return true;
	reader->greetings =
		greetings_new(options->length, options->gather_ms * NS_PER_MS,
			      log_record, reader);
	return reader->greetings;
}

enum exit_code capture_run(const struct options *options, struct output *output)
{
	struct reader reader = { .options = options, .output = output };
	enum exit_code code = EXIT_FAILED;

	events.context = &reader;
	if (open_reader(&reader))
		code = read_files(&reader);
	else
		message("out of memory");
	greetings_free(reader.greetings);
	native_close(&reader.native);
	return code;
}
