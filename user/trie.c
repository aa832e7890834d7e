/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "trie.h"

#include <bpf/bpf.h>
#include <errno.h>

static bool is_own(const struct trie *trie, const struct net *net)
{
	return trie->own && nets_find(trie->own, net);
}

/* The marks of a net of one of the sets. */
static int put(const struct trie *trie, const struct net *net, bool own)
{
	__u32 marks = nets_around(&trie->wanted->nets, net);

	if (own || (trie->own && nets_around(trie->own, net)))
		marks |= MARK_LOCAL;
	return bpf_map_update_elem(trie->map, net, &marks, BPF_ANY);
}

/* What is in neither set would stand in the trie for ever. */
static int remove_net(const struct trie *trie, const struct net *net)
{
	const int error = bpf_map_delete_elem(trie->map, net);

	return error == -ENOENT ? 0 : error;
}

/* Of many that are put, the first error. */
struct filling {
	const struct trie *trie;
	const struct net *around; /* only those in this net; NULL: all */
	int error;
};

static void put_given(const struct net *net, void *context)
{
	struct filling *filling = context;

	if (!filling->error &&
	    (!filling->around || net_covers(filling->around, net)))
		filling->error = put(filling->trie, net, false);
}

static void put_own(const struct net *net, void *context)
{
	struct filling *filling = context;

	if (!filling->error)
		filling->error = put(filling->trie, net, true);
}

int trie_fill(const struct trie *trie)
{
	struct filling filling = { .trie = trie };

	nets_each(&trie->wanted->nets, put_given, &filling);
	if (trie->own)
		nets_each(trie->own, put_own, &filling);
	return filling.error;
}

static bool is_one_address(const struct net *net)
{
	return net->prefix_len == FAMILY_BITS + (net->family == 4 ? 32 : 128);
}

/* Addresses that lie in others are marked as such already. */
int trie_update(const struct trie *trie, const struct net *net)
{
	struct filling filling = { .trie = trie, .around = net };

	if (is_own(trie, net))
		filling.error = put(trie, net, true);
	else if (nets_find(&trie->wanted->nets, net))
		filling.error = put(trie, net, false);
	else
		filling.error = remove_net(trie, net);
	if (!is_one_address(net))
		nets_each(&trie->wanted->nets, put_given, &filling);
	return filling.error;
}
