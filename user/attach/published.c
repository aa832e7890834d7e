/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "published.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * How often a read is tried. A change takes the attacher less than a
 * microsecond. If the attacher was stopped during a change, the reader uses the
 * values that are there.
 */
#define TRIES 100
#define TRY_NS 1000000

static __u32 read_serial(const __u32 *serial)
{
	return __atomic_load_n(serial, __ATOMIC_ACQUIRE);
}

/* Whether the values read since `before` was read are consistent. */
static bool is_same(const __u32 *serial, __u32 before)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(before & 1) &&
	       __atomic_load_n(serial, __ATOMIC_RELAXED) == before;
}

/* --- names --------------------------------------------------------------- */

static bool is_of(const struct published_name *name, __u32 ifindex, __u64 time)
{
	return name->ifindex == ifindex && time >= name->from &&
	       (!name->to || time < name->to);
}

static bool read_name(struct published_name *to,
		      const struct published_name *name)
{
	const __u32 serial = read_serial(&name->serial);

	*to = *name;
	if (!is_same(&name->serial, serial))
		return false;
	to->name[IFNAMSIZ - 1] = '\0';
	return true;
}

static __u32 count_of(const __u32 *count, __u32 most)
{
	const __u32 now = __atomic_load_n(count, __ATOMIC_ACQUIRE);

	return now < most ? now : most;
}

bool published_find(const struct published *page, __u32 ifindex, __u64 time,
		    __u32 *hint, struct published_name *found)
{
	const __u32 count = count_of(&page->name_count, PUBLISHED_NAMES);

	if (*hint < count && read_name(found, &page->names[*hint]) &&
	    is_of(found, ifindex, time))
		return true;
	for (__u32 i = count; i--;) {
		if (page->names[i].ifindex != ifindex ||
		    !read_name(found, &page->names[i]) ||
		    !is_of(found, ifindex, time))
			continue;
		*hint = i;
		return true;
	}
	return false;
}

void published_each_ended(const struct published *page, __u64 *since,
			  void (*ended)(__u32 ifindex, void *context),
			  void *context)
{
	const __u32 count = count_of(&page->name_count, PUBLISHED_NAMES);
	__u64 latest = *since;

	for (__u32 i = 0; i < count; i++) {
		struct published_name name;

		if (page->names[i].to <= *since ||
		    !read_name(&name, &page->names[i]) || name.to <= *since)
			continue;
		if (name.to > latest)
			latest = name.to;
		ended(name.ifindex, context);
	}
	*since = latest;
}

/* --- counts -------------------------------------------------------------- */

/*
 * Makes room for all interfaces. Without memory the room stays as it was, and
 * later interfaces are left out.
 */
static void make_room(struct published_counts *counts, __u32 count)
{
	struct published_interface *list;

	if (count <= counts->room)
		return;
	list = reallocarray(counts->interfaces, count, sizeof(*list));
	if (!list)
		return;
	counts->interfaces = list;
	counts->room = count;
}

static bool copy_counts(struct published_counts *counts,
			const struct published *page)
{
	const __u32 serial = read_serial(&page->serial);
	const __u32 count =
		count_of(&page->interface_count, PUBLISHED_INTERFACES);

	if (serial & 1)
		return false;
	make_room(counts, count);
	counts->count = count < counts->room ? count : counts->room;
	counts->packets = page->packets;
	counts->not_watched = page->not_watched;
	memcpy(counts->counters, page->counters, sizeof(counts->counters));
	counts->events = page->events;
	if (counts->count)
		memcpy(counts->interfaces, page->interfaces,
		       counts->count * sizeof(*counts->interfaces));
	for (__u32 i = 0; i < counts->count; i++)
		counts->interfaces[i].name[IFNAMSIZ - 1] = '\0';
	return is_same(&page->serial, serial);
}

void published_read(struct published_counts *counts,
		    const struct published *page)
{
	static const struct timespec moment = { .tv_nsec = TRY_NS };

	for (int i = 0; i < TRIES && !copy_counts(counts, page); i++)
		nanosleep(&moment, NULL);
}
