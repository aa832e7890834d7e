/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables without memory: what cannot be kept is left out, and all goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

static bool is_short; /* of memory */

static void *scarce_malloc(size_t size)
{
	return is_short ? NULL : malloc(size);
}

#define uthash_malloc(size) scarce_malloc(size)
#include "engine/overflow.c"
#define add add_greeting
#define touch touch_greeting
#define take_place take_place_of_greeting
#include "pipeline/reassembly.c"

#define MANY 2000 /* the table of uthash grows several times */

static void put(struct overflow *table, __u64 id)
{
	const struct flow flow = { .start_time = id };

	overflow_put(table, id, &flow);
}

static void count_flow(const struct flow *flow, void *context)
{
	*(int *)context += flow->start_time != 0;
}

static int count_found(struct overflow *table)
{
	int count = 0;

	for (__u64 id = 1; id <= MANY; id++) {
		const struct flow *flow = overflow_find(table, id);

		if (flow)
			assert_int_equal(flow->start_time, id);
		count += !!flow;
	}
	return count;
}

/* From the first connection on, and when the table has to grow. */
static void test_connections(void **state)
{
	struct overflow *table = overflow_new(MANY);
	int kept = 0, found;

	(void)state;
	is_short = true;
	put(table, 1);
	assert_null(overflow_find(table, 1));
	is_short = false;
	put(table, 2);
	assert_non_null(overflow_find(table, 2));
	is_short = true;
	for (__u64 id = 3; id <= MANY; id++)
		put(table, id);
	found = count_found(table);
	assert_true(found > 0 && found < MANY);
	overflow_each(table, count_flow, &kept);
	assert_int_equal(kept, count_found(table));
	is_short = false;
	for (__u64 id = 1; id <= MANY; id++)
		put(table, id);
	assert_int_equal(count_found(table), MANY);
	overflow_free(table);
}

static int logged;

static void log_record(const struct event *record, void *context)
{
	(void)record;
	(void)context;
	logged++;
}

static void add_part(struct reassembly *greetings, __u64 connection,
		     enum event_part part, __u32 offset)
{
	struct {
		struct event record;
		__u8 banner[4];
	} one = { .record = { .connection = connection,
			      .part = part,
			      .offset = offset,
			      .len = 4,
			      .kept = 4 } };

	reassembly_add(greetings, &one.record);
}

static void test_greetings(void **state)
{
	struct reassembly *greetings =
		reassembly_new(12, 1000, log_record, NULL);
	__u64 counters[COUNTER_MAX] = {};

	(void)state;
	is_short = true;
	add_part(greetings, 1, PART_FIRST, 0);
	reassembly_read_counters(greetings, counters);
	assert_int_equal(counters[COUNT_CROWDED_PART], 1);
	is_short = false;
	add_part(greetings, 2, PART_FIRST, 0);
	assert_int_equal(logged, 0);
	/* The table goes with the one that is in it, and cannot be made anew.
	 */
	is_short = true;
	add_part(greetings, 2, PART_MORE, 4);
	reassembly_read_counters(greetings, counters);
	assert_int_equal(logged, 1);
	assert_int_equal(counters[COUNT_CROWDED_OUT], 1);
	assert_int_equal(counters[COUNT_CROWDED_PART], 1);
	is_short = false;
	add_part(greetings, 3, PART_FIRST, 0);
	add_part(greetings, 3, PART_MORE, 4);
	add_part(greetings, 3, PART_MORE, 8);
	assert_int_equal(logged, 2);
	reassembly_free(greetings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_greetings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
