/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The own addresses of this network namespace: the destinations of the routes
 * of type local in the table `local` and in the tables of VRFs. A destination
 * may be a prefix. The set follows changes of routes and VRFs.
 */
#ifndef BANNERPROBE_ADDRESSES_H
#define BANNERPROBE_ADDRESSES_H

#include "engine/nets.h"

struct addresses;

/*
 * Finds all own addresses, and follows changes from now on. NULL with errno on
 * failure.
 */
struct addresses *addresses_open(void);
void addresses_close(struct addresses *addresses);

/* Readable when something may have changed. */
int addresses_fd(const struct addresses *addresses);

/*
 * Applies changes, without waiting for more. 0, or a negative errno: the set
 * may be wrong until the next call, which dumps everything.
 */
int addresses_follow(struct addresses *addresses);

/* Called after each change, from within addresses_follow(). */
typedef void addresses_changed(const struct net *net, bool added,
			       void *context);
void addresses_tell(struct addresses *addresses, addresses_changed *changed,
		    void *context);

/* Calls `found` for each own address or prefix. */
void addresses_each(const struct addresses *addresses, net_found *found,
		    void *context);

/* All own addresses and prefixes as a set. No number in it is 0. */
const struct nets *addresses_nets(const struct addresses *addresses);

#endif
