/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The views of network namespaces, found by interface. */
#ifndef BANNERPROBE_VIEWS_H
#define BANNERPROBE_VIEWS_H

#include "view.h"

#define VIEWS_MAX 1024		/* namespaces that are remembered */
#define VIEWS_LINKS_MAX 4096	/* interfaces that are remembered */
#define VIEWS_UNUSED_SECONDS 60 /* until a namespace is forgotten */

struct views;

/*
 * `processes`: the iterator, or NULL. Without one, and with `has_peers`, a
 * socket is opened in each namespace behind an interface. `counters`: of
 * kernel_watch.h, or NULL. NULL without memory.
 */
struct views *views_open(struct processes *processes, const uint64_t *counters,
			 bool has_peers);
void views_close(struct views *views);

/*
 * Closes the sockets in namespaces that nothing else keeps alive, and forgets
 * namespaces that were not used for VIEWS_UNUSED_SECONDS.
 */
void views_tick(struct views *views);

/* Why the own namespace, or other ones, are not known; NULL: they are. */
const char *views_reason(const struct views *views);
const char *views_peers_reason(const struct views *views);

/*
 * The sockets that a connection to `server` may belong to, as listeners_find()
 * finds them, in the own namespace. For a connection that the kernel has, so
 * the address is not checked. Valid until the next call.
 */
bool views_find_own(struct views *views, const struct endpoint *server,
		    uint64_t cgroup, struct group *group);

/* Until then views_find_own() reads no listeners again that it knows. */
uint64_t views_own_due(const struct views *views);

/* The same for the interfaces' far ends. */
uint64_t views_far_due(const struct views *views, uint32_t ifindex);

/* As views_find_own(), behind an interface; 0: in the own namespace. */
bool views_find(struct views *views, uint32_t ifindex,
		const struct endpoint *server, struct group *group);

/* Whether an interface leads to another namespace of this host. */
bool views_lead(struct views *views, uint32_t ifindex);

#endif
