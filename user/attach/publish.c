/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "published.h"
#include "system/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The attacher's own state, so that nothing is read back from the shared
 * memory.
 */
struct publisher {
	struct published *page;
	__u64 evicted, events_evicted[EVENT_KINDS]; /* as last published */
	__u32 interface_count, name_count, free_count;
	__u32 first_ended, ended_count;
	__u32 free[PUBLISHED_INTERFACES]; /* released places */
	__u32 ended[PUBLISHED_NAMES];	  /* numbers of ended names, a ring */
};

struct publisher *publisher_new(struct published *page)
{
	struct publisher *publisher = calloc(1, sizeof(*publisher));

	if (publisher)
		publisher->page = page;
	return publisher;
}

void publisher_free(struct publisher *publisher)
{
	free(publisher);
}

/* A reader repeats its read if the serial was odd, or has changed meanwhile. */
static void begin_change(__u32 *serial)
{
	__atomic_store_n(serial, *serial + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void end_change(__u32 *serial)
{
	__atomic_store_n(serial, *serial + 1, __ATOMIC_RELEASE);
}

/* --- places -------------------------------------------------------------- */

__u32 publish_place(struct publisher *publisher)
{
	__u32 place;

	if (publisher->free_count)
		return publisher->free[--publisher->free_count];
	if (publisher->interface_count == PUBLISHED_INTERFACES)
		return NO_PLACE;
	place = publisher->interface_count++;
	__atomic_store_n(&publisher->page->interface_count,
			 publisher->interface_count, __ATOMIC_RELEASE);
	return place;
}

void publish_leave(struct publisher *publisher, __u32 place)
{
	struct published_interface *interface;

	if (place == NO_PLACE)
		return;
	interface = &publisher->page->interfaces[place];
	begin_change(&publisher->page->serial);
	interface->generation++;
	interface->is_watched = interface->has_counters = false;
	end_change(&publisher->page->serial);
	publisher->free[publisher->free_count++] = place;
}

/* --- names --------------------------------------------------------------- */

static __u32 take_ended(struct publisher *publisher)
{
	const __u32 number = publisher->ended[publisher->first_ended];

	publisher->first_ended = (publisher->first_ended + 1) % PUBLISHED_NAMES;
	publisher->ended_count--;
	return number;
}

/* A number for a name: of the oldest ended name, if enough are kept. */
static __u32 take_number(struct publisher *publisher)
{
	const bool is_full = publisher->name_count == PUBLISHED_NAMES;

	if (publisher->ended_count > (is_full ? 0 : NAMES_KEPT))
		return take_ended(publisher);
	return is_full ? NO_PLACE : publisher->name_count;
}

__u32 publish_name(struct publisher *publisher, __u32 ifindex, __u32 place,
		   const char *name)
{
	const __u32 number = take_number(publisher);
	struct published_name *entry;

	if (number == NO_PLACE)
		return NO_PLACE;
	entry = &publisher->page->names[number];
	begin_change(&entry->serial);
	entry->ifindex = ifindex;
	entry->interface = place;
	entry->generation =
		place == NO_PLACE ?
			0 :
			publisher->page->interfaces[place].generation;
	entry->from = monotonic_ns();
	entry->to = 0;
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	end_change(&entry->serial);
	if (number == publisher->name_count) {
		publisher->name_count++;
		__atomic_store_n(&publisher->page->name_count,
				 publisher->name_count, __ATOMIC_RELEASE);
	}
	return number;
}

void publish_end_of_name(struct publisher *publisher, __u32 number)
{
	struct published_name *entry;
	__u32 last;

	if (number == NO_PLACE)
		return;
	entry = &publisher->page->names[number];
	begin_change(&entry->serial);
	entry->to = monotonic_ns();
	end_change(&entry->serial);
	last = (publisher->first_ended + publisher->ended_count) %
	       PUBLISHED_NAMES;
	publisher->ended[last] = number;
	publisher->ended_count++;
}

/* --- counts -------------------------------------------------------------- */

void publish_interface(struct publisher *publisher, __u32 place,
		       const struct published_interface *interface)
{
	struct published *page = publisher->page;
	__u32 generation;

	if (place == NO_PLACE)
		return;
	generation = page->interfaces[place].generation;
	begin_change(&page->serial);
	page->interfaces[place] = *interface;
	page->interfaces[place].generation = generation;
	end_change(&page->serial);
}

/*
 * Evictions are computed, and may come out lower than before. A counter that
 * falls would look like a restart to a reader of metrics.
 */
static void keep_from_falling(__u64 *value, __u64 *highest)
{
	if (*value > *highest)
		*highest = *value;
	*value = *highest;
}

static void keep_evictions(struct publisher *publisher)
{
	struct published *page = publisher->page;

	keep_from_falling(&page->counters[COUNT_EVICTED], &publisher->evicted);
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		keep_from_falling(&page->events.by[kind][FATE_EVICTED],
				  &publisher->events_evicted[kind]);
}

void publish_totals(struct publisher *publisher, __u64 packets,
		    const __u64 counters[COUNTER_MAX],
		    const struct event_counts *events, int not_watched)
{
	struct published *page = publisher->page;

	begin_change(&page->serial);
	page->packets = packets;
	page->not_watched = not_watched;
	memcpy(page->counters, counters, sizeof(page->counters));
	page->events = *events;
	keep_evictions(publisher);
	end_change(&page->serial);
}
