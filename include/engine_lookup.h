/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds a segment's connection in its bucket or in the overflow LRU, and makes
 * room for one that begins.
 */
#ifndef BANNERPROBE_ENGINE_LOOKUP_H
#define BANNERPROBE_ENGINE_LOOKUP_H

#include "engine_backend.h"

/*
 * Moves a connection to the overflow LRU. It has an entry there before it
 * leaves its bucket, and both change under the lock.
 */
static __always_inline void
engine_move_to_overflow(const struct backend *backend,
			const struct table_place *place, int way, __u64 id)
{
	struct flow *entry = backend_overflow_add(backend, id);

	if (!entry)
		return;
	backend_lock(place->bucket);
	table_move_to_overflow(place, way, id, entry);
	backend_unlock(place->bucket);
}

/*
 * Makes room for a connection that may begin, or for rivals. Values that are
 * read here without the lock are checked again under the lock.
 */
static __always_inline void
engine_make_room(const struct backend *backend, const struct table_place *place,
		 const struct segment_context *context)
{
	int way;

	if (!bucket_is_crowded(place->bucket) ||
	    (context->segment.flags & TCP_ACK &&
	     table_find(place, context->id) >= 0))
		return;
	way = bucket_victim(place->bucket, VICTIM_COMPLETE, 0) &
	      (BUCKET_WAYS - 1);
	engine_move_to_overflow(backend, place, way,
				place->bucket->ways[way].id);
}

enum search {
	FOUND,	 /* or begins here; the bucket is locked */
	NOWHERE, /* no connection waits for the segment */
	MOVED,	 /* it may have moved: look for it again */
};

/*
 * Looks for a context's connection in its bucket and, if it is not there, in
 * the overflow LRU. `again`: the second search, which starts in the overflow
 * LRU.
 */
static __always_inline enum search engine_search_once(
	const struct backend *backend, const struct table_place *place,
	struct segment_context *context, struct flow **known, bool again)
{
	const bool opens = segment_opens(&context->segment);
	struct bucket *bucket = place->bucket;
	const __u32 version = *(volatile __u32 *)&bucket->version;
	const int way = again ? -1 : table_find(place, context->id);
	bool unmoved, is_known;

	*known = NULL;
	if (way >= 0) {
		backend_lock(bucket);
		context->way = way;
		if (table_has_id(place, way, context->id))
			return FOUND;
		backend_unlock(bucket);
		return MOVED;
	}
	/* Looked up after the ways: see bucket_may_have(). */
	if (again || overflow_with(bucket, place->tag))
		*known = backend_overflow_find(backend, context->id);
	else if (!opens)
		return NOWHERE;
	/* Checked in one place, so that the verifier has two cases. */
	is_known = *known;
	OPAQUE(is_known);
	backend_lock(bucket);
	context->way = again ? table_find(place, context->id) : -1;
	unmoved = again || bucket->version == version;
	/*
	 * Read back from memory, where the verifier does not distinguish the
	 * paths.
	 */
	if (*(volatile int *)&context->way >= 0 ||
	    (unmoved && (is_known || opens)))
		return FOUND;
	backend_unlock(bucket);
	return unmoved ? NOWHERE : MOVED;
}

/*
 * Finds the state of a context's connection outside of its bucket (*known),
 * and locks the bucket. False, unlocked: no connection waits for the segment.
 *
 * A connection may begin in the bucket, or move to the overflow LRU, after it
 * was looked for there and before the lock is taken. Then the bucket's version
 * has changed, and it is looked for once more: in the overflow LRU, which it
 * does not leave, then in the bucket under the lock. So twice is enough,
 * however long this CPU was held up.
 */
static __always_inline bool
engine_find_and_lock(const struct backend *backend,
		     const struct table_place *place,
		     struct segment_context *context, struct flow **known)
{
	enum search result;

	if (segment_opens(&context->segment))
		engine_make_room(backend, place, context);
	result = engine_search_once(backend, place, context, known, false);
	if (result == MOVED)
		result = engine_search_once(backend, place, context, known,
					    true);
	return result == FOUND;
}

#endif
