/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way of a packet through the core: it is parsed, filtered, looked up,
 * tracked, counted and, if it carries an event, handed on. One procedure for
 * the BPF programs and for user space. The file that includes this one is a
 * backend: it defines struct backend and the functions of engine_backend.h,
 * through which all state is reached.
 */
#ifndef BANNERPROBE_ENGINE_H
#define BANNERPROBE_ENGINE_H

#include "engine_backend.h"
#include "engine_events.h"
#include "engine_filter.h"
#include "engine_lookup.h"

/* What engine_track() leaves to do. */
enum tracked {
	TRACKED,     /* nothing */
	LOOK_UP_OWN, /* nothing has changed: engine_look_up_destination(), then
		      * again */
	REPORT,	     /* engine_report() */
};

/*
 * Tracks a complete context: a segment with what was found about its
 * connection.
 *
 * Two CPUs that handle one connection take the same lock, so it is decided
 * once. (While an entry of the LRU map is changed here, another CPU may evict
 * it and reuse it for another connection. Then that connection's numbers are
 * lost, and numbers that do not fit give no banner.)
 */
static __always_inline enum tracked
engine_track(const struct backend *backend, struct segment_context *context)
{
	const struct engine_settings *settings = backend_settings(backend);
	const struct verdict *verdict = &context->verdict;
	struct table_place place;
	struct flow *known = NULL;

	if (context->sender < 0) {
		engine_count_self(backend, context);
		return TRACKED;
	}
	context->now = segment_needs_time(&context->segment, &settings->track) ?
			       backend_now(backend) :
			       0;
	if (!backend_find_place(backend, context->hash, &place) ||
	    !engine_find_and_lock(backend, &place, context, &known))
		return TRACKED;
	table_track(&place, known, context, context->now, &settings->track);
	backend_unlock(place.bucket);
	if (verdict->asks)
		return LOOK_UP_OWN;
	if (verdict_is_logged(verdict))
		return REPORT;
	/* Most verdicts are only counted: that needs nothing of the packet. */
	engine_count_verdict(backend, verdict);
	return TRACKED;
}

#endif
