/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "views.h"

#include "../hash_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An interface, and what its far end was when that was asked. */
struct link_known {
	uint32_t ifindex;
	struct peer peer;
	bool has_peer;
	uint64_t until;
	UT_hash_handle hh;
	bool failed; /* no memory to add it */
};

struct views {
	struct processes *processes;
	bool has_peers;
	struct view *own;
	struct view *peers[VIEWS_MAX];
	size_t count;
	struct link_known *links;
	struct pace opening;
	char reason[128];
};

static bool has_iterator(const struct views *views)
{
	return views->processes && !processes_reason(views->processes);
}

/* --- opening ---------------------------------------------------------------*/

static bool open_own(struct views *views)
{
	struct diag *diag = diag_open();
	struct netns netns = { .nsid = NAMESPACE_OWN };

	if (!diag)
		snprintf(views->reason, sizeof(views->reason),
			 "no sock_diag socket (%s): listening sockets are not "
			 "known",
			 strerror(errno));
	netns.inode = namespaces_own(diag);
	views->own = view_open(&netns, diag);
	return views->own;
}

static struct view *peer_of_nsid(const struct views *views, int nsid)
{
	for (size_t i = 0; i < views->count; i++) {
		if (views->peers[i]->netns.nsid == nsid)
			return views->peers[i];
	}
	return NULL;
}

static struct view *add_peer(struct views *views, const struct netns *netns,
			     struct diag *diag)
{
	struct view *view;

	if (views->count == VIEWS_MAX) {
		diag_close(diag);
		return NULL;
	}
	view = view_open(netns, diag);
	if (!view)
		return NULL;
	view->used = pace_clock();
	views->peers[views->count++] = view;
	return view;
}

static void on_namespace(const struct netns *netns, void *context)
{
	struct views *views = context;
	struct diag *diag;

	if (peer_of_nsid(views, netns->nsid))
		return;
	diag = netns_open_diag(netns->fd);
	if (diag)
		add_peer(views, netns, diag);
}

static void open_peers(struct views *views)
{
	if (!pace_is_due(&views->opening, pace_clock()))
		return;
	pace_begin(&views->opening);
	namespaces_list(on_namespace, views);
	pace_end(&views->opening);
}

struct views *views_open(struct processes *processes, bool has_peers)
{
	struct views *views = calloc(1, sizeof(*views));

	if (!views)
		return NULL;
	views->processes = processes;
	views->has_peers = has_peers;
	if (!open_own(views)) {
		free(views);
		return NULL;
	}
	if (has_peers && !has_iterator(views))
		open_peers(views);
	return views;
}

static void forget_links(struct views *views)
{
	struct link_known *link, *next;

	HASH_ITER(hh, views->links, link, next)
	{
		HASH_DEL(views->links, link);
		free(link);
	}
}

void views_close(struct views *views)
{
	if (!views)
		return;
	forget_links(views);
	view_close(views->own);
	while (views->count)
		view_close(views->peers[--views->count]);
	free(views);
}

static bool is_needed(const struct view *view, uint64_t now)
{
	if (view->diag)
		return netns_is_alive(&view->netns);
	return now < view->used + VIEWS_UNUSED_SECONDS * PACE_SECOND;
}

void views_tick(struct views *views)
{
	const uint64_t now = pace_clock();
	size_t kept = 0;

	for (size_t i = 0; i < views->count; i++) {
		if (is_needed(views->peers[i], now))
			views->peers[kept++] = views->peers[i];
		else
			view_close(views->peers[i]);
	}
	views->count = kept;
}

const char *views_reason(const struct views *views)
{
	return views->own->diag || has_iterator(views) ? NULL : views->reason;
}

const char *views_peers_reason(const struct views *views)
{
	if (!views->has_peers)
		return "not asked for: services of other network namespaces "
		       "are not known";
	return has_iterator(views) ?
		       NULL :
		       "no BPF iterator of open files: of services behind a "
		       "veth those are not known whose network namespace "
		       "begins "
		       "later than the probe";
}

/* --- interfaces ------------------------------------------------------------*/

static struct link_known *link_of(struct views *views, uint32_t ifindex)
{
	struct link_known *link;

	HASH_FIND(hh, views->links, &ifindex, sizeof(ifindex), link);
	if (link)
		return link;
	if (HASH_COUNT(views->links) >= VIEWS_LINKS_MAX)
		forget_links(views);
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->ifindex = ifindex;
	HASH_ADD(hh, views->links, ifindex, sizeof(link->ifindex), link);
	if (!link->failed)
		return link;
	free(link);
	return NULL;
}

/* NULL: it has no far end. */
static const struct peer *find_peer(struct views *views, uint32_t ifindex,
				    uint64_t now)
{
	struct link_known *link = link_of(views, ifindex);

	if (!link)
		return NULL;
	if (now >= link->until) {
		link->has_peer = !namespaces_find_peer(ifindex, &link->peer);
		link->until = now + PACE_SECOND;
	}
	return link->has_peer ? &link->peer : NULL;
}

static struct view *view_of(struct views *views, int nsid)
{
	const struct netns netns = { .nsid = nsid };
	struct view *view;

	if (nsid == NAMESPACE_OWN)
		return views->own;
	view = views->has_peers ? peer_of_nsid(views, nsid) : NULL;
	if (view || !views->has_peers)
		return view;
	if (has_iterator(views))
		return add_peer(views, &netns, NULL);
	open_peers(views);
	return peer_of_nsid(views, nsid);
}

/* --- finding ---------------------------------------------------------------*/

static bool find_in(struct views *views, struct view *view,
		    const struct endpoint *server, uint64_t cgroup,
		    bool by_address, struct group *group)
{
	bool is_anew = view_refresh(view, views->processes, false);

	do {
		if ((!by_address || view_has_address(view, server)) &&
		    view_find(view, server, cgroup, group))
			return true;
	} while (!is_anew &&
		 (is_anew = view_refresh(view, views->processes, true)));
	return false;
}

bool views_find_own(struct views *views, const struct endpoint *server,
		    uint64_t cgroup, struct group *group)
{
	return find_in(views, views->own, server, cgroup, false, group);
}

bool views_find(struct views *views, uint32_t ifindex,
		const struct endpoint *server, struct group *group)
{
	const uint64_t now = pace_clock();
	struct endpoint there = *server;
	const struct peer *peer = NULL;
	struct view *view = views->own;

	if (ifindex) {
		peer = find_peer(views, ifindex, now);
		view = peer ? view_of(views, peer->nsid) : NULL;
		if (!view)
			return false;
		there.ifindex = peer->ifindex;
	}
	view->used = now;
	return find_in(views, view, &there, 0, true, group);
}
