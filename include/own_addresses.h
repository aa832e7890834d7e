/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which addresses are this host's own: a bitmap that says "no" at once for
 * nearly all others. A set bit may be a false positive: then the caller looks
 * into its table of networks. Portable C without a helper call, like segment.h.
 */
#ifndef BANNERPROBE_OWN_ADDRESSES_H
#define BANNERPROBE_OWN_ADDRESSES_H

#include "hash.h"
#include "platform.h"

#define OWN_BITS (1U << 16)
#define OWN_WORDS (OWN_BITS / 64)

/* The bit of an address; network byte order, IPv4 in [0] and the rest 0. */
static __always_inline __u32 own_bit(const __u32 address[4],
				     const volatile __u64 secrets[HASH_SECRETS])
{
	const __u64 high = (__u64)address[0] << 32 | address[1];
	const __u64 low = (__u64)address[2] << 32 | address[3];

	return (__u32)((high * secrets[2] + low * secrets[3]) >> 48);
}

/* First byte; the bitmap has addresses, no prefixes. */
#define OWN_LOOPBACK 127

static __always_inline bool
own_may_be(const __u64 own_bits[OWN_WORDS], const __u32 address[4],
	   const volatile __u64 secrets[HASH_SECRETS])
{
	const __u32 bit = own_bit(address, secrets);

	if ((address[0] & bpf_htonl(0xff000000)) ==
	    bpf_htonl((__u32)OWN_LOOPBACK << 24))
		return true;
	return own_bits[bit >> 6 & (OWN_WORDS - 1)] >> (bit & 63) & 1;
}

#endif
