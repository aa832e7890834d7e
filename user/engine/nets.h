/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A set of networks with a number for each. A lookup of a network and all that
 * contain it is as fast among 100,000 networks as among ten.
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
	__u32 lengths[2][NET_LENGTHS]; /* networks: IPv4, IPv6 by length */
};

/* Whether `inner` lies in `outer`, or is the same. */
bool net_covers(const struct net *outer, const struct net *inner);

/* Sets the address bits beyond the prefix to 0. */
void net_mask(struct net *net);

/*
 * The number of a network. A new network is added with the number 0. NULL
 * without memory. The pointer is valid until the network is removed.
 */
__u32 *nets_put(struct nets *nets, const struct net *net);

/* The number of a network, or NULL where it is not in the set. */
__u32 *nets_find(const struct nets *nets, const struct net *net);

void nets_remove(struct nets *nets, const struct net *net);

/* The numbers of all networks that contain this one, by bitwise or. */
__u32 nets_around(const struct nets *nets, const struct net *net);

typedef void net_found(const struct net *net, void *context);

/*
 * Calls `found` for each network, in insertion order; `found` may remove the
 * network that it is called with.
 */
void nets_each(const struct nets *nets, net_found *found, void *context);

void nets_free(struct nets *nets);

#endif
