/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Acts on a segment's verdict: builds events with their bytes, and counts what
 * is not logged.
 */
#ifndef BANNERPROBE_ENGINE_EVENTS_H
#define BANNERPROBE_ENGINE_EVENTS_H

#include "engine_backend.h"
#include "engine_filter.h"

/*
 * Fills in the link-layer addresses of a frame inside a tunnel: they may lie
 * beyond the packet's linear part.
 */
static __always_inline void
engine_read_macs(const struct backend *backend, struct event *event,
		 const struct segment_context *context)
{
	const bool from_server = context->verdict.sender == SERVER;
	const __u16 source = context->segment.source_mac;
	const __u16 destination = context->segment.destination_mac;

	if (source == MAC_NOT_TOLD || destination == MAC_NOT_TOLD)
		return;
	backend_read(backend, source,
		     from_server ? event->server_mac : event->client_mac,
		     MAC_LENGTH);
	backend_read(backend, destination,
		     from_server ? event->client_mac : event->server_mac,
		     MAC_LENGTH);
}

/*
 * Fills in the event's bytes, as far as they are at hand and asked for: `most`
 * of them.
 */
static __always_inline void
engine_read_bytes(const struct backend *backend, struct event *event,
		  const struct segment_context *context,
		  const struct engine_settings *settings, __u32 most)
{
	const __u32 offset =
		context->segment.payload_offset + context->verdict.skip;
	const struct segment *segment = &context->segment;
	const bool in_tunnel = is_from_tunnel(&settings->track.decap, segment);
	__u32 at_hand = backend_len(backend), kept;

	/* Other bytes may follow the inside of a tunnel. */
	if (in_tunnel && at_hand > segment->bytes_end)
		at_hand = segment->bytes_end;
	kept = most ? bytes_to_keep(at_hand, offset, event->len, most) : 0;
	if (in_tunnel)
		clear_padding(event, kept);
	if (kept && !backend_read(backend, offset, event->bytes, kept))
		kept = 0;
	event->kept = kept;
	if (in_tunnel) {
		describe_tunnels(event, segment);
		engine_read_macs(backend, event, context);
	}
}

/* `room`: what event->bytes has room for. */
static __always_inline void engine_emit(const struct backend *backend,
					struct event *event, __u32 room)
{
	if (!backend_emit(backend, event, room))
		engine_count(backend, lost_counter(event->part));
}

/* Whether a first chunk exceeds the rate of this second. */
static __always_inline bool engine_is_over_rate(const struct backend *backend,
						__u64 now)
{
	if (!backend_settings(backend)->track.max_rate ||
	    !backend_is_over_rate(backend, now))
		return false;
	engine_count(backend, COUNT_OVER_RATE);
	return true;
}

/* Describes an event of the segment, but for its part and its bytes. */
static __always_inline void
engine_describe(const struct backend *backend, struct event *event,
		enum event_kind kind, const struct segment_context *context,
		__u64 now)
{
	describe_event(event, kind, &context->flow, &context->segment,
		       backend_frame(backend), &context->verdict, now);
	event->connection = context->id;
	backend_note_place(backend, event);
}

/* Ends the reassembly of what the other side said. */
static __always_inline void
engine_emit_end(const struct backend *backend, struct event *event,
		const struct segment_context *context, __u64 now)
{
	engine_describe(backend, event,
			event_of(!context->verdict.sender, true), context, now);
	event->part = PART_END;
	event->len = event->offset = event->kept = 0;
	__builtin_memset(event->server_mac, 0, MAC_LENGTH);
	__builtin_memset(event->client_mac, 0, MAC_LENGTH);
	engine_emit(backend, event, EVENT_ROOM);
}

/* Emits the event of an open port, which has no bytes. */
static __always_inline void
engine_emit_open(const struct backend *backend, struct event *event,
		 const struct segment_context *context, __u64 now)
{
	const struct engine_settings *settings = backend_settings(backend);

	if (engine_is_over_rate(backend, now))
		return;
	engine_describe(backend, event, EVENT_OPEN, context, now);
	event->part = PART_NONE;
	engine_read_bytes(backend, event, context, settings, 0);
	engine_emit(backend, event, EVENT_ROOM);
}

/* The key for the data of a SYN: each SYN of a connection has its own. */
static __always_inline __u64 syn_data_key(__u64 id, __u32 isn)
{
	return id ^ ((__u64)isn << 32 | isn);
}

/*
 * Keeps the data of a SYN: only the SYN-ACK shows whether it is a request. What
 * was kept of an earlier connection with the same number is replaced.
 */
static __always_inline void engine_keep(const struct backend *backend,
					struct event *event,
					const struct segment_context *context)
{
	/* The field holds the key until the SYN-ACK's time is known. */
	event->synack_time = syn_data_key(context->id, context->segment.seq);
	backend_keep_data(backend, event);
}

/*
 * Emits an event with its bytes from the packet, or keeps the data of a SYN.
 * The bytes are read in one place, because on kernels before 5.18 XDP copies
 * them in a loop, which the verifier follows at each place where it is called.
 */
static __always_inline void
engine_emit_segment(const struct backend *backend, struct event *event,
		    enum event_kind kind, const struct segment_context *context,
		    __u64 now)
{
	const struct engine_settings *settings = backend_settings(backend);
	const struct verdict *verdict = &context->verdict;
	const bool keeps = verdict->keeps_data;

	/*
	 * Where the first chunk is refused, no other part of the event is
	 * logged.
	 */
	if (!keeps && verdict->part <= PART_FIRST &&
	    engine_is_over_rate(backend, now))
		return;
	engine_describe(backend, event, kind, context, now);
	backend_describe_socket(backend, event);
	engine_read_bytes(backend, event, context, settings,
			  keeps && settings->limit > SYN_DATA_MAX ?
				  SYN_DATA_MAX :
				  settings->limit - event->offset);
	if (keeps)
		engine_keep(backend, event, context);
	else
		engine_emit(backend, event, EVENT_ROOM);
}

/* Emits the request that a SYN carried. */
static __always_inline void
engine_emit_kept(const struct backend *backend, struct event *event,
		 const struct segment_context *context)
{
	describe_history(event, &context->flow);
	event->sides_seen = 0; /* what a SYN carries is the first of all */
	event->part = backend_settings(backend)->track.gather ? PART_FIRST :
								PART_NONE;
	engine_emit(backend, event, SYN_DATA_ROOM_MAX);
}

/* --- all that comes of a segment -------------------------------------------
 */

/* Whether banners are among the events that are asked for. */
static __always_inline bool engine_logs_banners(const struct backend *backend)
{
	const __u32 events = backend_settings(backend)->track.events;

	return !events || events & EVENTS_BANNER;
}

/*
 * Emits the events other than the segment's own bytes, and counts fates. Used
 * only where events besides banners are asked for.
 */
static __always_inline void engine_report_more(const struct backend *backend,
					       struct segment_context *context,
					       struct event *event, __u64 now)
{
	struct verdict *verdict = &context->verdict;
	struct event *kept = NULL;

	if (verdict->syn_len) {
		kept = backend_kept_data(
			backend, syn_data_key(context->id,
					      context->flow.sides[CLIENT].isn));
		if (!kept)
			verdict->fates ^=
				fate_of(EVENT_REQUEST, FATE_LOGGED) ^
				fate_of(EVENT_REQUEST, FATE_DATA_UNSEEN);
	}
	if (verdict->fates | verdict->ended_fates)
		backend_count_fates(backend, verdict);
	if (kept && !engine_is_over_rate(backend, now))
		engine_emit_kept(backend, kept, context);
	if (verdict->logs & EVENT_BIT(EVENT_OPEN))
		engine_emit_open(backend, event, context, now);
}

static __always_inline void engine_count_verdict(const struct backend *backend,
						 const struct verdict *verdict)
{
	__u64 *counters;

	if (!verdict_is_counted(verdict))
		return;
	counters = backend_counters(backend);
	if (counters)
		count_verdict(counters, verdict);
}

/*
 * Counts a connection of an address and port with itself: a simultaneous open,
 * so it has no server. Nothing is kept of it, so each SYN counts as one.
 */
static __always_inline void engine_count_self(const struct backend *backend,
					      struct segment_context *context)
{
	const struct track_options *options = &backend_settings(backend)->track;
	struct verdict *verdict = &context->verdict;

	if (!segment_opens(&context->segment) ||
	    context->segment.flags & TCP_ACK)
		return;
	verdict_clear(verdict);
	verdict->began = COUNT_CONNECTIONS;
	verdict->outcome = COUNT_NO_SERVER;
	engine_count_verdict(backend, verdict);
	if (!wants_more_events(options))
		return;
	verdict->fates =
		fates_left(options->events & ~EVENTS_BANNER, FATE_NO_SERVER);
	backend_count_fates(backend, verdict);
}

/* The kind of event that the segment's own bytes are, or are a part of. */
static __always_inline int engine_kind(const struct backend *backend,
				       const struct verdict *verdict)
{
	const __u32 logs = verdict->logs & ~EVENT_BIT(EVENT_OPEN);

	if (verdict->keeps_data)
		return EVENT_REQUEST;
	if (logs)
		return event_of(verdict->sender,
				logs & EVENT_BIT(EVENT_REQUEST));
	if (verdict->part != PART_NONE)
		return event_of(verdict->sender, true);
	if (verdict->outcome == COUNT_BANNER && engine_logs_banners(backend))
		return EVENT_BANNER;
	return -1;
}

/* Counts a verdict and emits its events. `event`: room for one of them. */
static __always_inline void engine_report(const struct backend *backend,
					  struct segment_context *context,
					  struct event *event)
{
	const bool more =
		backend_settings(backend)->track.events & ~EVENTS_BANNER;
	struct verdict *verdict = &context->verdict;
	__u64 now = context->now;
	int kind;

	if (verdict_asks_for_server(verdict) &&
	    !engine_server_matches(backend, &context->segment,
				   verdict->sender == CLIENT))
		verdict_filter(verdict);
	engine_count_verdict(backend, verdict);
	if (!verdict_is_logged(verdict))
		return;
	now = now ? now : backend_now(backend);
	if (verdict->ends_other)
		engine_emit_end(backend, event, context, now);
	if (more)
		engine_report_more(backend, context, event, now);
	kind = engine_kind(backend, verdict);
	if (kind >= 0)
		engine_emit_segment(backend, event, kind, context, now);
}

#endif
