/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "view.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LOOPBACK_BYTE 127 /* 127.0.0.0/8 is local without an address */

struct view *view_open(const struct netns *netns, struct diag *diag)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view) {
		diag_close(diag);
		return NULL;
	}
	view->netns = *netns;
	view->netns.fd = -1;
	view->diag = diag;
	return view;
}

void view_close(struct view *view)
{
	if (!view)
		return;
	diag_close(view->diag);
	listeners_free(&view->listeners);
	free(view->listed);
	free(view->addresses);
	free(view);
}

bool view_watch(struct view *view, const uint64_t *counters)
{
	view->listed = calloc(COUNTERS_FORKS, sizeof(*view->listed));
	if (!view->listed)
		return false;
	view->counters = counters;
	return true;
}

/* --- addresses -------------------------------------------------------------*/

static int compare(const void *left, const void *right)
{
	const struct endpoint *a = left, *b = right;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->address, b->address, sizeof(a->address));
}

static void add_address(const struct endpoint *address, void *context)
{
	struct view *view = context;

	if (view->address_count == view->address_room) {
		size_t room = view->address_room ? 2 * view->address_room : 16;
		struct endpoint *list;

		if (room > VIEW_ADDRESSES_MAX)
			return;
		list = reallocarray(view->addresses, room, sizeof(*list));
		if (!list)
			return;
		view->addresses = list;
		view->address_room = room;
	}
	view->addresses[view->address_count++] = *address;
}

static void read_addresses(struct view *view)
{
	pace_begin(&view->addressed);
	view->address_count = 0;
	if (namespaces_addresses(view->netns.nsid, add_address, view))
		view->address_count = 0;
	if (view->address_count)
		qsort(view->addresses, view->address_count,
		      sizeof(*view->addresses), compare);
	pace_end(&view->addressed);
}

bool view_has_address(struct view *view, const struct endpoint *endpoint)
{
	if (endpoint->family == 4 &&
	    ntohl(endpoint->address[0]) >> 24 == LOOPBACK_BYTE)
		return true;
	if (pace_is_due(&view->addressed, monotonic_ns()))
		read_addresses(view);
	return view->address_count &&
	       bsearch(endpoint, view->addresses, view->address_count,
		       sizeof(*view->addresses), compare);
}

/* --- listeners -------------------------------------------------------------*/

static void add_listener(const struct listener *listener, void *context)
{
	struct view *view = context;

	listeners_add(&view->listeners, listener);
}

static struct listener listener_of(const struct held_socket *held)
{
	struct listener listener = {
		.bound = { .port = held->port,
			   .family = held->family,
			   .ifindex = held->ifindex },
		.cookie = held->cookie,
		.cgroup = held->cgroup,
		.inode = held->inode,
		.uid = held->uid,
		.v6only = held->v6only,
	};

	memcpy(listener.bound.address, held->address, sizeof(held->address));
	return listener;
}

static void add_held(struct view *view, const struct processes *processes)
{
	size_t count;
	const struct held_socket *list = processes_list(processes, &count);

	if (!processes_are_known(processes))
		view->listeners.is_partial = true;
	for (size_t i = 0; i < count; i++) {
		const struct listener listener = listener_of(&list[i]);

		if (list[i].netns == view->netns.inode)
			listeners_add(&view->listeners, &listener);
	}
}

/* A process in this namespace with a listening socket of it; 0: there is none.
 */
static uint32_t process_in(uint32_t inode, const struct processes *processes)
{
	size_t count;
	const struct held_socket *list = processes_list(processes, &count);

	for (size_t i = 0; i < count; i++) {
		if (list[i].netns == inode && list[i].task_netns == inode)
			return list[i].pid;
	}
	return 0;
}

/*
 * The inode of the namespace with this nsid. 0: no process is known to listen
 * there. `last`: the inode found before.
 */
static uint32_t inode_of(int nsid, uint32_t last,
			 const struct processes *processes)
{
	size_t count;
	const struct held_socket *list = processes_list(processes, &count);
	uint32_t pid = last ? process_in(last, processes) : 0;

	if (pid && namespaces_id_of_pid(pid) == nsid)
		return last;
	last = 0;
	for (size_t i = 0; i < count; i++) {
		const struct held_socket *held = &list[i];

		if (held->netns != held->task_netns || held->netns == last ||
		    !held->pid)
			continue;
		last = held->netns;
		if (namespaces_id_of_pid(held->pid) == nsid)
			return held->netns;
	}
	return 0;
}

static void read_held(struct view *view, const struct processes *processes)
{
	/* The nsid may belong to another namespace by now. */
	if (view->netns.nsid != NAMESPACE_OWN)
		view->netns.inode = inode_of(view->netns.nsid,
					     view->netns.inode, processes);
	listeners_begin(&view->listeners);
	if (view->netns.inode)
		add_held(view, processes);
	listeners_end(&view->listeners);
	read_addresses(view);
	view->read = monotonic_ns();
}

/* Takes the iterator's records, unless the view has the latest ones already. */
static bool refresh_held(struct view *view, struct processes *processes,
			 bool is_missing)
{
	processes_refresh(processes, is_missing);
	if (view->readings == processes_readings(processes))
		return false;
	view->readings = processes_readings(processes);
	read_held(view, processes);
	return true;
}

/*
 * Whether sock_diag would list the same sockets again. Not after one reading
 * only: a listener may have been counted shortly before it was to be found. Not
 * for ever: a listener bound to another interface is not counted.
 */
static bool is_unchanged(const struct view *view, uint64_t now)
{
	const uint32_t all = counter_of_listeners();

	return view->is_settled && !view->listeners.is_partial &&
	       view->listed[all] == kernel_count(view->counters, all) &&
	       now < view->read + VIEW_UNCHANGED_SECONDS * NS_PER_SECOND;
}

/* Called before the sockets are read: what changes meanwhile changes later. */
static void read_changes(struct view *view)
{
	const uint32_t all = counter_of_listeners();
	const uint64_t before = view->listed[all];

	kernel_counters_copy(view->listed, view->counters, 0, COUNTERS_FORKS);
	view->is_settled = view->read && before == view->listed[all];
}

static void read_diag(struct view *view)
{
	if (view->listed)
		read_changes(view);
	listeners_begin(&view->listeners);
	if (diag_list(view->diag, add_listener, view))
		view->listeners.is_partial = true;
	listeners_end(&view->listeners);
	view->read = monotonic_ns();
}

static bool refresh_diag(struct view *view, bool is_missing)
{
	struct pace *pace = is_missing ? &view->missed : &view->aged;
	const uint64_t now = monotonic_ns();

	if (!pace_is_due(pace, now))
		return false;
	if (!is_missing && is_unchanged(view, now)) {
		pace->next = now + NS_PER_SECOND;
		return false;
	}
	pace_begin(pace);
	read_diag(view);
	if (is_missing)
		read_addresses(view);
	pace_end(pace);
	/* This reading also counts as the periodic one. */
	if (is_missing)
		view->aged = view->missed;
	return true;
}

bool view_refresh(struct view *view, struct processes *processes,
		  bool is_missing)
{
	if (view->diag)
		return refresh_diag(view, is_missing);
	return processes && refresh_held(view, processes, is_missing);
}

/* --- finding ---------------------------------------------------------------*/

/*
 * Asks the kernel for the socket that it would choose for such a connection.
 * That must be a known socket and, if only one was found, this one.
 */
static bool kernel_agrees(struct view *view, const struct endpoint *endpoint,
			  uint64_t cgroup, struct group *group)
{
	struct endpoint question = *endpoint;
	struct listener now;

	question.ifindex = group->member[0]->bound.ifindex;
	if (diag_ask(view->diag, &question, &now))
		return false;
	group->chosen = now.cookie;
	if (group->count == 1 && !cgroup)
		return now.cookie == group->member[0]->cookie;
	return listeners_have(&view->listeners, endpoint->port, now.cookie);
}

/* Whether the port's listeners have changed since they were listed. */
static bool has_changed(const struct view *view, uint16_t port)
{
	const uint32_t place = counter_of_port(port);

	return view->listed &&
	       kernel_count(view->counters, place) != view->listed[place];
}

bool view_find(struct view *view, const struct endpoint *endpoint,
	       uint64_t cgroup, struct group *group)
{
	if (!listeners_find(&view->listeners, endpoint, cgroup, group))
		return false;
	if (view->diag)
		return !has_changed(view, endpoint->port) &&
		       kernel_agrees(view, endpoint, cgroup, group);
	return !view->listeners.is_partial;
}
