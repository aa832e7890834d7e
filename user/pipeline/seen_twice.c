/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "seen_twice.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SETS 8192
#define WAYS 8
#define WAITING_MAX 16

/*
 * Hashes of events with all, or with the innermost, of their tunnels; 0: free.
 * The latest mark comes first. A set is a cache line.
 */
struct set {
	__u64 marks[WAYS];
};

/*
 * Each logged event leaves a hash of the whole (MARK_WHOLE), which a later
 * event with more tunnels looks for. It also leaves a hash for each list of its
 * inner tunnels (MARK_REST), which a later event with fewer tunnels looks for.
 * The two kinds differ, because two tunnels around copies of one packet share
 * their inner tunnels, and are two events.
 */
enum mark_kind { MARK_WHOLE, MARK_REST };

struct seen_twice {
	struct set sets[SETS]; /* the first member, so aligned to cache lines */
	__u64 secrets[2];
	__u64 count;
	bool has_rests; /* a mark of MARK_REST was added */
	bool has_marks; /* sets[] is not all zero */
	/* Marks to be added, once their sets are prefetched into the cache. */
	unsigned int waiting_count;
	__u64 waiting[WAITING_MAX];
};

struct seen_twice *seen_twice_new(void)
{
	const size_t whole =
		(sizeof(struct seen_twice) + sizeof(struct set) - 1) /
		sizeof(struct set) * sizeof(struct set);
	struct seen_twice *seen = aligned_alloc(sizeof(struct set), whole);
	const ssize_t size = sizeof(seen->secrets);

	if (seen)
		memset(seen, 0, sizeof(*seen));
	if (seen && getrandom(seen->secrets, (size_t)size, 0) != size)
		abort(); /* cannot happen after boot, for so few bytes */
	return seen;
}

void seen_twice_free(struct seen_twice *seen)
{
	free(seen);
}

void seen_twice_clear(struct seen_twice *seen)
{
	if (seen->has_marks)
		memset(seen->sets, 0, sizeof(seen->sets));
	seen->has_marks = seen->has_rests = false;
	seen->waiting_count = 0;
}

__u64 seen_twice_count(const struct seen_twice *seen)
{
	return seen->count;
}

/* Adds a word to a keyed hash, which a sender cannot predict. */
static inline __u64 hash_add(const struct seen_twice *seen, __u64 hash,
			     __u64 word)
{
	hash = (hash ^ word) * (seen->secrets[0] | 1);
	hash ^= hash >> 32;
	hash = (hash + seen->secrets[1]) * (seen->secrets[1] | 1);
	return hash ^ hash >> 29;
}

/* The same with bytes that are whole words. */
static __u64 hash_add_bytes(const struct seen_twice *seen, __u64 hash,
			    const void *bytes, size_t size)
{
	__u64 word;

	for (size_t at = 0; at < size; at += sizeof(word)) {
		memcpy(&word, (const __u8 *)bytes + at, sizeof(word));
		hash = hash_add(seen, hash, word);
	}
	return hash;
}

/*
 * What an event is of: its side's first bytes, or the open port. The kind may
 * differ between the copies: where both sides spoke at once, either may be seen
 * first outside, and the other one inside.
 */
static __u64 subject_of(const struct event *event)
{
	return event->kind == EVENT_OPEN ?
		       EVENT_OPEN :
		       event_of(event_origin(event->kind), true);
}

/* The hash of an event without so many of its outermost tunnels. */
static __u64 mark_of(const struct seen_twice *seen, const struct event *event,
		     int without, enum mark_kind kind)
{
	const struct tunnel *tunnels = event_tunnels(event);
	__u64 hash =
		hash_add(seen, seen->secrets[1],
			 (__u64)event->isn[CLIENT] << 32 | event->isn[SERVER]);

	hash = hash_add(seen, hash,
			(__u64)event->client_port << 48 |
				(__u64)event->server_port << 32 |
				(__u64)event->family << 16 |
				subject_of(event) << 8 | kind);
	if (event->family == 6) {
		hash = hash_add_bytes(seen, hash, event->client,
				      sizeof(event->client));
		hash = hash_add_bytes(seen, hash, event->server,
				      sizeof(event->server));
	} else {
		hash = hash_add(seen, hash,
				(__u64)event->client[0] << 32 |
					event->server[0]);
	}
	_Static_assert(sizeof(struct tunnel) % sizeof(__u64) == 0,
		       "hashed by words");
	for (int i = without; i < event->tunnel_count; i++)
		hash = hash_add_bytes(seen, hash, &tunnels[i],
				      sizeof(tunnels[i]));
	return hash ? hash : 1;
}

static struct set *set_of(struct seen_twice *seen, __u64 mark)
{
	return &seen->sets[mark % SETS];
}

static bool has(struct seen_twice *seen, __u64 mark)
{
	const struct set *set = set_of(seen, mark);

	for (int way = 0; way < WAYS; way++) {
		if (set->marks[way] == mark)
			return true;
	}
	return false;
}

static void add_now(struct seen_twice *seen, __u64 mark)
{
	struct set *set = set_of(seen, mark);

	memmove(&set->marks[1], &set->marks[0],
		sizeof(set->marks) - sizeof(mark));
	set->marks[0] = mark;
}

static void add_waiting(struct seen_twice *seen)
{
	for (unsigned int i = 0; i < seen->waiting_count; i++)
		add_now(seen, seen->waiting[i]);
	seen->has_marks |= seen->waiting_count;
	seen->waiting_count = 0;
}

static void add(struct seen_twice *seen, __u64 mark)
{
	if (seen->waiting_count == WAITING_MAX)
		add_waiting(seen);
	seen->waiting[seen->waiting_count++] = mark;
	__builtin_prefetch(set_of(seen, mark), 1);
}

bool seen_twice_has(struct seen_twice *seen, const struct event *event)
{
	const int layers = event->tunnel_count;
	bool is_known;

	if (layers || seen->has_rests)
		add_waiting(seen);
	is_known = seen->has_rests &&
		   has(seen, mark_of(seen, event, 0, MARK_REST));
	for (int i = 1; i <= layers; i++)
		is_known |= has(seen, mark_of(seen, event, i, MARK_WHOLE));
	seen->count += is_known;
	if (is_known)
		return true;
	add(seen, mark_of(seen, event, 0, MARK_WHOLE));
	for (int i = 1; i <= layers; i++)
		add(seen, mark_of(seen, event, i, MARK_REST));
	seen->has_rests |= layers;
	return false;
}
