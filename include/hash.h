/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a connection is known by: two keyed hashes of its addresses and ports,
 * both the same in both directions. The cheap one, flow_hash(), says where to
 * look; the other, flow_identify(), says which one it is. Portable C without a
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
 * The hash by which a connection is looked for. Of its 64 bits the upper 32
 * depend on all that goes in. `ports`: the XOR of both, in network byte order.
 * The XOR of two ends can be that of two others, then they share a bucket: who
 * connects the same two hosts by ports that he chooses can crowd out his own
 * connections, nobody else's without their ports.
 */
static __always_inline __u64
flow_hash_ipv4(__u32 source, __u32 destination, __u16 ports,
	       const volatile __u64 secrets[HASH_SECRETS])
{
	__u64 hash = (__u64)(source ^ destination) << 16 | ports;

	hash *= secrets[0];
	hash ^= hash >> 32;
	return hash * secrets[1];
}

static __always_inline __u64
flow_hash_ipv6(const __u32 source[4], const __u32 destination[4], __u16 ports,
	       const volatile __u64 secrets[HASH_SECRETS])
{
	__u64 hash = (__u64)(source[0] ^ destination[0]) << 32 |
		     (source[1] ^ destination[1]);

	hash *= secrets[2];
	hash ^= hash >> 32;
	hash += (__u64)(source[2] ^ destination[2]) << 32 |
		(source[3] ^ destination[3]);
	hash *= secrets[3];
	hash ^= hash >> 32;
	hash = (hash + ports) * secrets[0];
	hash ^= hash >> 32;
	return hash * secrets[1];
}

static __always_inline __u64
flow_hash(const struct segment *segment,
	  const volatile __u64 secrets[HASH_SECRETS])
{
	__u16 ports =
		bpf_htons(segment->source_port ^ segment->destination_port);

	if (segment->family == 4)
		return flow_hash_ipv4(segment->source[0],
				      segment->destination[0], ports, secrets);
	return flow_hash_ipv6(segment->source, segment->destination, ports,
			      secrets);
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
	/* Not linear: what flips in both ends must not cancel out. */
	high = (high ^ high >> 29) * secrets[2] + low;
	high = (high ^ high >> 32) * secrets[3] + port;
	return (high ^ high >> 29) * secrets[4];
}

/*
 * A connection's id. Two that share one are as likely as a guess of 64 bits,
 * and even then their sequence numbers keep them apart. Returns it, never 0,
 * and sets *sender to the end that sent the segment: 0 or 1, or -1 where both
 * ends are the same.
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
	__u64 lower = from_upper ? destination : source;
	__u64 upper = from_upper ? source : destination;
	__u64 hash = lower * secrets[5] + upper * secrets[6];

	*sender = source == destination ? -1 : from_upper;
	hash = (hash ^ hash >> 32) * secrets[7];
	return hash | !hash;
}

#endif
