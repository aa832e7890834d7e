/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The listening sockets of one network namespace. A connection's socket is
 * chosen as the kernel chooses it: an exact address before a wildcard, a socket
 * bound to the connection's interface before one bound to no interface, for
 * IPv4 an IPv4 socket before an IPv6 one. An IPv6 wildcard serves IPv4, too,
 * unless IPV6_V6ONLY is set.
 */
#ifndef BANNERPROBE_LISTENERS_H
#define BANNERPROBE_LISTENERS_H

#include "listener.h"

#include <stddef.h>

#define LISTENERS_MAX 16384 /* sockets of a network namespace */
#define GROUP_MAX 64	    /* members of a group that are listed */

/* All 0: empty. */
struct listeners {
	struct listener *list; /* by port */
	size_t count, room;
	bool is_partial; /* some sockets were left out: too many */
};

/* Filling: empties the list; adds sockets; sorts them at the end. */
void listeners_begin(struct listeners *listeners);
void listeners_add(struct listeners *listeners,
		   const struct listener *listener);
void listeners_end(struct listeners *listeners);

void listeners_free(struct listeners *listeners);

/*
 * The sockets that a connection may belong to: one, or the members of a
 * SO_REUSEPORT group, or several where the right one cannot be known.
 */
struct group {
	const struct listener *member[GROUP_MAX];
	size_t count;	  /* of all members, listed or not */
	bool agrees;	  /* all have the same cgroup and uid */
	uint64_t chosen;  /* cookie of the one that the kernel would choose; 0:
			   * it was not asked */
	uint32_t place;	  /* of the port's counter (kernel_counters.h); 0: it
			   * does not count */
	uint64_t counted; /* the counter, before the sockets were listed */
};

/*
 * Finds the sockets of a connection. `cgroup`: only sockets of this cgroup; 0:
 * of any. The members are valid until the listeners change. False: there is
 * none.
 */
bool listeners_find(const struct listeners *listeners,
		    const struct endpoint *endpoint, uint64_t cgroup,
		    struct group *group);

/* Whether this socket is among those of its port. */
bool listeners_have(const struct listeners *listeners, uint16_t port,
		    uint64_t cookie);

#endif
