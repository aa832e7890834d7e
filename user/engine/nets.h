/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A set of networks with a number for each. Looking one up, with all that
 * contain it, takes as long among 100,000 as among ten.
 */
#ifndef BANNERPROBE_NETS_H
#define BANNERPROBE_NETS_H

#include "server_filter.h"

#include <stdbool.h>

#define NET_LENGTHS 129 /* of an IPv6 prefix, 0 to 128 */

struct net_entry;

/* All zero: empty. */
struct nets {
	struct net_entry *entries;
	__u32 count;
	__u32 lengths[2][NET_LENGTHS]; /* how many IPv4, IPv6 of each length */
};

/* Whether the second lies in the first, or is the same. */
bool net_covers(const struct net *outer, const struct net *inner);

/* Sets to 0 what is beyond the prefix. */
void net_mask(struct net *net);

/*
 * The number of a network, which is added with 0 where it is new. NULL without
 * memory. The pointer is valid until the network is removed.
 */
__u32 *nets_put(struct nets *nets, const struct net *net);

/* The number of a net, or NULL where it is not in the set. */
__u32 *nets_find(const struct nets *nets, const struct net *net);

void nets_remove(struct nets *nets, const struct net *net);

/* The numbers of all nets that this one lies in, by bitwise or. */
__u32 nets_around(const struct nets *nets, const struct net *net);

typedef void net_found(const struct net *net, void *context);

/* Calls `found` for each, in insertion order; `found` may remove that one. */
void nets_each(const struct nets *nets, net_found *found, void *context);

void nets_free(struct nets *nets);

#endif
