/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "filter_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#define BATCH_NETS 1024

static bool is_own(const struct filter_maps *trie, const struct net *net)
{
	return trie->own && nets_find(trie->own, net);
}

static __u32 sets_of(const struct filter_maps *trie, const struct net *net,
		     bool own)
{
	__u32 sets = nets_around(&trie->wanted->nets, net);

	if (own || (trie->own && nets_around(trie->own, net)))
		sets |= SET_LOCAL;
	return sets;
}

/* Adds a network, or updates its sets. `own`: it is an own address. */
static int put(const struct filter_maps *trie, const struct net *net, bool own)
{
	const __u32 sets = sets_of(trie, net, own);

	return bpf_map_update_elem(trie->map, net, &sets, BPF_ANY);
}

/* A network that belongs to no set any more is removed from the trie. */
static int remove_net(const struct filter_maps *trie, const struct net *net)
{
	const int error = bpf_map_delete_elem(trie->map, net);

	return error == -ENOENT ? 0 : error;
}

/* Adds many networks, up to the first error. */
struct filling {
	const struct filter_maps *trie;
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

/*
 * Networks for one system call. With a call for each network, the calls would
 * be a third of the cost.
 */
struct batch {
	const struct filter_maps *trie;
	int error; /* the first one */
	__u32 count;
	struct net nets[BATCH_NETS];
	__u32 sets[BATCH_NETS];
};

/* Kernels before 5.14 accept one network at a time. */
static void flush(struct batch *batch)
{
	const __u32 count = batch->count;
	__u32 done = count;

	batch->count = 0;
	if (batch->error || !count ||
	    !bpf_map_update_batch(batch->trie->map, batch->nets, batch->sets,
				  &done, NULL))
		return;
	for (__u32 i = 0; !batch->error && i < count; i++)
		batch->error =
			bpf_map_update_elem(batch->trie->map, &batch->nets[i],
					    &batch->sets[i], BPF_ANY);
}

static void put_own(const struct net *net, void *context)
{
	struct batch *batch = context;

	batch->nets[batch->count] = *net;
	batch->sets[batch->count++] = sets_of(batch->trie, net, true);
	if (batch->count == BATCH_NETS)
		flush(batch);
}

static int fill_own(const struct filter_maps *trie)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	int error;

	if (!batch)
		return -ENOMEM;
	batch->trie = trie;
	nets_each(trie->own, put_own, batch);
	flush(batch);
	error = batch->error;
	free(batch);
	return error;
}

int filter_maps_fill(const struct filter_maps *trie)
{
	struct filling filling = { .trie = trie };

	nets_each(&trie->wanted->nets, put_given, &filling);
	if (!filling.error && trie->own)
		filling.error = fill_own(trie);
	return filling.error;
}

static bool is_one_address(const struct net *net)
{
	return net->prefix_len == FAMILY_BITS + (net->family == 4 ? 32 : 128);
}

/* Own addresses within `net` have SET_LOCAL already, so they do not change. */
int filter_maps_update(const struct filter_maps *trie, const struct net *net)
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
