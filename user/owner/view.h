/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The listening sockets and the addresses of one network namespace. They come
 * from a sock_diag socket in the namespace, if there is one, else from the
 * iterator, which sees all namespaces.
 */
#ifndef BANNERPROBE_VIEW_H
#define BANNERPROBE_VIEW_H

#include "listeners.h"
#include "namespaces.h"
#include "pace.h"
#include "kernel_watch.h"
#include "processes.h"

#define VIEW_ADDRESSES_MAX 4096
#define VIEW_UNCHANGED_SECONDS 10 /* until an unchanged list is read again */

struct view {
	struct netns netns; /* its nsid is the key */
	struct diag *diag;  /* NULL: by the iterator */
	struct listeners listeners;
	const uint64_t *counters;   /* of kernel_watch.h, or NULL */
	uint64_t *listed;	    /* them when the list was last read */
	bool is_settled;	    /* and the time before, too */
	struct pace aged, missed;   /* of sock_diag */
	unsigned int readings;	    /* of the iterator, when last taken */
	uint64_t read;		    /* when the list was last read */
	uint64_t used;		    /* when the view was last used */
	struct pace addressed;	    /* of the addresses */
	struct endpoint *addresses; /* sorted */
	size_t address_count, address_room;
};

/* An empty view, which closes `diag` (or NULL). NULL without memory. */
struct view *view_open(const struct netns *netns, struct diag *diag);
void view_close(struct view *view);

/*
 * Makes sock_diag's list depend on the counters of its namespace: it is read
 * again where a port has changed, and more rarely where nothing has. False
 * without memory.
 */
bool view_watch(struct view *view, const uint64_t *counters);

/*
 * Reads sockets again if that is due. `is_missing`: because one is not known;
 * otherwise because time has passed. True: they were read.
 */
bool view_refresh(struct view *view, struct processes *processes,
		  bool is_missing);

/*
 * Whether the address is one of the namespace's own, as it was a second ago at
 * most.
 */
bool view_has_address(struct view *view, const struct endpoint *endpoint);

/*
 * The sockets that a connection to `endpoint` may belong to: as they are now if
 * the kernel can be asked, else at most a second old. False: none, or not
 * known.
 */
bool view_find(struct view *view, const struct endpoint *endpoint,
	       uint64_t cgroup, struct group *group);

#endif
