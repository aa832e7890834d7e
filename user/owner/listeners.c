/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "listeners.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_PREFIX 0x0000ffff /* ::ffff:0:0/96, its third word */

/* --- filling ---------------------------------------------------------------*/

void listeners_begin(struct listeners *listeners)
{
	listeners->count = 0;
	listeners->is_partial = false;
}

static bool make_room(struct listeners *listeners)
{
	size_t room = listeners->room ? 2 * listeners->room : 64;
	struct listener *list;

	if (listeners->count < listeners->room)
		return true;
	if (listeners->count >= LISTENERS_MAX)
		return false;
	list = reallocarray(listeners->list, room, sizeof(*list));
	if (!list)
		return false;
	listeners->list = list;
	listeners->room = room;
	return true;
}

void listeners_add(struct listeners *listeners, const struct listener *listener)
{
	if (make_room(listeners))
		listeners->list[listeners->count++] = *listener;
	else
		listeners->is_partial = true;
}

static int compare(const void *left, const void *right)
{
	const struct listener *a = left, *b = right;

	if (a->bound.port != b->bound.port)
		return a->bound.port < b->bound.port ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

/*
 * A list that was read twice, or a socket that two processes have, has doubles.
 */
static void drop_doubles(struct listeners *listeners)
{
	size_t kept = 0;

	for (size_t i = 0; i < listeners->count; i++) {
		if (kept &&
		    !compare(&listeners->list[kept - 1], &listeners->list[i]))
			continue;
		listeners->list[kept++] = listeners->list[i];
	}
	listeners->count = kept;
}

void listeners_end(struct listeners *listeners)
{
	if (!listeners->count)
		return;
	qsort(listeners->list, listeners->count, sizeof(*listeners->list),
	      compare);
	drop_doubles(listeners);
}

void listeners_free(struct listeners *listeners)
{
	free(listeners->list);
	*listeners = (struct listeners){};
}

/* --- finding ---------------------------------------------------------------*/

/* The index of the first socket with this port, or with a greater one. */
static size_t first_of(const struct listeners *listeners, unsigned int port)
{
	size_t low = 0, high = listeners->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (listeners->list[middle].bound.port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_any(const struct endpoint *bound)
{
	return !(bound->address[0] | bound->address[1] | bound->address[2] |
		 bound->address[3]);
}

/* Whether an IPv6 socket is bound to this IPv4 address (::ffff:192.0.2.1). */
static bool is_mapped(const struct endpoint *bound, uint32_t address)
{
	return !bound->address[0] && !bound->address[1] &&
	       bound->address[2] == htonl(MAPPED_PREFIX) &&
	       bound->address[3] == address;
}

enum fit { FIT_NONE, FIT_ANY, FIT_EXACT };

static enum fit fit(const struct listener *listener,
		    const struct endpoint *endpoint)
{
	const struct endpoint *bound = &listener->bound;

	if (bound->family == endpoint->family) {
		if (is_any(bound))
			return FIT_ANY;
		return memcmp(bound->address, endpoint->address,
			      sizeof(bound->address)) ?
			       FIT_NONE :
			       FIT_EXACT;
	}
	if (bound->family != 6 || listener->v6only)
		return FIT_NONE;
	if (is_any(bound))
		return FIT_ANY;
	return is_mapped(bound, endpoint->address[0]) ? FIT_EXACT : FIT_NONE;
}

/* How well a socket suits a connection; 0: not at all. */
struct suit {
	unsigned int score;
	/*
	 * The socket is bound to another interface, or the connection's
	 * interface is not known. It may suit nevertheless: the socket's
	 * interface may be a VRF.
	 */
	bool is_open;
};

#define SCORE_EXACT 8

/*
 * The scores of sockets on one address are those of compute_score() in Linux.
 */
static struct suit suit(const struct listener *listener,
			const struct endpoint *endpoint, uint64_t cgroup)
{
	const enum fit fits = fit(listener, endpoint);
	struct suit suit = {};

	if (fits == FIT_NONE || (cgroup && listener->cgroup != cgroup))
		return suit;
	suit.score = fits == FIT_EXACT ? SCORE_EXACT : 0;
	suit.score += listener->bound.ifindex ? 2 : 1;
	suit.score += endpoint->family == 4 && listener->bound.family == 4;
	suit.is_open = listener->bound.ifindex &&
		       listener->bound.ifindex != endpoint->ifindex;
	return suit;
}

/* The best score of each kind. */
struct scores {
	unsigned int sure, open;
	bool is_bound; /* a sure one: to the connection's interface */
};

static bool belongs(struct suit suit, struct scores best)
{
	if (!suit.score)
		return false;
	if (!suit.is_open)
		return suit.score == best.sure;
	if (!best.sure)
		return suit.score == best.open;
	return best.is_bound ? suit.score > best.sure : suit.score >= best.sure;
}

static void add_to_group(struct group *group, const struct listener *listener)
{
	const struct listener *first = group->member[0];

	if (group->count < GROUP_MAX)
		group->member[group->count] = listener;
	if (group->count++)
		group->agrees &= first->cgroup == listener->cgroup &&
				 first->uid == listener->uid;
	else
		group->agrees = true;
}

bool listeners_find(const struct listeners *listeners,
		    const struct endpoint *endpoint, uint64_t cgroup,
		    struct group *group)
{
	const size_t first = first_of(listeners, endpoint->port);
	const size_t end = first_of(listeners, endpoint->port + 1U);
	struct scores best = {};

	group->count = 0;
	group->chosen = 0;
	for (size_t i = first; i < end; i++) {
		struct suit one = suit(&listeners->list[i], endpoint, cgroup);
		unsigned int *score = one.is_open ? &best.open : &best.sure;

		if (one.score <= *score)
			continue;
		*score = one.score;
		if (!one.is_open)
			best.is_bound = listeners->list[i].bound.ifindex;
	}
	for (size_t i = first; i < end; i++) {
		if (belongs(suit(&listeners->list[i], endpoint, cgroup), best))
			add_to_group(group, &listeners->list[i]);
	}
	return group->count;
}

bool listeners_have(const struct listeners *listeners, uint16_t port,
		    uint64_t cookie)
{
	const size_t end = first_of(listeners, port + 1U);

	for (size_t i = first_of(listeners, port); i < end; i++) {
		if (listeners->list[i].cookie == cookie)
			return true;
	}
	return false;
}
