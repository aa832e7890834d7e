/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "backends.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/overflow.h"
#include "attach/programs.h"
#include "bannerprobe.skel.h"
#include "kernel_table.h"

#define XDP_PASS_VALUE 2
#define TC_NEXT_VALUE (-1)

/* Notes a difference; the first one is reported. */
static void differs(struct backends *backends, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void differs(struct backends *backends, const char *format, ...)
{
	va_list arguments;

	if (*backends->difference)
		return;
	va_start(arguments, format);
	vsnprintf(backends->difference, sizeof(backends->difference), format,
		  arguments);
	va_end(arguments);
}

static const char *difference(const struct backends *backends)
{
	return *backends->difference ? backends->difference : NULL;
}

static void on_native_record(const struct event *record, void *context)
{
	struct backends *backends = context;

	if (backends->native_logged < RECORDS_MOST)
		memcpy(backends->native_records[backends->native_logged],
		       record, event_size(record));
	backends->native_logged++;
}

static bool on_kernel_record(void *context, const struct event *record,
			     size_t size)
{
	struct backends *backends = context;

	if (backends->kernel_logged++ >= RECORDS_MOST)
		return true;
	/* The record is as long as its bytes need, and no longer. */
	if (size < sizeof(*record) || size != event_size(record) ||
	    record->kept > BANNER_MAX) {
		differs(backends, "a kernel's record of %zu bytes", size);
		return true;
	}
	memcpy(backends->kernel_records[backends->kernel_logged - 1], record,
	       size);
	text_add_record(backends->banners, record);
	return true;
}

/* Counters that are computed from the table are not compared. */
static void read_counters(struct backends *backends,
			  __u64 counters[COUNTER_MAX],
			  struct event_counts *events)
{
	programs_read_counters(backends->bpf, &backends->native.settings.track,
			       counters, events);
	counters[COUNT_OPEN] = counters[COUNT_EVICTED] = 0;
}

static bool is_xdp(const struct backends *backends,
		   const struct delivery *delivery)
{
	return delivery->program == backends->bpf->progs.bannerprobe_xdp;
}

/* Runs a program once and stores its return value. Negative on failure. */
static int test_run(const struct backends *backends,
		    const struct delivery *delivery, int *returned)
{
	struct xdp_md context = { .data_end = (__u32)delivery->linear };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = delivery->data,
		    .data_size_in = (__u32)delivery->len, .repeat = 1);
	int error;

	if (backends->can_split && delivery->linear &&
	    delivery->linear < delivery->len && is_xdp(backends, delivery)) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	error = bpf_prog_test_run_opts(bpf_program__fd(delivery->program),
				       &options);
	*returned = (int)options.retval;
	return error;
}

/* Whether this kernel's test_run takes packets in two buffers. */
static bool can_split(struct backends *backends)
{
	static const __u8 no_ip[FRAME_MIN + 1];
	const struct delivery delivery = {
		.program = backends->bpf->progs.bannerprobe_xdp,
		.data = no_ip,
		.len = sizeof(no_ip),
		.linear = FRAME_MIN,
	};
	int returned;

	backends->can_split = true;
	return !test_run(backends, &delivery, &returned);
}

static bool open_records(struct backends *backends)
{
	bool done = true;

	for (int i = 0; i < RECORDS_MOST; i++) {
		backends->native_records[i] =
			malloc(sizeof(struct event) + EVENT_ROOM);
		backends->kernel_records[i] =
			malloc(sizeof(struct event) + EVENT_ROOM);
		done &= backends->native_records[i] &&
			backends->kernel_records[i];
	}
	return done;
}

bool backends_open(struct backends *backends, struct bannerprobe_bpf *bpf,
		   __u32 length, __u32 max_flows)
{
	const struct track_options *track =
		(const void *)&bpf->rodata->settings.track;
	struct engine *native = &backends->native;

	memset(backends, 0, sizeof(*backends));
	backends->bpf = bpf;
	backends->rings = kernel_rings(bpf, on_kernel_record, backends);
	if (!engine_open(native, max_flows, length, on_native_record,
			 backends) ||
	    !open_records(backends) || !backends->rings)
		return false;
	/* As much room as the kernel's map has, which rounds up. */
	overflow_free(native->overflow);
	native->overflow =
		overflow_new(bpf_map__max_entries(bpf->maps.overflow));
	/* The same secrets: the ends of a connection have the same numbers. */
	memcpy(native->hash_secrets, bpf->rodata->hash_secrets,
	       sizeof(native->hash_secrets));
	native->settings.track = (struct track_options){
		.times = track->times,
		.rtt = track->rtt,
		.gather = track->gather,
		.need = track->need,
		.events = track->events,
		.key.tunnels = track->key.tunnels,
		.decap = track->decap,
	};
	backends->can_split = can_split(backends);
	read_counters(backends, backends->counters, &backends->events);
	return native->overflow;
}

void backends_close(struct backends *backends)
{
	rings_close(backends->rings);
	engine_close(&backends->native);
	for (int i = 0; i < RECORDS_MOST; i++) {
		free(backends->native_records[i]);
		free(backends->kernel_records[i]);
	}
}

void backends_clear(struct backends *backends)
{
	rings_consume(backends->rings);
	kernel_table_clear(backends->bpf);
	engine_finish(&backends->native);
	memset(backends->native.counters, 0, sizeof(backends->native.counters));
	memset(&backends->native.event_counts, 0,
	       sizeof(backends->native.event_counts));
	read_counters(backends, backends->counters, &backends->events);
	*backends->banners = *backends->difference = 0;
}

static void run_program(struct backends *backends,
			const struct delivery *delivery)
{
	int returned, error = test_run(backends, delivery, &returned);

	if (error)
		differs(backends, "test_run of %zu bytes: %s", delivery->len,
			strerror(-error));
	else if (returned !=
		 (is_xdp(backends, delivery) ? XDP_PASS_VALUE : TC_NEXT_VALUE))
		differs(backends, "the program returned %d", returned);
}

/* A connection's state in the kernel, in bucket or overflow; none: all zero. */
static void kernel_flow(struct backends *backends, __u64 hash, __u64 id,
			struct flow *flow)
{
	const struct bannerprobe_bpf *bpf = backends->bpf;
	const struct prefilter prefilter = kernel_front(bpf);
	struct bucket bucket;
	int way;

	*flow = (struct flow){};
	if (!kernel_read_bucket(bpf, hash, &bucket)) {
		differs(backends, "the kernel's table could not be read");
		return;
	}
	way = table_find_id(&bucket, id);
	if (way >= 0)
		*flow = bucket.ways[way].flow;
	else
		bpf_map_lookup_elem(bpf_map__fd(bpf->maps.overflow), &id, flow);
	/* The bit of a pending connection is never clear. */
	if (flow_is_watched(flow) && !prefilter_may_have(&prefilter, hash))
		differs(backends, "the kernel's prefilter forgot a connection");
}

static void native_flow(struct backends *backends, __u64 hash, __u64 id,
			struct flow *flow)
{
	const struct engine *native = &backends->native;
	const __u32 words = (native->prefilter.mask + 1) / native->bucket_count;
	const struct bucket *bucket =
		&native->buckets[prefilter_index(&native->prefilter, hash) /
				 words];
	int way = table_find_id(bucket, id);
	const struct flow *known = way >= 0 ?
					   &bucket->ways[way].flow :
					   overflow_find(native->overflow, id);

	*flow = known ? *known : (struct flow){};
	if (flow_is_watched(flow) &&
	    !prefilter_may_have(&native->prefilter, hash))
		differs(backends, "the native prefilter forgot a connection");
}

static void text_set_flow(char text[TEXT_MAX], const struct flow *flow)
{
	snprintf(text, TEXT_MAX,
		 "client %u %u %u server %u %u %u seen %#x client %u "
		 "reported %#x data in SYN %u spoke %u%s",
		 flow->sides[CLIENT].isn, flow->sides[CLIENT].sent,
		 flow->sides[CLIENT].acked, flow->sides[SERVER].isn,
		 flow->sides[SERVER].sent, flow->sides[SERVER].acked,
		 flow->seen, flow->client, flow->reported, flow->syn_len,
		 flow->spoke_us, flow->start_time ? "" : " no time");
}

/* Also what the text leaves out, and of a union whatever it is. */
static bool is_same(const void *one, const void *other, size_t len)
{
	return !memcmp(one, other, len);
}

static void compare_flow(struct backends *backends,
			 const struct segment *segment)
{
	struct flow kernel, native;
	int sender;
	const struct connection_key key = backends->native.settings.track.key;
	const __u64 *secrets = backends->native.hash_secrets;
	__u64 id = connection_id(segment, key, secrets, &sender);
	__u64 hash = connection_hash(segment, key, secrets);
	char kernel_text[TEXT_MAX], native_text[TEXT_MAX];

	kernel_flow(backends, hash, id, &kernel);
	native_flow(backends, hash, id, &native);
	/* The clocks differ, but not whether they were read. */
	if (!kernel.start_time == !native.start_time)
		kernel.start_time = native.start_time;
	if (kernel.seen & native.seen & SEEN_SYNACK)
		kernel.synack_time = native.synack_time;
	kernel.rtt_us = native.rtt_us;
	if (kernel.spoke_us && native.spoke_us)
		kernel.spoke_us = native.spoke_us;
	if (is_same(&kernel, &native, sizeof(kernel)))
		return;
	text_set_flow(kernel_text, &kernel);
	text_set_flow(native_text, &native);
	differs(backends, "flow: kernel: %s; native: %s", kernel_text,
		native_text);
}

static void compare_record(struct backends *backends, struct event *kernel,
			   const struct event *native)
{
	char kernel_text[TEXT_MAX] = "", native_text[TEXT_MAX] = "";

	/* A request may be the data of the SYN. */
	if ((kernel->time < kernel->synack_time &&
	     kernel->kind != EVENT_REQUEST) ||
	    kernel->synack_time < kernel->start_time)
		differs(backends,
			"record: the kernel's times are not in order");
	kernel->time = native->time;
	kernel->start_time = native->start_time;
	kernel->synack_time = native->synack_time;
	if (kernel->rtt_us != RTT_UNKNOWN && native->rtt_us != RTT_UNKNOWN)
		kernel->rtt_us = native->rtt_us;
	if (kernel->spoke_us && native->spoke_us)
		kernel->spoke_us = native->spoke_us;
	kernel->ifindex = native->ifindex;
	kernel->direction = native->direction;
	kernel->socket = native->socket; /* not asked for */
	if (!memcmp(kernel, native, event_size(native)))
		return;
	text_add_record(kernel_text, kernel);
	text_add_record(native_text, native);
	differs(backends, "record: kernel: %s %s; native: %s %s",
		event_kind_names[kernel->kind], kernel_text,
		event_kind_names[native->kind], native_text);
}

static void compare_records(struct backends *backends)
{
	const unsigned int most =
		backends->native.settings.track.events ? RECORDS_MOST : 1;

	rings_consume(backends->rings);
	if (backends->kernel_logged != backends->native_logged ||
	    backends->native_logged > most)
		differs(backends, "records: kernel: %u; native: %u",
			backends->kernel_logged, backends->native_logged);
	for (unsigned int i = 0;
	     i < backends->native_logged && !difference(backends); i++)
		compare_record(backends, backends->kernel_records[i],
			       backends->native_records[i]);
}

const char *backends_feed(struct backends *backends,
			  const struct delivery *delivery)
{
	struct segment segment;

	*backends->difference = 0;
	backends->native_logged = backends->kernel_logged = 0;
	run_program(backends, delivery);
	if (play_packet(&backends->native, delivery->data, delivery->len,
			delivery->len, delivery->raw_ip, delivery->now,
			&segment) == PARSED)
		compare_flow(backends, &segment);
	compare_records(backends);
	return difference(backends);
}

/* Both with those of connections in the table. */
static void compare_fates(struct backends *backends, int kind,
			  const struct event_counts *kernel,
			  const struct event_counts *native)
{
	for (int fate = FATE_NONE + 1; fate < FATE_EVICTED; fate++) {
		const __u64 counted = kernel->by[kind][fate] -
				      backends->events.by[kind][fate];

		if (counted != native->by[kind][fate])
			differs(backends,
				"%s, fate %d: kernel: %llu; native: %llu",
				event_kind_names[kind], fate, counted,
				native->by[kind][fate]);
	}
}

const char *backends_compare_counters(struct backends *backends)
{
	__u64 counters[COUNTER_MAX];
	struct event_counts events, native_events;
	char kernel[TEXT_MAX], native[TEXT_MAX];

	*backends->difference = 0;
	read_counters(backends, counters, &events);
	for (int i = 0; i < COUNTER_MAX; i++)
		counters[i] -= backends->counters[i];
	text_set_counters(kernel, counters);
	text_set_counters(native, backends->native.counters);
	if (strcmp(kernel, native))
		differs(backends, "counters: kernel: %s; native: %s", kernel,
			native);
	engine_read_events(&backends->native, &native_events);
	for (int kind = EVENT_REQUEST;
	     backends->native.settings.track.events && kind < EVENT_KINDS;
	     kind++)
		compare_fates(backends, kind, &events, &native_events);
	return difference(backends);
}
