/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "nets.h"

#include "system/hash_table.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct net_entry {
	struct net net;
	__u32 number;
	bool failed; /* uthash had no memory to add it */
	UT_hash_handle handle;
};

void net_mask(struct net *net)
{
	for (__u32 i = 0; i < 4; i++) {
		const __u32 before = FAMILY_BITS + 32 * i;
		const __u32 bits =
			net->prefix_len > before ? net->prefix_len - before : 0;

		if (bits < 32)
			net->address[i] &= htonl(bits ? ~0U << (32 - bits) : 0);
	}
}

bool net_covers(const struct net *outer, const struct net *inner)
{
	struct net same = *inner;

	if (outer->prefix_len > inner->prefix_len)
		return false;
	same.prefix_len = outer->prefix_len;
	net_mask(&same);
	return !memcmp(&same, outer, sizeof(same));
}

static struct net_entry *find(const struct nets *nets, const struct net *net)
{
	struct net_entry *entry;

	HASH_FIND(handle, nets->entries, net, sizeof(*net), entry);
	return entry;
}

/* The counter of networks with this one's family and prefix length. */
static __u32 *length_of(struct nets *nets, const struct net *net)
{
	return &nets->lengths[net->family == 6][net->prefix_len - FAMILY_BITS];
}

__u32 *nets_put(struct nets *nets, const struct net *net)
{
	struct net_entry *entry = find(nets, net);

	if (entry)
		return &entry->number;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->net = *net;
	HASH_ADD(handle, nets->entries, net, sizeof(entry->net), entry);
	if (entry->failed) {
		free(entry);
		return NULL;
	}
	nets->count++;
	(*length_of(nets, net))++;
	return &entry->number;
}

__u32 *nets_find(const struct nets *nets, const struct net *net)
{
	struct net_entry *entry = find(nets, net);

	return entry ? &entry->number : NULL;
}

void nets_remove(struct nets *nets, const struct net *net)
{
	struct net_entry *entry = find(nets, net);

	if (!entry)
		return;
	nets->count--;
	(*length_of(nets, net))--;
	HASH_DELETE(handle, nets->entries, entry);
	free(entry);
}

__u32 nets_around(const struct nets *nets, const struct net *net)
{
	struct net outer = *net;
	__u32 numbers = 0;

	for (__u32 len = net->prefix_len + 1; len-- > FAMILY_BITS;) {
		const struct net_entry *entry;

		if (!nets->lengths[net->family == 6][len - FAMILY_BITS])
			continue;
		outer.prefix_len = len;
		net_mask(&outer);
		entry = find(nets, &outer);
		numbers |= entry ? entry->number : 0;
	}
	return numbers;
}

void nets_each(const struct nets *nets, net_found *found, void *context)
{
	struct net_entry *entry, *next;

	HASH_ITER(handle, nets->entries, entry, next)
	found(&entry->net, context);
}

void nets_free(struct nets *nets)
{
	struct net_entry *entry, *next;

	HASH_ITER(handle, nets->entries, entry, next)
	{
		HASH_DELETE(handle, nets->entries, entry);
		free(entry);
	}
	*nets = (struct nets){};
}
