/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which segments are tracked: those that pass the server filter, and come from
 * where they can come from.
 */
#ifndef BANNERPROBE_ENGINE_FILTER_H
#define BANNERPROBE_ENGINE_FILTER_H

#include "engine_backend.h"
#include "telnet.h"

/* Whether the server of a segment passes the filter. */
static __always_inline bool engine_server_matches(const struct backend *backend,
						  const struct segment *segment,
						  bool to_server)
{
	const __u32 by = backend_settings(backend)->filter_by;
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
	return address_matches(by, backend_sets(backend, &net));
}

/*
 * Whether a segment would begin a connection to a server that is filtered. A
 * segment of a pending connection may show that there is no server; the tracker
 * decides that.
 */
static __always_inline bool
engine_is_filtered(const struct backend *backend, const struct segment *segment,
		   __u64 hash, const struct prefilter *prefilter)
{
	return backend_settings(backend)->filter_by && segment_opens(segment) &&
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
 * Whether a received segment has an address of this host as its source: it is a
 * copy of a sent segment, or forged.
 */
static __always_inline bool
engine_is_not_seen_leaving(const struct backend *backend,
			   const struct segment *segment)
{
	const struct engine_settings *settings = backend_settings(backend);

	if (settings->track.need == NEED_NONE ||
	    backend_direction(backend) != DIRECTION_IN ||
	    is_from_tunnel(&settings->track.decap, segment) ||
	    !backend_is_own(backend, segment->source, segment->family))
		return false;
	engine_count(backend, COUNT_NOT_SEEN_LEAVING);
	return true;
}

/*
 * Whether a segment came in a tunnel from an address outside of --decap-from.
 * Tunnels of this host are accepted.
 */
static __always_inline bool engine_is_refused(const struct backend *backend,
					      const struct segment *segment)
{
	const struct engine_settings *settings = backend_settings(backend);
	struct net net;

	if (!settings->track.decap.by_peer ||
	    !is_from_tunnel(&settings->track.decap, segment) ||
	    backend_direction(backend) == DIRECTION_OUT ||
	    !outermost_peer(segment, &net) ||
	    backend_sets(backend, &net) & SET_PEER)
		return false;
	engine_count(backend, COUNT_REFUSED_PEER);
	return true;
}

/*
 * Filters a parsed packet: `result`, and context->segment. True: the rest of
 * the context is filled in, and engine_track() has to be called.
 */
static __always_inline bool engine_see(const struct backend *backend,
				       enum parse_result result,
				       struct segment_context *context)
{
	const struct engine_settings *settings = backend_settings(backend);
	const volatile __u64 *secrets = backend_secrets(backend);
	const struct segment *segment = &context->segment;
	const struct prefilter prefilter = backend_prefilter(backend);

	engine_count(backend, parse_counter(result));
	if (result != PARSED)
		return false;
	context->hash =
		backend_hash(backend, segment, settings->track.key, secrets);
	if (!segment_may_matter(segment, context->hash, &prefilter))
		return false;
	if (engine_is_filtered(backend, segment, context->hash, &prefilter)) {
		engine_count(backend, COUNT_PASSED_OVER);
		return false;
	}
	if (engine_is_refused(backend, segment))
		return false;
	context->id = connection_id(segment, settings->track.key, secrets,
				    &context->sender);
	/*
	 * A packet inside of a tunnel is not this host's, whatever its
	 * addresses are.
	 */
	context->to_own = is_from_tunnel(&settings->track.decap, segment) ?
				  OWN_NO :
				  OWN_UNKNOWN;
	return true;
}

/*
 * Notes whether the payload of a segment is telnet's negotiation alone, which
 * ends no greeting. `bytes`: room for NEGOTIATION_MAX of them.
 */
static __always_inline void
engine_note_negotiation(const struct backend *backend, struct segment *segment,
			__u8 *bytes)
{
	const struct decap *decap = &backend_settings(backend)->track.decap;
	const __u32 len = segment->payload_len;

	/* Other bytes may follow the inside of a tunnel. */
	if (is_from_tunnel(decap, segment) &&
	    segment->payload_offset + len > segment->bytes_end)
		return;
	segment->negotiates =
		backend_read(backend, segment->payload_offset, bytes, len) &&
		telnet_negotiates(bytes, len);
}

/*
 * Whether that has to be found out: the payload's first byte, where it is at
 * hand, begins a command.
 */
static __always_inline bool engine_may_negotiate(const struct backend *backend,
						 const struct segment *segment)
{
	const __u8 *first;

	if (!backend_settings(backend)->track.gather || !segment->payload_len ||
	    segment->payload_len > NEGOTIATION_MAX)
		return false;
	first = frame_at(backend_frame(backend), segment->payload_offset, 1);
	return !first || *first == TELNET_IAC;
}

/*
 * Whether a segment is a SYN-ACK that no connection waits for. Its destination
 * is then looked up before the tracking, which would most often ask for it.
 */
static __always_inline bool
engine_is_unexpected_synack(const struct backend *backend,
			    const struct segment_context *context)
{
	const struct prefilter prefilter = backend_prefilter(backend);

	return backend_settings(backend)->track.need != NEED_NONE &&
	       context->to_own == OWN_UNKNOWN &&
	       context->segment.flags & TCP_SYN &&
	       context->segment.flags & TCP_ACK &&
	       !prefilter_may_have(&prefilter, context->hash);
}

/* Looks up whether the segment's destination is an address of this host. */
static __always_inline void
engine_look_up_destination(const struct backend *backend,
			   struct segment_context *context)
{
	context->to_own = backend_is_own(backend, context->segment.destination,
					 context->segment.family) ?
				  OWN_YES :
				  OWN_NO;
}

#endif
