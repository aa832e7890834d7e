/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "views.h"

#include "far_ends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct views {
	struct processes *processes;
	bool has_peers, is_counted;
	struct view *own;
	struct view *peers[VIEWS_MAX];
	size_t count;
	struct far_ends *ends;
	uint64_t asked; /* when the current lookup began */
	struct pace opening;
	char reason[192];
};

static bool has_iterator(const struct views *views)
{
	return views->processes && !processes_reason(views->processes);
}

/* --- opening ---------------------------------------------------------------*/

static void on_listener(const struct listener *listener, void *context)
{
	(void)listener;
	(void)context;
}

/* sock_diag for TCP is a kernel module (tcp_diag), which may be missing. */
static struct diag *open_diag(struct views *views)
{
	struct diag *diag = diag_open();
	int error = diag ? diag_list(diag, on_listener, NULL) : -errno;

	if (!error)
		return diag;
	diag_close(diag);
	snprintf(views->reason, sizeof(views->reason),
		 "no sock_diag for TCP (%s; is there the module tcp_diag?): "
		 "listening sockets are not known",
		 strerror(-error));
	return NULL;
}

static bool open_own(struct views *views, const uint64_t *counters)
{
	struct diag *diag = open_diag(views);
	struct netns netns = { .nsid = NAMESPACE_OWN };

	netns.inode = namespaces_own(diag);
	views->own = view_open(&netns, diag);
	if (!views->own)
		return false;
	return !diag || !counters || view_watch(views->own, counters);
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
	view->used = monotonic_ns();
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
	if (!pace_is_due(&views->opening, monotonic_ns()))
		return;
	pace_begin(&views->opening);
	namespaces_list(on_namespace, views);
	pace_end(&views->opening);
}

struct views *views_open(struct processes *processes, const uint64_t *counters,
			 bool has_peers)
{
	struct views *views = calloc(1, sizeof(*views));

	if (!views)
		return NULL;
	views->processes = processes;
	views->has_peers = has_peers;
	views->is_counted = counters;
	views->ends = far_ends_open();
	if (!views->ends || !open_own(views, counters)) {
		views_close(views);
		return NULL;
	}
	if (has_peers && !has_iterator(views))
		open_peers(views);
	return views;
}

void views_close(struct views *views)
{
	if (!views)
		return;
	far_ends_close(views->ends);
	view_close(views->own);
	while (views->count)
		view_close(views->peers[--views->count]);
	free(views);
}

static bool is_needed(const struct view *view, uint64_t now)
{
	if (view->diag)
		return netns_is_alive(&view->netns);
	return now < view->used + VIEWS_UNUSED_SECONDS * NS_PER_SECOND;
}

void views_tick(struct views *views)
{
	const uint64_t now = monotonic_ns();
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
		       "no BPF iterator of open files: services behind a veth "
		       "are not known if their network namespace begins later "
		       "than the probe";
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

/*
 * Reads a view again for something that is missing in it, unless that was done
 * during this lookup already.
 */
static bool refresh_missing(struct views *views, struct view *view)
{
	return view->read < views->asked &&
	       view_refresh(view, views->processes, true);
}

static bool has_address(struct views *views, struct view *view,
			const struct endpoint *server)
{
	view->used = views->asked;
	view_refresh(view, views->processes, false);
	return view_has_address(view, server) ||
	       (refresh_missing(views, view) && view_has_address(view, server));
}

/*
 * Notes the counter of a port's listeners. False: they may have changed since
 * the iterator listed them. sock_diag was asked for them just now.
 */
static bool note_counter(const struct views *views, const struct view *view,
			 uint16_t port, struct group *group)
{
	group->place = 0;
	group->counted = 0;
	if (!views->is_counted)
		return view->diag || view->read >= views->asked;
	if (view == views->own)
		group->place = counter_of_port(port);
	else if (!view->diag)
		group->place = counter_of_far_port(view->netns.inode, port);
	if (!view->diag)
		return processes_counted(views->processes, group->place,
					 &group->counted);
	if (view->listed)
		group->counted = view->listed[group->place];
	return true;
}

/* Finds sockets in a view, unless they may have changed since it was read. */
static bool find_listed(const struct views *views, struct view *view,
			const struct endpoint *server, uint64_t cgroup,
			struct group *group)
{
	return view_find(view, server, cgroup, group) &&
	       note_counter(views, view, server->port, group);
}

static bool find_in(struct views *views, struct view *view,
		    const struct endpoint *server, uint64_t cgroup,
		    struct group *group)
{
	return find_listed(views, view, server, cgroup, group) ||
	       (refresh_missing(views, view) &&
		find_listed(views, view, server, cgroup, group));
}

bool views_find_own(struct views *views, const struct endpoint *server,
		    uint64_t cgroup, struct group *group)
{
	views->asked = monotonic_ns();
	view_refresh(views->own, views->processes, false);
	return find_in(views, views->own, server, cgroup, group);
}

uint64_t views_own_due(const struct views *views)
{
	return views->own->aged.next;
}

uint64_t views_far_due(const struct views *views, uint32_t ifindex)
{
	return far_ends_due(views->ends, ifindex);
}

/*
 * Finds, among the namespaces behind an interface, the one with the server's
 * address. Behind a bridge there are several; if two have the address, there is
 * no answer.
 */
static bool find_behind(struct views *views, uint32_t ifindex,
			const struct endpoint *server, struct group *group)
{
	size_t count, found = 0;
	const struct peer *ends = far_ends_find(views->ends, ifindex, &count);
	struct endpoint there = *server;
	struct view *view, *one = NULL;

	for (size_t i = 0; i < count; i++) {
		view = view_of(views, ends[i].nsid);
		if (!view || !has_address(views, view, server))
			continue;
		found += view != one;
		one = view;
		there.ifindex = ends[i].ifindex;
	}
	return found == 1 && find_in(views, one, &there, 0, group);
}

bool views_lead(struct views *views, uint32_t ifindex)
{
	size_t count;

	far_ends_find(views->ends, ifindex, &count);
	return count;
}

bool views_find(struct views *views, uint32_t ifindex,
		const struct endpoint *server, struct group *group)
{
	views->asked = monotonic_ns();
	if (ifindex)
		return find_behind(views, ifindex, server, group);
	return has_address(views, views->own, server) &&
	       find_in(views, views->own, server, 0, group);
}
