/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "reassembly.h"

#include <stdlib.h>
#include <string.h>

/* Without memory nothing is added, and the process goes on. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* What is known of a byte of a greeting. */
enum byte_state {
	BYTE_SAID = 1 << 0,    /* a segment has it, by the headers */
	BYTE_AT_HAND = 1 << 1, /* and the packet was captured that far */
	BYTE_FIRST = 1 << 2,   /* the first byte of its segment */
};

struct greeting {
	__u64 key;	/* key_of() */
	__u64 last;	/* ns: time of its latest part */
	__u32 said;	/* bytes from the beginning up to the first gap */
	__u32 end;	/* offset of the furthest part's end, kept or not */
	__u32 fin;	/* offset of the sender's FIN, if has_fin */
	__u16 segments; /* how many brought new bytes */
	bool has_first; /* the first part has come: it is an event */
	bool has_fin;
	__u8 pace; /* enum pace: the index of its list */
	UT_hash_handle handle;
	struct greeting *next_free;
	__u8 *states; /* enum byte_state of each byte */
	/* Followed by room for `length` bytes, tunnels, and states. */
	struct event record;
};

/* Rounded up to a multiple of 8, so that tunnels behind it are aligned. */
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
	*greetings = (struct reassembly){ .length = length,
					  .quiet = { quiet, quiet },
					  .log = log,
					  .context = context };
	greetings->size = sizeof(struct greeting) + room_for(length) +
			  TUNNELS_MAX * sizeof(struct tunnel) + length;
	greetings->size = (greetings->size + align - 1) / align * align;
	/* open_greeting() clears each. */
	greetings->pool = malloc(REASSEMBLY_MAX * greetings->size);
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

void reassembly_wait_longer(struct reassembly *greetings,
			    bool (*is_unfinished)(const __u8 *bytes,
						  size_t len),
			    __u64 quiet)
{
	greetings->is_unfinished = is_unfinished;
	greetings->quiet[PACE_PATIENT] = quiet;
}

void reassembly_free(struct reassembly *greetings)
{
	if (!greetings)
		return;
	for (int pace = 0; pace < PACES; pace++)
		HASH_CLEAR(handle, greetings->lists[pace]);
	free(greetings->pool);
	free(greetings);
}

/* --- one greeting -------------------------------------------------------- */

/* Adds bytes that are not known yet: a byte's first value is kept. */
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

/* The event of all parts that have come. */
static const struct event *whole(struct greeting *greeting)
{
	struct event *record = &greeting->record;

	record->kept = 0;
	while (record->kept < greeting->said &&
	       greeting->states[record->kept] & BYTE_AT_HAND)
		record->kept++;
	record->len = greeting->end; /* more than `said` if there is a gap */
	record->segments = greeting->segments;
	return record;
}

/* Whether the bytes up to the first gap are the whole greeting. */
static bool is_ended(const struct reassembly *greetings,
		     struct greeting *greeting)
{
	return greetings->is_end && greeting->has_first &&
	       greetings->is_end(greeting->record.bytes, whole(greeting)->kept);
}

static enum pace pace_of(const struct reassembly *greetings,
			 struct greeting *greeting)
{
	return greetings->is_unfinished && greeting->has_first &&
			       greetings->is_unfinished(greeting->record.bytes,
							whole(greeting)->kept) ?
		       PACE_PATIENT :
		       PACE_USUAL;
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
	HASH_DELETE(handle, greetings->lists[greeting->pace], greeting);
	free_place(greetings, greeting);
}

/* Adds a greeting at the end of the list; false without memory. */
static bool add(struct reassembly *greetings, struct greeting *greeting)
{
	HASH_ADD(handle, greetings->lists[greeting->pace], key,
		 sizeof(greeting->key), greeting);
	if (greeting->handle.tbl)
		return true;
	free_place(greetings, greeting);
	return false;
}

/* The greeting that has been quiet for the longest, or NULL. */
static struct greeting *oldest_of(const struct reassembly *greetings)
{
	struct greeting *one = greetings->lists[PACE_USUAL],
			*other = greetings->lists[PACE_PATIENT];

	if (!one || !other)
		return one ? one : other;
	return (__s64)(other->last - one->last) < 0 ? other : one;
}

/*
 * Finds a free place. If there is none, the oldest greeting is logged to make
 * room. That is not done for a part that is not the first: its greeting may
 * have been logged already.
 */
static struct greeting *take_place(struct reassembly *greetings, bool is_first)
{
	struct greeting *oldest = oldest_of(greetings), *place;

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
 * Moves a greeting to the end of its pace's list: the one that has been quiet
 * for the longest is first. Without memory for that, the greeting is logged
 * before its end.
 */
static void touch(struct reassembly *greetings, struct greeting *greeting,
		  enum pace pace)
{
	HASH_DELETE(handle, greetings->lists[greeting->pace], greeting);
	greeting->pace = (__u8)pace;
	if (add(greetings, greeting))
		return;
	greetings->crowded_out += greeting->has_first;
	if (greeting->has_first)
		greetings->log(whole(greeting), greetings->context);
}

/*
 * The key of one side of a connection. An earlier connection between the same
 * ends has another key. A connection's id is even, so bit 0 is free for the
 * side.
 */
static __u64 key_of(const struct event *record)
{
	return record->connection ^ record->synack_time << 1 ^
	       event_origin(record->kind);
}

static struct greeting *find(const struct reassembly *greetings, __u64 key)
{
	struct greeting *greeting = NULL;

	for (int pace = 0; pace < PACES && !greeting; pace++)
		HASH_FIND(handle, greetings->lists[pace], &key, sizeof(key),
			  greeting);
	return greeting;
}

bool reassembly_has(const struct reassembly *greetings,
		    const struct event *record)
{
	return find(greetings, key_of(record));
}

/* Adds a part to its greeting, which is logged if it is complete now. */
static void take_part(struct reassembly *greetings, struct greeting *greeting,
		      const struct event *record, bool is_new)
{
	enum pace pace;

	merge(greeting, record, greetings->length);
	if (is_complete(greeting, greetings->length) ||
	    is_ended(greetings, greeting)) {
		finish(greetings, greeting);
		return;
	}
	pace = pace_of(greetings, greeting);
	if (!is_new || greeting->pace != pace)
		touch(greetings, greeting, pace);
}

void reassembly_add(struct reassembly *greetings, const struct event *record)
{
	const __u64 key = key_of(record);
	struct greeting *greeting;
	bool is_new;

	if (record->part != PART_END)
		reassembly_expire(greetings, record->time);
	greeting = find(greetings, key);
	if (record->part == PART_END) {
		if (greeting)
			finish(greetings, greeting);
		return;
	}
	is_new = !greeting;
	if (is_new)
		greeting = open_greeting(greetings, key,
					 record->part == PART_FIRST);
	if (greeting)
		take_part(greetings, greeting, record, is_new);
	else
		greetings->crowded_parts++;
}

void reassembly_expire(struct reassembly *greetings, __u64 now)
{
	for (int pace = 0; pace < PACES; pace++) {
		struct greeting **list = &greetings->lists[pace];

		/* Signed: a capture's clock may go back. */
		while (*list && (__s64)(now - (*list)->last) >=
					(__s64)greetings->quiet[pace])
			finish(greetings, *list);
	}
}

__u64 reassembly_deadline(const struct reassembly *greetings)
{
	__u64 first = 0;

	for (int pace = 0; pace < PACES; pace++) {
		const struct greeting *oldest = greetings->lists[pace];
		const __u64 deadline =
			oldest ? oldest->last + greetings->quiet[pace] : 0;

		if (deadline && (!first || deadline < first))
			first = deadline;
	}
	return first;
}

void reassembly_finish(struct reassembly *greetings, __u32 ifindex)
{
	struct greeting *greeting, *next;

	for (int pace = 0; pace < PACES; pace++)
		HASH_ITER(handle, greetings->lists[pace], greeting, next)
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
