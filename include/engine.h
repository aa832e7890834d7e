/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What becomes of a packet: it is parsed, filtered, looked up, judged, counted
 * and, if it carries an event, handed on. One procedure for the BPF programs
 * and for user space. The file that includes this one is a backend: it defines
 * struct backend and the functions below, through which all state is reached.
 */
#ifndef BANNERPROBE_ENGINE_H
#define BANNERPROBE_ENGINE_H

#include "event.h"
#include "flow_table.h"
#include "own_addresses.h"
#include "platform.h"
#include "segment.h"
#include "server_filter.h"
#include "tracker.h"

/* --- what a backend supplies --------------------------------------------- */

struct backend;

/* What does not change while it runs. */
struct engine_settings {
	struct track_options track;
	__u32 filter_by; /* enum filter_by */
	__u32 limit;	 /* bytes of an event kept, 1 to BANNER_MAX */
};

static __always_inline struct engine_settings
backend_settings(const struct backend *backend);
static __always_inline const volatile __u64 *
backend_secrets(const struct backend *backend);
static __always_inline const volatile __u64 *
backend_filter_ports(const struct backend *backend);
static __always_inline struct prefilter
backend_prefilter(const struct backend *backend);

/* How the packet passes: enum direction. */
static __always_inline __u8 backend_direction(const struct backend *backend);

/* The place of a hash in the table; false: there is none. */
static __always_inline bool backend_find_place(const struct backend *backend,
					       __u64 hash,
					       struct table_place *place);
static __always_inline void backend_lock(struct bucket *bucket);
static __always_inline void backend_unlock(struct bucket *bucket);

/* A connection in the overflow LRU; NULL: it is not there. */
static __always_inline struct flow *
backend_overflow_find(const struct backend *backend, __u64 id);
/* Likewise, or an entry for it, all zero; NULL: there is no room. */
static __always_inline struct flow *
backend_overflow_add(const struct backend *backend, __u64 id);

/* All enum address_mark of the nets that an address lies in. */
static __always_inline __u32 backend_marks(const struct backend *backend,
					   const struct net *net);
/* Whether an address is this host's own. */
static __always_inline bool backend_is_own(const struct backend *backend,
					   const __u32 address[4], __u8 family);

/* COUNTER_ROOM counters of the packet's interface; NULL: they are not had. */
static __always_inline __u64 *
backend_counters(const struct backend *backend);

/* ns, on the clock of events. */
static __always_inline __u64 backend_now(const struct backend *backend);

/* Bytes of the packet that can be read. */
static __always_inline __u32 backend_len(const struct backend *backend);
/* Copies `len` bytes at `offset` of the packet, 1 to BANNER_MAX; false: not. */
static __always_inline bool backend_read(const struct backend *backend,
					 __u32 offset, void *to, __u32 len);

/* Whether the interface has had as many events in this second as it may. */
static __always_inline bool backend_is_over_rate(const struct backend *backend,
						 __u64 now);
/* The frame of the packet: for its link-layer addresses. */
static __always_inline const struct frame *
backend_frame(const struct backend *backend);
/* Hands an event on, with event->kept bytes; false: it is lost. */
static __always_inline bool backend_emit(const struct backend *backend,
					 struct event *event);

/* Counts what became of events other than banners. */
static __always_inline void backend_count_fates(const struct backend *backend,
						const struct verdict *verdict);

/* Keeps an event with the data of a SYN, by its synack_time as a key. */
static __always_inline void backend_keep_data(const struct backend *backend,
					      const struct event *event);
/* It; NULL: it is gone. The caller may change it. */
static __always_inline struct event *
backend_kept_data(const struct backend *backend, __u64 key);

/* --- counting ------------------------------------------------------------ */

static __always_inline void engine_count(const struct backend *backend,
					 enum counter counter)
{
	__u64 *counters;

	if (counter == COUNT_NOTHING)
		return;
	counters = backend_counters(backend);
	if (counters)
		count_in(counters, counter);
}

/* --- which segments are tracked ------------------------------------------ */

/* Whether the server of a segment is asked for. */
static __always_inline bool
engine_server_matches(const struct backend *backend,
		      const struct segment *segment, bool to_server)
{
	const __u32 by = backend_settings(backend).filter_by;
	struct server server;
	struct net net;

	if (!by)
		return true;
	server = server_of_segment(segment, to_server);
	if (by & FILTER_BY_PORT &&
	    !port_matches(backend_filter_ports(backend), server.port))
		return false;
	if (!(by & FILTER_BY_ADDRESS))
		return true;
	net_of_address(&net, server.address, segment->family);
	return address_matches(by, backend_marks(backend, &net));
}

/*
 * Whether a segment would begin a connection to a server that is not asked
 * for. Within a connection that is waited for it may tell that there is no
 * server: that is for the tracker.
 */
static __always_inline bool
engine_is_filtered(const struct backend *backend, const struct segment *segment,
		   __u64 hash, const struct prefilter *prefilter)
{
	return backend_settings(backend).filter_by && segment_opens(segment) &&
	       !prefilter_may_have(prefilter, hash) &&
	       !engine_server_matches(backend, segment,
				      syn_is_to_server(segment));
}

/* Whether a segment was taken out of a tunnel. */
static __always_inline bool is_from_tunnel(const struct decap *decap,
					   const struct segment *segment)
{
	return decap->kinds && segment->tunnel_count;
}

/*
 * Whether this host is said to have sent a segment that comes in: it is a copy
 * of one that left, or forged.
 */
static __always_inline bool
engine_is_not_seen_leaving(const struct backend *backend,
			   const struct segment *segment)
{
	const struct engine_settings settings = backend_settings(backend);

	if (settings.track.need == NEED_NONE ||
	    backend_direction(backend) != DIRECTION_IN ||
	    is_from_tunnel(&settings.track.decap, segment) ||
	    !backend_is_own(backend, segment->source, segment->family))
		return false;
	engine_count(backend, COUNT_NOT_SEEN_LEAVING);
	return true;
}

/*
 * Whether a segment comes in a tunnel from an address that is not believed.
 * What this host sends is.
 */
static __always_inline bool engine_is_refused(const struct backend *backend,
					      const struct segment *segment)
{
	const struct engine_settings settings = backend_settings(backend);
	struct net net;

	if (!settings.track.decap.by_peer ||
	    !is_from_tunnel(&settings.track.decap, segment) ||
	    backend_direction(backend) == DIRECTION_OUT ||
	    !outermost_peer(segment, &net) ||
	    backend_marks(backend, &net) & MARK_PEER)
		return false;
	engine_count(backend, COUNT_REFUSED_PEER);
	return true;
}

/*
 * Takes what the parser made of a packet: `result`, and sighting->segment.
 * True: the rest of the sighting is filled in, and engine_track() has to be
 * called.
 */
static __always_inline bool engine_see(const struct backend *backend,
				       enum parse_result result,
				       struct sighting *sighting)
{
	const struct engine_settings settings = backend_settings(backend);
	const volatile __u64 *secrets = backend_secrets(backend);
	const struct segment *segment = &sighting->segment;
	const struct prefilter prefilter = backend_prefilter(backend);

	engine_count(backend, parse_counter(result));
	if (result != PARSED)
		return false;
	sighting->hash = connection_hash(segment, settings.track.key, secrets);
	if (!segment_may_matter(segment, sighting->hash, &prefilter))
		return false;
	if (engine_is_filtered(backend, segment, sighting->hash, &prefilter)) {
		engine_count(backend, COUNT_PASSED_OVER);
		return false;
	}
	if (engine_is_refused(backend, segment))
		return false;
	sighting->id = connection_id(segment, settings.track.key, secrets,
				     &sighting->sender);
	/* A tunnel's inside is not this host's, whatever its addresses are. */
	sighting->to_own = is_from_tunnel(&settings.track.decap, segment) ?
				   OWN_NO :
				   OWN_UNKNOWN;
	return sighting->sender >= 0;
}

/*
 * Whether a segment is a SYN-ACK that no connection here waits for: most likely
 * its destination will have to be looked up.
 */
static __always_inline bool
engine_is_unexpected_synack(const struct backend *backend,
			    const struct sighting *sighting)
{
	const struct prefilter prefilter = backend_prefilter(backend);

	return backend_settings(backend).track.need != NEED_NONE &&
	       sighting->to_own == OWN_UNKNOWN &&
	       sighting->segment.flags & TCP_SYN &&
	       sighting->segment.flags & TCP_ACK &&
	       !prefilter_may_have(&prefilter, sighting->hash);
}

/* Looks up whether the segment's destination is an address of this host. */
static __always_inline void
engine_look_up_destination(const struct backend *backend,
			   struct sighting *sighting)
{
	sighting->to_own = backend_is_own(backend, sighting->segment.destination,
					  sighting->segment.family) ?
				   OWN_YES :
				   OWN_NO;
}

/* --- the connection ------------------------------------------------------ */

/*
 * Moves a connection to the overflow LRU. It has an entry there before it
 * leaves its bucket, and both change under the lock.
 */
static __always_inline void engine_move_to_overflow(const struct backend *backend,
					 const struct table_place *place,
					 int way, __u64 id)
{
	struct flow *entry = backend_overflow_add(backend, id);

	if (!entry)
		return;
	backend_lock(place->bucket);
	table_move_to_overflow(place, way, id, entry);
	backend_unlock(place->bucket);
}

/*
 * Makes room for a connection that may begin, or stand beside another. What is
 * read unlocked here is asked again under the lock.
 */
static __always_inline void engine_make_room(const struct backend *backend,
					     const struct table_place *place,
					     const struct sighting *sighting)
{
	int way;

	if (!bucket_is_crowded(place->bucket) ||
	    (sighting->segment.flags & TCP_ACK &&
	     table_find(place, sighting->id) >= 0))
		return;
	way = bucket_victim(place->bucket, VICTIM_COMPLETE, 0) &
	      (BUCKET_WAYS - 1);
	engine_move_to_overflow(backend, place, way, place->entries->ways[way].id);
}

enum search {
	FOUND,	 /* or begins here; the bucket is locked */
	NOWHERE, /* nothing waits for the segment */
	MOVED,	 /* perhaps, meanwhile: to be looked for again */
};

/*
 * Looks for a sighting's connection, outside its bucket, too, if need be.
 * `again`: the second time, when it cannot have moved since the first.
 */
static __always_inline enum search
engine_search_once(const struct backend *backend,
		   const struct table_place *place, struct sighting *sighting,
		   struct flow **known, bool again)
{
	const bool opens = segment_opens(&sighting->segment);
	struct bucket *bucket = place->bucket;
	const __u32 version = *(volatile __u32 *)&bucket->version;
	const int way = again ? -1 : table_find(place, sighting->id);
	bool unmoved;

	*known = NULL;
	if (way >= 0) {
		backend_lock(bucket);
		sighting->way = way;
		if (table_has_id(place, way, sighting->id))
			return FOUND;
		backend_unlock(bucket);
		return MOVED;
	}
	/* Asked after the ways: see bucket_may_have(). */
	if (again || overflow_with(bucket, place->tag))
		*known = backend_overflow_find(backend, sighting->id);
	else if (!opens)
		return NOWHERE;
	backend_lock(bucket);
	sighting->way = again ? table_find(place, sighting->id) : -1;
	unmoved = again || bucket->version == version;
	/* Read back, where the ways to it are all alike to the verifier. */
	if (*(volatile int *)&sighting->way >= 0 ||
	    (unmoved && (*known || opens)))
		return FOUND;
	backend_unlock(bucket);
	return unmoved ? NOWHERE : MOVED;
}

/*
 * Finds what is known of a sighting's connection outside its bucket (*known),
 * and locks the bucket. False, unlocked: nobody waits for the segment.
 *
 * A connection may begin in the bucket, or move to the overflow LRU, after it
 * was looked for there and before the lock is taken. Then the bucket's version
 * has changed, and it is looked for once more: in the overflow LRU, which it
 * does not leave, then in the bucket under the lock. So twice is enough, however
 * long this CPU was held up.
 */
static __always_inline bool
engine_find_and_lock(const struct backend *backend,
		     const struct table_place *place,
		     struct sighting *sighting, struct flow **known)
{
	enum search result;

	if (segment_opens(&sighting->segment))
		engine_make_room(backend, place, sighting);
	result = engine_search_once(backend, place, sighting, known, false);
	if (result == MOVED)
		result = engine_search_once(backend, place, sighting, known,
					    true);
	return result == FOUND;
}

/* --- events -------------------------------------------------------------- */

/* The link layer's addresses in a tunnel may lie beyond the linear part. */
static __always_inline void engine_read_macs(const struct backend *backend,
					     struct event *event,
					     const struct sighting *sighting)
{
	const bool from_server = sighting->verdict.sender == SERVER;
	const __u16 source = sighting->segment.source_mac;
	const __u16 destination = sighting->segment.destination_mac;

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
		  const struct sighting *sighting, __u32 most)
{
	const __u32 offset = sighting->segment.payload_offset +
			     sighting->verdict.skip;
	const struct engine_settings settings = backend_settings(backend);
	const struct segment *segment = &sighting->segment;
	const bool in_tunnel = is_from_tunnel(&settings.track.decap, segment);
	__u32 at_hand = backend_len(backend), kept;

	/* Behind the inside of a tunnel there may be something else. */
	if (in_tunnel && at_hand > segment->bytes_end)
		at_hand = segment->bytes_end;
	kept = bytes_to_keep(at_hand, offset, event->len, most);
	if (in_tunnel)
		clear_padding(event, kept);
	if (kept && !backend_read(backend, offset, event->bytes, kept))
		kept = 0;
	event->kept = kept;
	if (in_tunnel) {
		describe_tunnels(event, segment);
		engine_read_macs(backend, event, sighting);
	}
}

static __always_inline void engine_emit(const struct backend *backend,
					struct event *event)
{
	if (!backend_emit(backend, event))
		engine_count(backend, lost_counter(event->part));
}

/* Whether a first chunk is one too many in this second. */
static __always_inline bool engine_is_over_rate(const struct backend *backend,
						__u64 now)
{
	if (!backend_settings(backend).track.max_rate ||
	    !backend_is_over_rate(backend, now))
		return false;
	engine_count(backend, COUNT_OVER_RATE);
	return true;
}

/* An event whose bytes, if any, are in the packet. */
static __always_inline void engine_emit_segment(const struct backend *backend,
						struct event *event,
						enum event_kind kind,
						const struct sighting *sighting,
						__u64 now)
{
	const struct verdict *verdict = &sighting->verdict;

	/* Of an event whose beginning is refused no other part is logged. */
	if (verdict->part <= PART_FIRST && engine_is_over_rate(backend, now))
		return;
	describe_event(event, kind, &sighting->flow, &sighting->segment,
		       backend_frame(backend), verdict, now);
	event->connection = sighting->id;
	engine_read_bytes(backend, event, sighting,
			  backend_settings(backend).limit - event->offset);
	engine_emit(backend, event);
}

/* No more of what the other side said is gathered. */
static __always_inline void engine_emit_end(const struct backend *backend,
					    struct event *event,
					    const struct sighting *sighting,
					    __u64 now)
{
	const struct verdict *verdict = &sighting->verdict;

	describe_event(event, event_of(!verdict->sender, true), &sighting->flow,
		       &sighting->segment, backend_frame(backend), verdict, now);
	event->connection = sighting->id;
	event->part = PART_END;
	event->len = event->offset = event->kept = 0;
	__builtin_memset(event->server_mac, 0, MAC_LENGTH);
	__builtin_memset(event->client_mac, 0, MAC_LENGTH);
	engine_emit(backend, event);
}

/* --- data of a SYN -------------------------------------------------------- */

/* What the data of a SYN is kept by: each SYN of a connection has its own. */
static __always_inline __u64 syn_data_key(__u64 id, __u32 isn)
{
	return id ^ ((__u64)isn << 32 | isn);
}

/* Keeps the data of a SYN: only the SYN-ACK tells whether it is a request. */
static __always_inline void engine_keep_data(const struct backend *backend,
					     struct event *event,
					     const struct sighting *sighting,
					     __u64 now)
{
	const __u32 limit = backend_settings(backend).limit;
	const struct verdict *verdict = &sighting->verdict;
	const __u64 key = syn_data_key(sighting->id, sighting->segment.seq);

	if (backend_kept_data(backend, key))
		return; /* a copy */
	describe_event(event, EVENT_REQUEST, &sighting->flow,
		       &sighting->segment, backend_frame(backend), verdict, now);
	event->connection = sighting->id;
	event->synack_time = key; /* until it is known */
	engine_read_bytes(backend, event, sighting,
			  limit < SYN_DATA_MAX ? limit : SYN_DATA_MAX);
	backend_keep_data(backend, event);
}

static __always_inline void engine_emit_kept(const struct backend *backend,
					     struct event *event,
					     const struct sighting *sighting)
{
	describe_history(event, &sighting->flow);
	if (event->kept > SYN_DATA_MAX)
		event->kept = SYN_DATA_MAX;
	if (event->tunnels_at > SYN_DATA_MAX)
		event->tunnels_at = SYN_DATA_MAX;
	if (event->tunnel_count > TUNNELS_MAX)
		event->tunnel_count = TUNNELS_MAX;
	event->part = backend_settings(backend).track.gather ? PART_FIRST :
							       PART_NONE;
	engine_emit(backend, event);
}

/* --- all that comes of a segment ------------------------------------------- */

/* Whether banners are among the events that are asked for. */
static __always_inline bool engine_logs_banners(const struct backend *backend)
{
	const __u32 events = backend_settings(backend).track.events;

	return !events || events & EVENTS_BANNER;
}

/* The events beside the segment's own bytes; only where they are asked for. */
static __always_inline void engine_report_more(const struct backend *backend,
					       struct sighting *sighting,
					       struct event *event, __u64 now)
{
	struct verdict *verdict = &sighting->verdict;
	struct event *kept = NULL;

	if (verdict->keeps_data)
		engine_keep_data(backend, event, sighting, now);
	if (verdict->syn_len) {
		kept = backend_kept_data(
			backend,
			syn_data_key(sighting->id,
				     sighting->flow.sides[CLIENT].isn));
		if (!kept)
			verdict->fates ^= fate_of(EVENT_REQUEST, FATE_LOGGED) ^
					  fate_of(EVENT_REQUEST,
						  FATE_DATA_UNSEEN);
	}
	if (verdict->fates | verdict->ended_fates)
		backend_count_fates(backend, verdict);
	if (kept)
		engine_emit_kept(backend, kept, sighting);
	if (verdict->logs & EVENT_BIT(EVENT_OPEN)) {
		const __u8 part = verdict->part;

		verdict->part = PART_NONE;
		engine_emit_segment(backend, event, EVENT_OPEN, sighting, now);
		verdict->part = part;
	}
}

/* The kind of event that the segment's own bytes are, or are a part of. */
static __always_inline int engine_kind(const struct backend *backend,
				       const struct verdict *verdict)
{
	const __u32 logs = verdict->logs & ~EVENT_BIT(EVENT_OPEN);

	if (logs)
		return event_of(verdict->sender,
				logs & EVENT_BIT(EVENT_REQUEST));
	if (verdict->part != PART_NONE)
		return event_of(verdict->sender, true);
	if (verdict->outcome == COUNT_BANNER && engine_logs_banners(backend))
		return EVENT_BANNER;
	return -1;
}

static __always_inline void engine_report(const struct backend *backend,
					  struct sighting *sighting,
					  struct event *event, __u64 now)
{
	const bool more = backend_settings(backend).track.events &
			  ~EVENTS_BANNER;
	struct verdict *verdict = &sighting->verdict;
	__u64 *counters;
	int kind;

	if (verdict_asks_for_server(verdict) &&
	    !engine_server_matches(backend, &sighting->segment,
				   verdict->sender == CLIENT))
		verdict_filter(verdict);
	if (verdict_is_counted(verdict)) {
		counters = backend_counters(backend);
		if (counters)
			count_verdict(counters, verdict);
	}
	if (!verdict_is_logged(verdict))
		return;
	now = now ? now : backend_now(backend);
	if (verdict->ends_other)
		engine_emit_end(backend, event, sighting, now);
	if (more)
		engine_report_more(backend, sighting, event, now);
	kind = engine_kind(backend, verdict);
	if (kind >= 0)
		engine_emit_segment(backend, event, kind, sighting, now);
}

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
