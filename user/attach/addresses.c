/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "addresses.h"

#include "system/hash_table.h"
#include "links.h"
#include "system/netlink.h"
#include "routes.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <utlist.h>

#define LOOKS_MAX 5 /* dumps of everything in one call, while changes go on */

struct route {
	struct local_route known;
	__u32 seen;		   /* number of the latest dump that had it */
	struct route *prev, *next; /* routes of the same device */
	bool failed;
	UT_hash_handle handle;
};

/* A device with local routes, or a VRF. */
struct device {
	__u32 index;
	__u32 vrf_table; /* 0: no VRF */
	__u32 seen;
	struct route *routes;
	bool failed;
	UT_hash_handle handle;
};

/* A routing table that VRFs use. */
struct table {
	__u32 id;
	__u32 vrfs;
	bool failed;
	UT_hash_handle handle;
};

struct addresses {
	struct mnl_socket *socket;
	struct nets own; /* the number of each: how many routes have it */
	struct route *routes;
	struct device *devices;
	struct table *tables;
	__u32 look;	 /* number of the latest dump of everything */
	__u32 vanishing; /* routes that may vanish without a report */
	bool stale;	 /* changes may have been missed: dump again */
	bool looked;	 /* the messages being read came during a dump */
	int error;	 /* the first of these messages' errors */
	addresses_changed *changed;
	void *context;
};

static void miss(struct addresses *addresses, int error)
{
	addresses->stale = true;
	addresses->error = error;
}

/* --- devices and tables --------------------------------------------------- */

static struct device *find_device(struct addresses *addresses, __u32 index)
{
	struct device *device;

	HASH_FIND(handle, addresses->devices, &index, sizeof(index), device);
	return device;
}

static struct device *put_device(struct addresses *addresses, __u32 index)
{
	struct device *device = find_device(addresses, index);

	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->index = index;
	HASH_ADD(handle, addresses->devices, index, sizeof(index), device);
	if (!device->failed)
		return device;
	free(device);
	return NULL;
}

static void drop_device_if_unused(struct addresses *addresses,
				  struct device *device)
{
	if (device->routes || device->vrf_table)
		return;
	HASH_DELETE(handle, addresses->devices, device);
	free(device);
}

static struct table *find_table(const struct addresses *addresses, __u32 id)
{
	struct table *table;

	HASH_FIND(handle, addresses->tables, &id, sizeof(id), table);
	return table;
}

static bool table_is_own(const struct addresses *addresses, __u32 id)
{
	return id == RT_TABLE_LOCAL || find_table(addresses, id);
}

static struct table *put_table(struct addresses *addresses, __u32 id)
{
	struct table *table = find_table(addresses, id);

	if (table)
		return table;
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->id = id;
	HASH_ADD(handle, addresses->tables, id, sizeof(id), table);
	if (!table->failed)
		return table;
	free(table);
	return NULL;
}

/* --- routes --------------------------------------------------------------- */

static void tell(const struct addresses *addresses, const struct net *net,
		 bool added)
{
	if (addresses->changed)
		addresses->changed(net, added, addresses->context);
}

static struct route *find_route(const struct addresses *addresses,
				const struct local_route *known)
{
	struct route *route;

	HASH_FIND(handle, addresses->routes, known, sizeof(*known), route);
	return route;
}

static void remove_route(struct addresses *addresses, struct route *route)
{
	struct device *device = find_device(addresses, route->known.device);
	__u32 *count = nets_find(&addresses->own, &route->known.net);

	HASH_DELETE(handle, addresses->routes, route);
	DL_DELETE(device->routes, route);
	drop_device_if_unused(addresses, device);
	addresses->vanishing -= route_may_vanish(&route->known);
	if (!--*count) {
		nets_remove(&addresses->own, &route->known.net);
		tell(addresses, &route->known.net, false);
	}
	free(route);
}

/* Adds a new route to the lists; false without memory. */
static bool enter(struct addresses *addresses, struct route *route)
{
	struct device *device = put_device(addresses, route->known.device);
	__u32 *count;

	if (!device)
		return false;
	count = nets_put(&addresses->own, &route->known.net);
	if (count)
		HASH_ADD(handle, addresses->routes, known, sizeof(route->known),
			 route);
	if (!count || route->failed) {
		if (count && !*count)
			nets_remove(&addresses->own, &route->known.net);
		drop_device_if_unused(addresses, device);
		return false;
	}
	DL_APPEND(device->routes, route);
	addresses->vanishing += route_may_vanish(&route->known);
	if (!(*count)++)
		tell(addresses, &route->known.net, true);
	return true;
}

static void add_route(struct addresses *addresses,
		      const struct local_route *known)
{
	struct route *route = find_route(addresses, known);

	if (!route) {
		route = calloc(1, sizeof(*route));
		if (route)
			route->known = *known;
		if (!route || !enter(addresses, route)) {
			free(route);
			miss(addresses, -ENOMEM);
			return;
		}
		/* A dump of IPv6 routes may miss some while routes change. */
		addresses->stale |= addresses->looked && known->net.family == 6;
	}
	route->seen = addresses->look;
}

static void on_route_gone(struct addresses *addresses,
			  const struct local_route *known)
{
	struct route *route = find_route(addresses, known);

	if (!route)
		return;
	addresses->stale |= addresses->looked && known->net.family == 6;
	remove_route(addresses, route);
}

static int on_route(const struct nlmsghdr *header, void *context)
{
	struct addresses *addresses = context;
	struct local_route known;

	if (!route_read(&known, header) ||
	    !table_is_own(addresses, known.table))
		return MNL_CB_OK;
	if (header->nlmsg_type == RTM_DELROUTE) {
		on_route_gone(addresses, &known);
	} else if (header->nlmsg_type == RTM_NEWROUTE) {
		/* The message does not name the replaced route. */
		addresses->stale |= (header->nlmsg_flags & NLM_F_REPLACE) != 0;
		add_route(addresses, &known);
	}
	return MNL_CB_OK;
}

static void remove_routes_of_table(struct addresses *addresses, __u32 table)
{
	struct route *route, *next;

	HASH_ITER(handle, addresses->routes, route, next)
	{
		if (route->known.table == table)
			remove_route(addresses, route);
	}
}

/* `ipv6_only`: the IPv4 routes of a device stay as long as the device. */
static void remove_routes_of_device(struct addresses *addresses, __u32 index,
				    bool ipv6_only)
{
	const struct device *device = find_device(addresses, index);
	struct route *route, *next;

	if (!device)
		return;
	for (route = device->routes; route; route = next) {
		next = route->next;
		if (!ipv6_only || route->known.net.family == 6)
			remove_route(addresses,
				     route); /* the last: the device, too */
	}
}

/* --- VRFs ----------------------------------------------------------------- */

static void leave_table(struct addresses *addresses, __u32 id)
{
	struct table *table = find_table(addresses, id);

	if (!table || --table->vrfs)
		return;
	HASH_DELETE(handle, addresses->tables, table);
	free(table);
	if (id != RT_TABLE_LOCAL)
		remove_routes_of_table(addresses, id);
}

static int join_table(struct addresses *addresses, __u32 id)
{
	struct table *table = put_table(addresses, id);

	if (!table)
		return -ENOMEM;
	return table->vrfs++ ? 0 : routes_dump(id, on_route, addresses);
}

static void set_vrf(struct addresses *addresses, __u32 index, __u32 id)
{
	struct device *device = find_device(addresses, index);
	const __u32 before = device ? device->vrf_table : 0;
	int error = 0;

	if (id && !device)
		device = put_device(addresses, index);
	if (device)
		device->seen = addresses->look;
	if (id == before)
		return;
	if (id)
		error = device ? join_table(addresses, id) : -ENOMEM;
	if (device && error != -ENOMEM)
		device->vrf_table = id;
	if (before)
		leave_table(addresses, before);
	device = find_device(addresses, index);
	if (device)
		drop_device_if_unused(addresses, device);
	if (error)
		miss(addresses, error);
}

/*
 * The kernel does not report the routes that vanish with a device, except for
 * those that it made itself. When a device goes down, it reports its IPv6
 * routes only if skip_notify_on_dev_down is not set.
 */
static int on_link(const struct nlmsghdr *header, void *context)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(header);
	struct addresses *addresses = context;
	const __u32 index = (__u32)link->ifi_index;

	/*
	 * A bridge port that leaves its bridge is reported by a DELLINK, too.
	 */
	if (link->ifi_family != AF_UNSPEC)
		return MNL_CB_OK;
	if (header->nlmsg_type == RTM_DELLINK) {
		addresses->stale |= addresses->vanishing > 0;
		set_vrf(addresses, index, 0);
		remove_routes_of_device(addresses, index, false);
	} else if (header->nlmsg_type == RTM_NEWLINK) {
		set_vrf(addresses, index, route_vrf_table(header));
		if (link->ifi_change & IFF_UP && !(link->ifi_flags & IFF_UP))
			remove_routes_of_device(addresses, index, true);
	}
	return MNL_CB_OK;
}

static int on_change(const struct nlmsghdr *header, void *context)
{
	struct addresses *addresses = context;

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return on_link(header, context);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return on_route(header, context);
	case RTM_DELNEXTHOP:
		addresses->stale |= addresses->vanishing > 0;
		break;
	}
	return MNL_CB_OK;
}

/* --- a dump of everything ------------------------------------------------- */

static struct device *find_unseen_vrf(const struct addresses *addresses)
{
	struct device *device = addresses->devices;

	while (device &&
	       (!device->vrf_table || device->seen == addresses->look))
		device = device->handle.next;
	return device;
}

/* Forgets the VRFs and routes that the dump did not contain. */
static void sweep(struct addresses *addresses)
{
	struct device *device;
	struct route *route, *next;

	while ((device = find_unseen_vrf(addresses)))
		set_vrf(addresses, device->index, 0);
	HASH_ITER(handle, addresses->routes, route, next)
	{
		if (route->seen != addresses->look)
			remove_route(addresses, route);
	}
}

static int look(struct addresses *addresses)
{
	struct table *table, *next;
	int error;

	addresses->stale = false;
	addresses->look++;
	error = links_dump(on_link, addresses);
	if (!error)
		error = routes_dump(RT_TABLE_LOCAL, on_route, addresses);
	HASH_ITER(handle, addresses->tables, table, next)
	{
		if (!error)
			error = routes_dump(table->id, on_route, addresses);
	}
	if (!error && !addresses->error)
		sweep(addresses);
	return error;
}

/* Reads the messages in the socket. */
static int take(struct addresses *addresses)
{
	int error = netlink_take(addresses->socket, on_change, addresses);

	if (error == -ENOBUFS) /* changes were missed: dump again */
		addresses->stale = true;
	else if (error)
		return error;
	return addresses->error;
}

int addresses_follow(struct addresses *addresses)
{
	int error;

	addresses->error = 0;
	error = take(addresses);
	for (int i = 0; !error && addresses->stale && i < LOOKS_MAX; i++) {
		error = look(addresses);
		addresses->looked = true;
		if (!error)
			error = take(addresses);
		addresses->looked = false;
	}
	if (error)
		addresses->stale = true;
	return error;
}

/* --- from outside --------------------------------------------------------- */

struct addresses *addresses_open(void)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));
	int error;

	if (!addresses)
		return NULL;
	addresses->socket = routes_watch();
	if (!addresses->socket) {
		error = -errno;
	} else {
		addresses->stale = true;
		error = addresses_follow(addresses);
	}
	if (!error)
		return addresses;
	addresses_close(addresses);
	errno = -error;
	return NULL;
}

void addresses_close(struct addresses *addresses)
{
	struct route *route, *next;

	if (!addresses)
		return;
	addresses->changed = NULL;
	HASH_ITER(handle, addresses->routes, route, next)
	remove_route(addresses, route);
	/* Only VRFs are left; each is freed with its table. */
	while (addresses->devices)
		set_vrf(addresses, addresses->devices->index, 0);
	nets_free(&addresses->own);
	netlink_close(addresses->socket);
	free(addresses);
}

int addresses_fd(const struct addresses *addresses)
{
	return netlink_fd(addresses->socket);
}

void addresses_tell(struct addresses *addresses, addresses_changed *changed,
		    void *context)
{
	addresses->changed = changed;
	addresses->context = context;
}

void addresses_each(const struct addresses *addresses, net_found *found,
		    void *context)
{
	nets_each(&addresses->own, found, context);
}

const struct nets *addresses_nets(const struct addresses *addresses)
{
	return &addresses->own;
}
