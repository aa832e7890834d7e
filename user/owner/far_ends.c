/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "far_ends.h"

#include "system/hash_table.h"
#include "pace.h"

/* An interface, and the far ends that it had when the kernel was asked. */
struct link_known {
	uint32_t ifindex;
	struct peer *peers;
	size_t count, room;
	struct pace pace;
	UT_hash_handle hh;
	bool failed; /* no memory to add it */
};

struct far_ends {
	struct link_known *links;
};

struct far_ends *far_ends_open(void)
{
	return calloc(1, sizeof(struct far_ends));
}

static void forget_all(struct far_ends *ends)
{
	struct link_known *link, *next;

	HASH_ITER(hh, ends->links, link, next)
	{
		HASH_DEL(ends->links, link);
		free(link->peers);
		free(link);
	}
}

void far_ends_close(struct far_ends *ends)
{
	if (ends)
		forget_all(ends);
	free(ends);
}

static struct link_known *link_of(struct far_ends *ends, uint32_t ifindex)
{
	struct link_known *link;

	HASH_FIND(hh, ends->links, &ifindex, sizeof(ifindex), link);
	if (link)
		return link;
	if (HASH_COUNT(ends->links) >= FAR_ENDS_LINKS_MAX)
		forget_all(ends);
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->ifindex = ifindex;
	HASH_ADD(hh, ends->links, ifindex, sizeof(link->ifindex), link);
	if (!link->failed)
		return link;
	free(link);
	return NULL;
}

static void on_peer(const struct peer *peer, void *context)
{
	struct link_known *link = context;

	if (link->count == link->room) {
		size_t room = link->room ? 2 * link->room : 1;
		struct peer *peers;

		if (room > FAR_ENDS_MAX)
			return;
		peers = reallocarray(link->peers, room, sizeof(*peers));
		if (!peers)
			return;
		link->peers = peers;
		link->room = room;
	}
	link->peers[link->count++] = *peer;
}

const struct peer *far_ends_find(struct far_ends *ends, uint32_t ifindex,
				 size_t *count)
{
	struct link_known *link = link_of(ends, ifindex);

	*count = 0;
	if (!link)
		return NULL;
	if (pace_is_due(&link->pace, monotonic_ns())) {
		pace_begin(&link->pace);
		link->count = 0;
		if (namespaces_find_peers(ifindex, on_peer, link))
			link->count = 0;
		pace_end(&link->pace);
	}
	*count = link->count;
	return link->peers;
}

uint64_t far_ends_due(struct far_ends *ends, uint32_t ifindex)
{
	const struct link_known *link = link_of(ends, ifindex);

	return link ? link->pace.next : 0;
}
