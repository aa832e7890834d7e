/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The listening sockets of one network namespace, and which of them a
 * connection belongs to, as the kernel decides it: an exact address before a
 * wildcard, a socket bound to the connection's interface before one that is
 * bound to none, for IPv4 an IPv4 socket before an IPv6 one. An IPv6 wildcard
 * serves IPv4, too, unless it has IPV6_V6ONLY.
 */
#ifndef BANNERPROBE_LISTENERS_H
#define BANNERPROBE_LISTENERS_H

#include "listener.h"

#include <stddef.h>

#define LISTENERS_MAX 16384 /* of a network namespace */
#define GROUP_MAX 64	    /* sockets of a group that are named */

/* All 0: empty. */
struct listeners {
	struct listener *list; /* by port */
	size_t count, room;
	bool is_partial; /* there are more than could be kept */
};

/* Empties it, is filled one by one, and sorted at the end. */
void listeners_begin(struct listeners *listeners);
void listeners_add(struct listeners *listeners,
		   const struct listener *listener);
void listeners_end(struct listeners *listeners);

void listeners_free(struct listeners *listeners);

/*
 * Those that a connection may belong to: one, or the members of a SO_REUSEPORT
 * group, or several where it cannot be known which.
 */
struct group {
	const struct listener *member[GROUP_MAX];
	size_t count; /* may be more than are named */
	bool agrees;  /* all have the same cgroup and uid */
};

/*
 * `cgroup`: only the sockets of this cgroup; 0: of any. False: there is none.
 * The members live until the listeners change.
 */
bool listeners_find(const struct listeners *listeners,
		    const struct endpoint *endpoint, uint64_t cgroup,
		    struct group *group);

/* Whether this socket is among those of its port. */
bool listeners_have(const struct listeners *listeners, uint16_t port,
		    uint64_t cookie);

#endif
