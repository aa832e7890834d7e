/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the core: packets (steps.h), one after the other, through the parser,
 * a small table and the tracker. The input's size chooses the options.
 */
#include <stdint.h>
#include <stdlib.h>

#include "engine/server_list.h"
#include "pipeline/reassembly.h"
#include "unit/play.h"
#include "steps.h"
#include "unit/wrap.h"

#define MAX_FLOWS 8 /* one bucket: more connections are evicted */
#define LENGTH 64
#define QUIET (1 << 20) /* ns */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine native;
static struct server_list wanted;
static struct reassembly *greetings;
static __u64 logged[EVENT_KINDS];

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void on_logged(const struct event *record, void *context)
{
	(void)context;
	require(record->kind < EVENT_KINDS);
	require(record->kept <= record->len && record->kept <= LENGTH);
	require(record->len > 0 || record->kind == EVENT_OPEN);
	require(record->family == 4 || record->family == 6);
	require(record->seen & SEEN_SYNACK);
	require(record->synack_time >= record->start_time);
	/* A request may be the SYN's data. */
	require(record->time >= record->synack_time ||
		record->kind == EVENT_REQUEST);
	logged[record->kind]++;
}

static void on_record(const struct event *record, void *context)
{
	if (record->part)
		reassembly_add(greetings, record);
	else
		on_logged(record, context);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	require(server_list_add_ports(&wanted, "25,1024"));
	require(server_list_add_net(&wanted, "2001:db8::9", SET_NOT_NET));
	greetings = reassembly_new(LENGTH, QUIET, on_logged, NULL);
	require(greetings);
	require(engine_open(&native, MAX_FLOWS, LENGTH, on_record, NULL));
	return 0;
}

/* Each connection that began came to exactly one end. */
static void check_account(void)
{
	const __u64 *counters = native.counters;
	__u64 ends = 0;

	for (int i = COUNT_FIRST_OUTCOME; i <= COUNT_LAST_OUTCOME; i++)
		ends += counters[i];
	require(ends == counters[COUNT_CONNECTIONS]);
	require(counters[COUNT_BANNER] == logged[EVENT_BANNER]);
}

/* And each event that was asked for to one fate, or it was evicted. */
static void check_events(enum event_kind kind)
{
	const __u64 *fates = native.event_counts.by[kind];
	__u64 ends = 0;

	for (int fate = FATE_NONE + 1; fate < FATE_MAX; fate++)
		ends += fates[fate];
	require(ends <= native.counters[COUNT_CONNECTIONS]);
	require(fates[FATE_LOGGED] == logged[kind]);
}

/* Of the two ends in packet.c, the one that the client has. */
static bool is_own(const __u32 address[4], __u8 family)
{
	const __u8 *bytes = (const __u8 *)address;

	return bytes[family == 4 ? 3 : 15] == 9;
}

static void choose_options(size_t size)
{
	struct track_options *track = &native.settings.track;

	*track = (struct track_options){ .need = (size >> 3) % 3 };
	if (size & 1) {
		track->times = track->rtt = true;
		track->gather = LENGTH;
	}
	if (size & 2)
		wrap_track(track);
	if (size & 4)
		track->events = EVENTS_ALL;
	native.servers = size & 32 ? &wanted : NULL;
	native.is_own = size & 64 ? is_own : NULL;
	native.direction = DIRECTION_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct steps steps = { data, size };
	struct segment segment;
	struct fuzz_step step;
	__u64 now = 1000;

	choose_options(size);
	memset(logged, 0, sizeof(logged));
	memset(&native.event_counts, 0, sizeof(native.event_counts));
	memset(native.counters, 0, sizeof(native.counters));
	while (steps_next(&steps, &step)) {
		now += step.wait;
		reassembly_expire(greetings, now);
		if (native.is_own)
			native.direction =
				step.hook & 1 ? DIRECTION_OUT : DIRECTION_IN;
		play_packet(&native, step.data, step.len, step.wire_len,
			    step.raw_ip, now, &segment);
	}
	engine_finish(&native);
	reassembly_finish(greetings, 0);
	check_account();
	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++)
		check_events(kind);
	return 0;
}
