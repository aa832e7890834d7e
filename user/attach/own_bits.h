/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bitmap of own addresses, which the BPF programs read (own_addresses.h).
 */
#ifndef BANNERPROBE_OWN_BITS_H
#define BANNERPROBE_OWN_BITS_H

#include "own_addresses.h"
#include "server_filter.h"

struct addresses;

struct own_bits {
	__u64 *words;		       /* OWN_WORDS of them, in the map */
	const volatile __u64 *secrets; /* HASH_SECRETS of them */
	const struct addresses *addresses;
	unsigned int stale; /* bits of addresses that are gone */
};

/* Sets the bits of all addresses, and no others. */
void own_bits_fill(struct own_bits *own);

/* Called when an own address was added or removed. */
void own_bits_update(struct own_bits *own, const struct net *net, bool added);

#endif
