/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests of what the attacher publishes and the reader finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "attach/published.h"

#define MANY (4 * NAMES_KEPT)

static struct published *page;
static struct publisher *publisher;

static int set_up(void **state)
{
	(void)state;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	publisher = publisher_new(page);
	assert_non_null(publisher);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	publisher_free(publisher);
	return munmap(page, sizeof(*page));
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

/* The name of an index at a time; "" if none is known. */
static const char *name_at(__u32 ifindex, __u64 time, __u32 *hint)
{
	static struct published_name found;

	return published_find(page, ifindex, time, hint, &found) ? found.name :
								   "";
}

static void test_a_name_holds_for_its_time(void **state)
{
	const __u64 before = now_ns();
	__u64 first, second, after;
	__u32 name, hint = 0;

	(void)state;
	name = publish_name(publisher, 7, publish_place(publisher), "one");
	first = now_ns();
	publish_end_of_name(publisher, name);
	name = publish_name(publisher, 7, publish_place(publisher), "other");
	second = now_ns();
	publish_end_of_name(publisher, name);
	after = now_ns() + 1;
	for (int i = 0; i < 2; i++) { /* whatever the hint is by then */
		assert_string_equal(name_at(7, before, &hint), "");
		assert_string_equal(name_at(7, first, &hint), "one");
		assert_string_equal(name_at(7, second, &hint), "other");
		assert_string_equal(name_at(7, after, &hint), "");
		assert_string_equal(name_at(8, first, &hint), "");
	}
}

/* Of those that have ended the oldest are forgotten; no other one is. */
static void test_many_names(void **state)
{
	const __u32 stays = publish_name(publisher, 1, NO_PLACE, "stays");
	__u64 *times = calloc(MANY, sizeof(*times));
	char name[IFNAMSIZ];
	__u32 hint = ~0U;

	(void)state;
	assert_non_null(times);
	for (__u32 i = 0; i < MANY; i++) {
		__u32 number;

		snprintf(name, sizeof(name), "veth%u", i);
		number = publish_name(publisher, 10 + i, NO_PLACE, name);
		assert_int_not_equal(number, NO_PLACE);
		assert_int_not_equal(number, stays);
		times[i] = now_ns();
		publish_end_of_name(publisher, number);
	}
	assert_true(page->name_count <= NAMES_KEPT + 2);
	for (__u32 i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "veth%u", i);
		assert_string_equal(name_at(10 + i, times[i], &hint),
				    i < MANY - NAMES_KEPT - 1 ? "" : name);
	}
	assert_string_equal(name_at(1, now_ns(), &hint), "stays");
	free(times);
}

static void test_no_room_for_a_name(void **state)
{
	__u32 last = 0, hint = 0;

	(void)state;
	for (__u32 i = 0; i < PUBLISHED_NAMES; i++)
		last = publish_name(publisher, i + 1, NO_PLACE, "x");
	assert_int_not_equal(last, NO_PLACE);
	assert_int_equal(publish_name(publisher, 9, NO_PLACE, "y"), NO_PLACE);
	publish_end_of_name(publisher, NO_PLACE);
	publish_end_of_name(publisher, last);
	assert_int_equal(
		publish_name(publisher, PUBLISHED_NAMES + 9, NO_PLACE, "y"),
		last);
	assert_string_equal(name_at(PUBLISHED_NAMES + 9, now_ns(), &hint), "y");
}

/* Values are not read while a change is in progress. */
static void test_within_a_change(void **state)
{
	const __u32 name = publish_name(publisher, 7, NO_PLACE, "one");
	__u32 hint = name;

	(void)state;
	page->names[name].serial++;
	assert_string_equal(name_at(7, now_ns(), &hint), "");
	page->names[name].serial++;
	assert_string_equal(name_at(7, now_ns(), &hint), "one");
	memset(page->names[name].name, 'x', IFNAMSIZ); /* without an end */
	assert_int_equal(strlen(name_at(7, now_ns(), &hint)), IFNAMSIZ - 1);
}

static int ended_count;
static __u32 ended_index;

static void count_ended(__u32 ifindex, void *context)
{
	(void)context;
	ended_index = ifindex;
	ended_count++;
}

static void test_each_end_is_told_once(void **state)
{
	const __u32 one = publish_name(publisher, 7, NO_PLACE, "one");
	const __u32 other = publish_name(publisher, 8, NO_PLACE, "other");
	__u64 since = 0;

	(void)state;
	published_each_ended(page, &since, count_ended, NULL);
	assert_int_equal(ended_count, 0);
	publish_end_of_name(publisher, one);
	published_each_ended(page, &since, count_ended, NULL);
	assert_int_equal(ended_count, 1);
	assert_int_equal(ended_index, 7);
	publish_end_of_name(publisher, other);
	published_each_ended(page, &since, count_ended, NULL);
	published_each_ended(page, &since, count_ended, NULL);
	assert_int_equal(ended_count, 2);
	assert_int_equal(ended_index, 8);
}

/* Another interface in the place of a vanished one is distinguished from it. */
static void test_counts_by_place(void **state)
{
	const __u64 totals[COUNTER_MAX] = { [COUNT_BANNER] = 5 };
	struct published_interface interface = { .name = "eth0",
						 .is_watched = true,
						 .packets = { 3, 4 } };
	struct published_counts counts = {};
	struct event_counts events = {};
	const __u32 place = publish_place(publisher);
	__u32 generation;

	(void)state;
	assert_int_not_equal(publish_place(publisher), place);
	publish_interface(publisher, place, &interface);
	publish_interface(publisher, NO_PLACE, &interface);
	publish_totals(publisher, 7, totals, &events, 1);
	published_read(&counts, page);
	assert_int_equal(counts.count, 2);
	assert_int_equal(counts.packets, 7);
	assert_int_equal(counts.not_watched, 1);
	assert_int_equal(counts.counters[COUNT_BANNER], 5);
	assert_string_equal(counts.interfaces[place].name, "eth0");
	assert_int_equal(counts.interfaces[place].packets.sent, 4);
	generation = counts.interfaces[place].generation;
	publish_leave(publisher, place);
	assert_int_equal(publish_place(publisher), place);
	published_read(&counts, page);
	assert_false(counts.interfaces[place].is_watched);
	assert_int_not_equal(counts.interfaces[place].generation, generation);
	free(counts.interfaces);
}

static void test_no_room_for_an_interface(void **state)
{
	(void)state;
	for (__u32 i = 0; i < PUBLISHED_INTERFACES; i++)
		assert_int_equal(publish_place(publisher), i);
	assert_int_equal(publish_place(publisher), NO_PLACE);
	publish_leave(publisher, NO_PLACE);
	assert_int_equal(publish_place(publisher), NO_PLACE);
	publish_leave(publisher, 5);
	assert_int_equal(publish_place(publisher), 5);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_name_holds_for_its_time),
		TEST(test_many_names),
		TEST(test_no_room_for_a_name),
		TEST(test_within_a_change),
		TEST(test_each_end_is_told_once),
		TEST(test_counts_by_place),
		TEST(test_no_room_for_an_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
