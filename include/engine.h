/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What becomes of a packet: it is parsed, filtered, looked up, judged, counted
 * and, if it carries an event, handed on. One procedure for the BPF programs
 * and for user space. The file that includes this one is a backend: it defines
 * struct backend and the functions of engine_backend.h.
 */
#ifndef BANNERPROBE_ENGINE_H
#define BANNERPROBE_ENGINE_H

#include "engine_backend.h"
#include "engine_events.h"
#include "engine_filter.h"
#include "engine_lookup.h"

/*
 * Takes a complete sighting into account for its connection. `event`: room for
 * one, with BANNER_MAX bytes. 1: nothing has changed, and the destination has
 * to be looked up first; then it is to be called again.
 *
 * Two CPUs that work on one connection take the same lock, so it is decided
 * once. (An entry of the LRU map may be evicted and become another's while it
 * is changed here: then the other's numbers are lost, and no banner comes of
 * numbers that do not fit.)
 */
static __always_inline int engine_track(const struct backend *backend,
					struct sighting *sighting,
					struct event *event)
{
	const struct engine_settings settings = backend_settings(backend);
	struct table_place place;
	struct flow *known = NULL;
	__u64 now;

	now = segment_needs_time(&sighting->segment, &settings.track) ?
		      backend_now(backend) :
		      0;
	if (!backend_find_place(backend, sighting->hash, &place) ||
	    !engine_find_and_lock(backend, &place, sighting, &known))
		return 0;
	table_track(&place, known, sighting, now, &settings.track);
	backend_unlock(place.bucket);
	if (sighting->verdict.asks)
		return 1;
	engine_report(backend, sighting, event, now);
	return 0;
}

#endif
