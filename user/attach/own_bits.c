/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "own_bits.h"

#include "addresses.h"

#include <string.h>

/*
 * Bits of removed addresses that may stay set. Such a bit costs lookups, while
 * filling the bitmap anew costs a visit of each address.
 */
#define STALE_MAX 256

static bool is_whole_address(const struct net *net)
{
	return net->prefix_len == FAMILY_BITS + (net->family == 4 ? 32 : 128);
}

static bool is_loopback(const struct net *net)
{
	return net->family == 4 && net->prefix_len >= FAMILY_BITS + 8 &&
	       bpf_ntohl(net->address[0]) >> 24 == OWN_LOOPBACK;
}

static void add(__u64 words[OWN_WORDS], const struct own_bits *own,
		const struct net *net)
{
	__u32 bit;

	if (is_loopback(net))
		return;
	if (!is_whole_address(net)) { /* a prefix: any address may be in it */
		memset(words, 0xff, OWN_WORDS * sizeof(*words));
		return;
	}
	bit = own_bit(net->address, own->secrets);
	words[bit >> 6] |= 1ULL << (bit & 63);
}

struct filling {
	const struct own_bits *own;
	__u64 words[OWN_WORDS];
};

static void add_found(const struct net *net, void *context)
{
	struct filling *filling = context;

	add(filling->words, filling->own, net);
}

/*
 * Packets pass meanwhile, so a bit that is set before and after is never
 * cleared in between.
 */
void own_bits_fill(struct own_bits *own)
{
	struct filling filling = { .own = own };

	addresses_each(own->addresses, add_found, &filling);
	memcpy(own->words, filling.words, sizeof(filling.words));
	own->stale = 0;
}

void own_bits_update(struct own_bits *own, const struct net *net, bool added)
{
	if (added)
		add(own->words, own, net);
	else if (++own->stale >= STALE_MAX)
		own_bits_fill(own);
}
