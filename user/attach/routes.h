/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Routes of type local, and VRFs, as rtnetlink reports them. */
#ifndef BANNERPROBE_ROUTES_H
#define BANNERPROBE_ROUTES_H

#include "engine/nets.h"

#include <libmnl/libmnl.h>

/*
 * The key of a route. Zeroed with its padding, because it is compared as bytes.
 */
struct local_route {
	struct net net;
	__u32 table;
	__u32 device; /* index; 0: several devices, or that of the nexthop */
	__u32 priority;
	__u32 nexthop;	 /* ID of a nexthop object, or 0 */
	__u32 source[4]; /* preferred source address */
	__u8 tos, protocol, scope;
	__u8 several; /* 1: the route has several nexthops */
};

/* Reads a route. False: it is not of type local. */
bool route_read(struct local_route *route, const struct nlmsghdr *header);

/*
 * Whether the kernel may remove the route without a report: when a nexthop
 * object is deleted, or one of several devices.
 */
bool route_may_vanish(const struct local_route *route);

/* The table of a VRF device, or 0 where the link is none. */
__u32 route_vrf_table(const struct nlmsghdr *header);

/*
 * A socket that receives changes of local routes, links and nexthops; NULL with
 * errno.
 */
struct mnl_socket *routes_watch(void);

/* Dumps all local routes of a table, IPv4 and IPv6. Negative errno. */
int routes_dump(__u32 table, mnl_cb_t read, void *context);

#endif
