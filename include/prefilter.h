/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The prefilter of the flow table: a bitmap, indexed by the hash of a
 * connection. A clear bit means that no connection waits for the packet, which
 * holds for nearly every packet. A set bit may be a false positive, so the
 * packet is examined further. Portable C without a helper call, like segment.h.
 *
 * table_place.h sets and clears the bits.
 */
#ifndef BANNERPROBE_PREFILTER_H
#define BANNERPROBE_PREFILTER_H

#include "hash.h"
#include "layers.h"
#include "platform.h"
#include "segment.h"
#include "tunnels.h"

#define PREFILTER_WORDS_MAX (1U << 19) /* of 64 bits each */

struct prefilter {
	__u64 *words;
	const volatile __u64 *secrets; /* HASH_SECRETS of them */
	__u32 mask; /* the number of words, a power of two, less one */
};

static __always_inline __u32 prefilter_index(const struct prefilter *prefilter,
					     __u64 hash)
{
	return (__u32)(hash >> 32) & prefilter->mask;
}

/* A word's bit for a hash. */
static __always_inline __u32 prefilter_bit(__u64 hash)
{
	return (__u32)(hash >> 58);
}

/* Whether a connection with this hash may be pending. */
static __always_inline bool
prefilter_may_have(const struct prefilter *prefilter, __u64 hash)
{
	return prefilter->words[prefilter_index(prefilter, hash)] >>
		       prefilter_bit(hash) &
	       1;
}

/* Whether a segment with this hash may change any state. */
static __always_inline bool
segment_may_matter(const struct segment *segment, __u64 hash,
		   const struct prefilter *prefilter)
{
	return segment->flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
	       prefilter_may_have(prefilter, hash);
}

/* What the prefilter finds out about a packet. */
enum prefilter_result {
	/*
	 * Nearly all packets: data for which no connection waits, or neither
	 * TCP nor a tunnel to be counted.
	 */
	PREFILTER_IGNORE,
	PREFILTER_PARSE, /* the packet has to be parsed */
	PREFILTER_HIT,	 /* data for which a connection may wait */
};

/*
 * The prefilter's result, by what the walk over plain headers found. `hash`: of
 * the connection, set where the result is PREFILTER_HIT.
 */
static __always_inline enum prefilter_result
prefilter_walked(enum parse_result result, const struct segment *segment,
		 const struct prefilter *prefilter, __u64 *hash)
{
	if (result != PARSED)
		return result != PARSE_NOT_TCP && result != PARSE_UDP ?
			       PREFILTER_PARSE :
			       PREFILTER_IGNORE;
	*hash = flow_hash(segment, prefilter->secrets);
	return prefilter_may_have(prefilter, *hash) ? PREFILTER_HIT :
						      PREFILTER_IGNORE;
}

static __always_inline enum prefilter_result
prefilter_udp(const struct frame *frame, const struct segment *segment,
	      const struct decap *decap)
{
	return udp_may_be_tunnel(frame, segment->payload_offset, decap) ?
		       PREFILTER_PARSE :
		       PREFILTER_IGNORE;
}

/*
 * The prefilter for a packet that begins with an Ethernet header; `decap`:
 * which tunnels are opened. *hash is set where the result is PREFILTER_HIT.
 */
static __always_inline enum prefilter_result
prefilter_ethernet(const struct frame *frame, const struct prefilter *prefilter,
		   const struct decap *decap, __u64 *hash)
{
	struct segment segment;
	const enum parse_result result =
		walk_ethernet(frame, WALK_PLAIN, &segment);

	if (result == PARSE_UDP)
		return prefilter_udp(frame, &segment, decap);
	return prefilter_walked(result, &segment, prefilter, hash);
}

/* The same for a packet that has an IP header at `offset`. */
static __always_inline enum prefilter_result
prefilter_ip(const struct frame *frame, __u64 offset,
	     const struct prefilter *prefilter, const struct decap *decap,
	     __u64 *hash)
{
	struct segment segment;
	const enum parse_result result =
		walk_ip(frame, offset, WALK_PLAIN, &segment);

	if (result == PARSE_UDP)
		return prefilter_udp(frame, &segment, decap);
	return prefilter_walked(result, &segment, prefilter, hash);
}

/*
 * The prefilter behind one tunnel. False: the packet is plain data in one
 * tunnel, and no connection waits for it. True: the packet has to be parsed, or
 * has no tunnel.
 */
static __always_inline bool prefilter_tunnel(const struct frame *frame,
					     bool is_raw_ip,
					     const struct prefilter *prefilter,
					     const struct decap *decap,
					     bool key_tunnels)
{
	struct segment segment = {};
	enum parse_result result;
	__u64 hash;

	segment_reset(&segment);
	result = is_raw_ip ? walk_ip(frame, 0, WALK_PLAIN, &segment) :
			     walk_ethernet(frame, WALK_PLAIN, &segment);
	if (!tunnel_may_follow(result))
		return true;
	result = open_tunnel(frame, &segment, result, WALK_PLAIN, decap);
	if (!segment.tunnel_count)
		return true;
	if (result == PARSE_UDP) /* a tunnel in the tunnel? */
		return udp_may_be_tunnel(frame, segment.payload_offset, decap);
	if (result != PARSED)
		return result != PARSE_NOT_TCP;
	hash = flow_hash(&segment, prefilter->secrets);
	if (key_tunnels)
		hash = hash_with(hash, (__u64)segment.tunnels[0].id << 1,
				 prefilter->secrets);
	return prefilter_may_have(prefilter, hash);
}

#endif
