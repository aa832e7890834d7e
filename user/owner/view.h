/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What listens in one network namespace, and at which addresses: from a
 * sock_diag socket of it where there is one, else from the iterator, which sees
 * all namespaces.
 */
#ifndef BANNERPROBE_VIEW_H
#define BANNERPROBE_VIEW_H

#include "listeners.h"
#include "namespaces.h"
#include "pace.h"
#include "processes.h"

#define VIEW_ADDRESSES_MAX 4096

struct view {
	struct netns netns; /* its nsid is the key */
	struct diag *diag;  /* NULL: by the iterator */
	struct listeners listeners;
	struct pace aged, missed;   /* of sock_diag */
	unsigned int readings;	    /* of the iterator, that it stems from */
	uint64_t read;		    /* when it was last read */
	uint64_t used;		    /* when it was last asked */
	struct endpoint *addresses; /* sorted */
	size_t address_count, address_room;
};

/* Empty at first. NULL without memory. Takes `diag`, which may be NULL. */
struct view *view_open(const struct netns *netns, struct diag *diag);
void view_close(struct view *view);

/*
 * Reads it anew where that is due. `is_missing`: for a socket or address that
 * is not known, else because time has passed. True: it was read.
 */
bool view_refresh(struct view *view, struct processes *processes,
		  bool is_missing);

/* Whether the address is one of the namespace's own. */
bool view_has_address(const struct view *view, const struct endpoint *endpoint);

/*
 * The sockets that the connection may belong to, of this moment where the
 * kernel can be asked, else of a second ago at most. False: none, or not known.
 */
bool view_find(struct view *view, const struct endpoint *endpoint,
	       uint64_t cgroup, struct group *group);

#endif
