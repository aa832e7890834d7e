/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "reassembly.h"

#include <stdlib.h>
#include <string.h>

/* Without memory nothing is added, and the process goes on. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* What is known of a byte of a greeting. */
enum byte_state {
	BYTE_SAID = 1 << 0,    /* by a header */
	BYTE_AT_HAND = 1 << 1, /* and it was in the packet as captured */
	BYTE_FIRST = 1 << 2,   /* the first byte of its segment */
};

struct greeting {
	__u64 key;	/* key_of() */
	__u64 last;	/* ns: when the latest part of it came */
	__u32 said;	/* bytes from the beginning on, without a gap */
	__u32 end;	/* where the furthest part ends, kept or not */
	__u32 fin;	/* where its sender's FIN is, if has_fin */
	__u16 segments; /* that brought what is said */
	bool has_first; /* the part that makes it a banner */
	bool has_fin;
	UT_hash_handle handle;
	struct greeting *next_free;
	__u8 *states;	     /* enum byte_state of each byte */
	/* With room for `length` bytes, then tunnels, then states. */
	struct event record;
};

struct reassembly {
	struct greeting *list; /* uthash keeps it in order of its adding */
	struct greeting *free;
	char *pool;
	size_t size; /* of each in the pool */
	__u32 used;  /* of the pool */
	__u32 length;
	__u64 quiet;
	__u64 crowded_out, crowded_parts;
	bool (*is_end)(const __u8 *bytes, size_t len); /* or NULL */
	void (*log)(const struct event *record, void *context);
	void *context;
};

/* A multiple of 8: behind so many bytes, tunnels are aligned. */
static __u32 room_for(__u32 length)
{
	return (length + 7) & ~7U;
}

struct reassembly *reassembly_new(__u32 length, __u64 quiet,
				  void (*log)(const struct event *record,
					      void *context),
				  void *context)
{
	struct reassembly *greetings = calloc(1, sizeof(*greetings));
	const size_t align = _Alignof(struct greeting);

	if (!greetings)
		return NULL;
	*greetings = (struct reassembly){
		.length = length, .quiet = quiet, .log = log, .context = context
	};
	greetings->size = sizeof(struct greeting) + room_for(length) +
			  TUNNELS_MAX * sizeof(struct tunnel) + length;
	greetings->size = (greetings->size + align - 1) / align * align;
	greetings->pool = calloc(REASSEMBLY_MAX, greetings->size);
	if (greetings->pool)
		return greetings;
	free(greetings);
	return NULL;
}

void reassembly_end_where(struct reassembly *greetings,
			  bool (*is_end)(const __u8 *bytes, size_t len))
{
	greetings->is_end = is_end;
}

void reassembly_free(struct reassembly *greetings)
{
	if (!greetings)
		return;
	HASH_CLEAR(handle, greetings->list);
	free(greetings->pool);
	free(greetings);
}

/* --- one greeting -------------------------------------------------------- */

/* Adds bytes that are not known yet: the first that say them are right. */
static void add_bytes(struct greeting *greeting, const struct event *part,
		      __u32 length)
{
	const __u64 to = (__u64)part->offset + part->len;
	bool is_first = true;

	for (__u32 i = part->offset; i < to && i < length; i++) {
		const __u32 at = i - part->offset;
		__u8 *state = &greeting->states[i];

		if (!*state) {
			*state = BYTE_SAID | (is_first ? BYTE_FIRST : 0);
			is_first = false;
		}
		if (!(*state & BYTE_AT_HAND) && at < part->kept) {
			*state |= BYTE_AT_HAND;
			greeting->record.bytes[i] = part->bytes[at];
		}
	}
	if (to > greeting->end)
		greeting->end = to < ~0U ? (__u32)to : ~0U;
}

static void close_gap(struct greeting *greeting, __u32 length)
{
	while (greeting->said < length && greeting->states[greeting->said])
		greeting->segments +=
			!!(greeting->states[greeting->said++] & BYTE_FIRST);
}

static bool is_complete(const struct greeting *greeting, __u32 length)
{
	return greeting->has_first &&
	       (greeting->said == length ||
		(greeting->has_fin && greeting->said >= greeting->fin));
}

static void keep_tunnels(struct greeting *greeting, const struct event *part,
			 __u32 length)
{
	struct event *record = &greeting->record;

	if (!part->tunnel_count)
		return;
	record->tunnels_at = (__u16)room_for(length);
	memcpy(record->bytes + record->tunnels_at, event_tunnels(part),
	       part->tunnel_count * sizeof(struct tunnel));
}

static void merge(struct greeting *greeting, const struct event *part,
		  __u32 length)
{
	if (part->part == PART_FIRST) {
		greeting->has_first = true;
		greeting->record = *part;
		keep_tunnels(greeting, part, length);
	}
	add_bytes(greeting, part, length);
	close_gap(greeting, length);
	if (part->fin) {
		greeting->has_fin = true;
		greeting->fin = part->offset + part->len;
	}
	if (part->time > greeting->last)
		greeting->last = part->time;
}

/* The record of what has come of it. */
static const struct event *whole(struct greeting *greeting)
{
	struct event *record = &greeting->record;

	record->kept = 0;
	while (record->kept < greeting->said &&
	       greeting->states[record->kept] & BYTE_AT_HAND)
		record->kept++;
	record->len = greeting->end; /* more, if there is a gap */
	record->segments = greeting->segments;
	return record;
}

/* Whether what has come of it from its beginning on is its end. */
static bool is_ended(const struct reassembly *greetings,
		     struct greeting *greeting)
{
	return greetings->is_end && greeting->has_first &&
	       greetings->is_end(greeting->record.bytes, whole(greeting)->kept);
}

/* --- all of them --------------------------------------------------------- */

static void free_place(struct reassembly *greetings, struct greeting *greeting)
{
	greeting->next_free = greetings->free;
	greetings->free = greeting;
}

/* Ends a greeting: it is logged, unless its first part never came. */
static void finish(struct reassembly *greetings, struct greeting *greeting)
{
	if (greeting->has_first)
		greetings->log(whole(greeting), greetings->context);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in it */
	HASH_DELETE(handle, greetings->list, greeting);
	free_place(greetings, greeting);
}

/* To the end of the order; false without memory. */
static bool add(struct reassembly *greetings, struct greeting *greeting)
{
	HASH_ADD(handle, greetings->list, key, sizeof(greeting->key), greeting);
	if (greeting->handle.tbl)
		return true;
	free_place(greetings, greeting);
	return false;
}

/*
 * Finds a free place. If there is none, the oldest greeting is logged to make
 * room, but not for a part without the first: that may belong to a greeting
 * that has been logged already.
 */
static struct greeting *take_place(struct reassembly *greetings, bool is_first)
{
	struct greeting *oldest = greetings->list, *place;

	if (!greetings->free && greetings->used < REASSEMBLY_MAX)
		return (struct greeting *)(greetings->pool +
					   greetings->used++ * greetings->size);
	if (!greetings->free && oldest && is_first) {
		greetings->crowded_out += oldest->has_first;
		finish(greetings, oldest);
	}
	place = greetings->free;
	if (place)
		greetings->free = place->next_free;
	return place;
}

static struct greeting *open_greeting(struct reassembly *greetings, __u64 key,
				      bool is_first)
{
	struct greeting *greeting = take_place(greetings, is_first);

	if (!greeting)
		return NULL;
	memset(greeting, 0, greetings->size);
	greeting->key = key;
	greeting->states = greeting->record.bytes +
			   room_for(greetings->length) +
			   TUNNELS_MAX * sizeof(struct tunnel);
	return add(greetings, greeting) ? greeting : NULL;
}

/*
 * To the end of the order: the one that is quiet for the longest is first.
 * Returns it, or NULL where it had to be logged before its end.
 */
static struct greeting *touch(struct reassembly *greetings,
			      struct greeting *greeting)
{
	const bool has_first = greeting->has_first;

	HASH_DELETE(handle, greetings->list, greeting);
	if (add(greetings, greeting))
		return greeting;
	greetings->crowded_out += has_first;
	if (has_first)
		greetings->log(whole(greeting), greetings->context);
	return NULL;
}

/*
 * The key of one side of a connection, unlike that of an earlier connection
 * between the same ends. The id of a connection is even.
 */
static __u64 key_of(const struct event *record)
{
	return record->connection ^ record->synack_time << 1 ^
	       event_origin(record->kind);
}

bool reassembly_has(const struct reassembly *greetings,
		    const struct event *record)
{
	const __u64 key = key_of(record);
	struct greeting *greeting;

	HASH_FIND(handle, greetings->list, &key, sizeof(key), greeting);
	return greeting;
}

void reassembly_add(struct reassembly *greetings, const struct event *record)
{
	const __u64 key = key_of(record);
	struct greeting *greeting;

	if (record->part != PART_END)
		reassembly_expire(greetings, record->time);
	HASH_FIND(handle, greetings->list, &key, sizeof(key), greeting);
	if (record->part == PART_END) {
		if (greeting)
			finish(greetings, greeting);
		return;
	}
	if (greeting)
		greeting = touch(greetings, greeting);
	else
		greeting = open_greeting(greetings, key,
					 record->part == PART_FIRST);
	if (!greeting) {
		greetings->crowded_parts++;
		return;
	}
	merge(greeting, record, greetings->length);
	if (is_complete(greeting, greetings->length) ||
	    is_ended(greetings, greeting))
		finish(greetings, greeting);
}

void reassembly_expire(struct reassembly *greetings, __u64 now)
{
	/* Signed: a capture's clock may go back. */
	while (greetings->list &&
	       (__s64)(now - greetings->list->last) >= (__s64)greetings->quiet)
		finish(greetings, greetings->list);
}

__u64 reassembly_deadline(const struct reassembly *greetings)
{
	return greetings->list ? greetings->list->last + greetings->quiet : 0;
}

void reassembly_finish(struct reassembly *greetings, __u32 ifindex)
{
	struct greeting *greeting, *next;

	HASH_ITER(handle, greetings->list, greeting, next)
	{
		if (!ifindex || greeting->record.ifindex == ifindex)
			finish(greetings, greeting);
	}
}

void reassembly_read_counters(const struct reassembly *greetings,
			      __u64 counters[COUNTER_MAX])
{
	counters[COUNT_CROWDED_OUT] = greetings->crowded_out;
	counters[COUNT_CROWDED_PART] = greetings->crowded_parts;
}
