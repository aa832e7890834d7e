/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a connection is identified: two keyed hashes of its addresses and ports,
 * each the same in both directions. flow_hash() is cheap and says where to
 * look; flow_identify() says which connection it is. Portable C without a
 * helper call, like segment.h.
 */
#ifndef BANNERPROBE_HASH_H
#define BANNERPROBE_HASH_H

#include "platform.h"
#include "segment.h"

/*
 * Random odd numbers that make the hashes a secret of this run. Volatile, since
 * in a BPF program they are set after the compiler has seen them as 0.
 */
#define HASH_SECRETS 8

/*
 * Mixes one end of a connection with the key. The upper half is XORed into the
 * lower one, which is not linear under addition. So an attacker without the key
 * cannot choose two ends that have the same sum as two other ends.
 */
static __always_inline __u64 mix_end(__u64 keyed)
{
	return keyed ^ keyed >> 32;
}

/* The hash of two mixed ends: of its 64 bits the upper 32 are used. */
static __always_inline __u64
hash_of_ends(__u64 source, __u64 destination,
	     const volatile __u64 secrets[HASH_SECRETS])
{
	__u64 sum = source + destination;

	return (sum ^ sum >> 29) * secrets[1];
}

/*
 * The hash that selects the bucket of an IPv4 connection. Addresses and ports
 * in network byte order.
 */
static __always_inline __u64 flow_hash_ipv4(
	__u32 source, __u32 destination, __u16 source_port,
	__u16 destination_port, const volatile __u64 secrets[HASH_SECRETS])
{
	const __u64 key = secrets[0];

	return hash_of_ends(
		mix_end(((__u64)source << 16 | source_port) * key),
		mix_end(((__u64)destination << 16 | destination_port) * key),
		secrets);
}

static __always_inline __u64
mix_ipv6_end(const __u32 address[4], __u16 port,
	     const volatile __u64 secrets[HASH_SECRETS])
{
	return mix_end(((__u64)address[0] << 32 | address[1]) * secrets[2] +
		       ((__u64)address[2] << 32 | address[3]) * secrets[3] +
		       port * secrets[0]);
}

static __always_inline __u64 flow_hash_ipv6(
	const __u32 source[4], const __u32 destination[4], __u16 source_port,
	__u16 destination_port, const volatile __u64 secrets[HASH_SECRETS])
{
	return hash_of_ends(
		mix_ipv6_end(source, source_port, secrets),
		mix_ipv6_end(destination, destination_port, secrets), secrets);
}

static __always_inline __u64
flow_hash(const struct segment *segment,
	  const volatile __u64 secrets[HASH_SECRETS])
{
	const __u16 source_port = bpf_htons(segment->source_port);
	const __u16 destination_port = bpf_htons(segment->destination_port);

	if (segment->family == 4)
		return flow_hash_ipv4(segment->source[0],
				      segment->destination[0], source_port,
				      destination_port, secrets);
	return flow_hash_ipv6(segment->source, segment->destination,
			      source_port, destination_port, secrets);
}

/*
 * The VLANs of a segment as a number, for --key vlan; 0: none. A tag of VLAN 0
 * carries a priority only (IEEE 802.1Q).
 */
static __always_inline __u64 vlan_key(const struct segment *segment)
{
	return (__u64)segment->vlan[0] << 16 | segment->vlan[1];
}

/* Adds a part of the connection's key to a hash; key 0 changes nothing. */
static __always_inline __u64
hash_with(__u64 hash, __u64 key, const volatile __u64 secrets[HASH_SECRETS])
{
	hash += key * secrets[4];
	return key ? (hash ^ hash >> 32) * secrets[5] : hash;
}

/*
 * One end of a connection as a number: an IPv4 address and port as they are,
 * an IPv6 address hashed.
 */
static __always_inline __u64
fold_end(const __u32 address[4], __u16 port, __u8 family,
	 const volatile __u64 secrets[HASH_SECRETS])
{
	__u64 high, low;

	if (family == 4)
		return (__u64)address[0] << 16 | port;
	high = (__u64)address[0] << 32 | address[1];
	low = (__u64)address[2] << 32 | address[3];
	/* Not linear: equal changes of both ends must not cancel out. */
	high = (high ^ high >> 29) * secrets[2] + low;
	high = (high ^ high >> 32) * secrets[3] + port;
	return (high ^ high >> 29) * secrets[4];
}

/*
 * Computes a connection's id. Two connections share an id as rarely as a guess
 * of 63 bits succeeds, and even then their sequence numbers tell them apart.
 * Returns the id, never 0 and never odd, and sets *sender to the end that sent
 * the segment: 0 or 1, or -1 where both ends are the same.
 */
static __always_inline __u64
flow_identify(const struct segment *segment,
	      const volatile __u64 secrets[HASH_SECRETS], int *sender)
{
	__u64 source = fold_end(segment->source, segment->source_port,
				segment->family, secrets);
	__u64 destination =
		fold_end(segment->destination, segment->destination_port,
			 segment->family, secrets);
	const bool from_upper = source > destination;
	/* Swaps the two without a branch. */
	const __u64 swap = (source ^ destination) & -(__u64)from_upper;
	__u64 hash = (source ^ swap) * secrets[5] +
		     (destination ^ swap) * secrets[6];

	*sender = source == destination ? -1 : from_upper;
	hash = (hash ^ hash >> 32) * secrets[7];
	hash &= ~1ULL;
	return hash | (__u64)!hash << 1;
}

/* What is part of a connection's key beside its addresses and ports. */
struct connection_key {
	bool vlan;    /* VLAN IDs */
	bool tunnels; /* the identifiers of tunnels */
};

/*
 * Adds the identifiers of the tunnels around a segment to a hash, the outermost
 * first. A tunnel without an identifier changes nothing.
 */
static __always_inline __u64
hash_with_tunnels(__u64 hash, const struct segment *segment,
		  const volatile __u64 secrets[HASH_SECRETS])
{
#ifdef __bpf__
#pragma clang loop unroll(full)
#else
	if (!segment->tunnel_count) /* nearly all, so it is asked once */
		return hash;
#endif
	for (int i = 0; i < TUNNELS_MAX; i++) {
		if (i < segment->tunnel_count)
			hash = hash_with(hash,
					 (__u64)segment->tunnels[i].id << 1,
					 secrets);
	}
	return hash;
}

/*
 * The hash and the id of a segment's connection: by flow_hash() and
 * flow_identify(), and by what else is part of the key.
 */
static __always_inline __u64
connection_hash(const struct segment *segment, struct connection_key key,
		const volatile __u64 secrets[HASH_SECRETS])
{
	__u64 hash = flow_hash(segment, secrets);

	if (key.vlan)
		hash = hash_with(hash, vlan_key(segment), secrets);
	return key.tunnels ? hash_with_tunnels(hash, segment, secrets) : hash;
}

static __always_inline __u64
connection_id(const struct segment *segment, struct connection_key key,
	      const volatile __u64 secrets[HASH_SECRETS], int *sender)
{
	__u64 id = flow_identify(segment, secrets, sender);

	if (key.vlan)
		id = hash_with(id, vlan_key(segment) << 1, secrets) & ~1ULL;
	if (key.tunnels)
		id = hash_with_tunnels(id, segment, secrets) & ~1ULL;
	return id;
}

#endif
