/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the core: packets (steps.h), one after the other, through the parser,
 * a small table and the tracker. With an input of odd size greetings are
 * reassembled.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pipeline/reassembly.h"
#include "unit/play.h"
#include "steps.h"
#include "unit/wrap.h"

#define MAX_FLOWS 16
#define LENGTH 64
#define QUIET (1 << 20) /* ns */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine native;
static struct reassembly *greetings;
static __u64 logged;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void on_logged(const struct event *record, void *context)
{
	(void)context;
	require(record->len > 0 && record->kept <= record->len &&
		record->kept <= LENGTH);
	require(record->family == 4 || record->family == 6);
	require(record->seen & SEEN_SYNACK);
	require(record->time >= record->synack_time &&
		record->synack_time >= record->start_time);
	logged++;
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
	require(counters[COUNT_BANNER] == logged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct steps steps = { data, size };
	struct segment segment;
	struct fuzz_step step;
	__u64 now = 1000;

	logged = 0;
	native.track.times = native.track.rtt = size & 1;
	native.track.gather = size & 1 ? LENGTH : 0;
	native.track.decap = (struct decap){};
	native.track.key.tunnels = false;
	if (size & 2)
		wrap_track(&native.track);
	memset(native.counters, 0, sizeof(native.counters));
	while (steps_next(&steps, &step)) {
		now += step.wait;
		reassembly_expire(greetings, now);
		play_packet(&native, step.data, step.len, step.wire_len,
			    step.raw_ip, now, &segment);
	}
	engine_finish(&native);
	reassembly_finish(greetings, 0);
	check_account();
	return 0;
}
