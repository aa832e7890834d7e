/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "trie.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* The longest prefix is what a trie finds: it bears the marks of all. */
static int put(const struct wanted *wanted, int trie, const struct net *net)
{
	const __u32 marks = wanted_marks(wanted, net);

	if (!marks)
		return bpf_map_delete_elem(trie, net);
	return bpf_map_update_elem(trie, net, &marks, BPF_ANY);
}

static bool is_local(const struct marked_net *net)
{
	return net->marks == MARK_LOCAL;
}

/* Puts all, or those of this host only. */
static int fill(const struct wanted *wanted, int trie, bool local_only)
{
	int error = 0;

	for (int i = 0; !error && i < wanted->count; i++) {
		if (!local_only || is_local(&wanted->nets[i]))
			error = put(wanted, trie, &wanted->nets[i].net);
	}
	return error;
}

int trie_fill(const struct wanted *wanted, int trie)
{
	return fill(wanted, trie, false);
}

static void add_local(struct wanted *wanted, const struct sockaddr *address)
{
	__u32 bytes[4] = {};
	struct net net;

	if (!address)
		return;
	if (address->sa_family == AF_INET)
		memcpy(bytes, &((const struct sockaddr_in *)address)->sin_addr,
		       4);
	else if (address->sa_family == AF_INET6)
		memcpy(bytes,
		       &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
	else
		return;
	net_of_address(&net, bytes, address->sa_family == AF_INET ? 4 : 6);
	wanted_mark_net(wanted, &net, MARK_LOCAL);
}

static int add_all_local(struct wanted *wanted)
{
	static const struct net loopback = { FAMILY_BITS + 8,
					     4,
					     { bpf_htonl(0x7f000000) } };
	struct ifaddrs *addresses;

	if (getifaddrs(&addresses))
		return -errno;
	wanted_mark_net(wanted, &loopback, MARK_LOCAL);
	for (struct ifaddrs *one = addresses; one; one = one->ifa_next)
		add_local(wanted, one->ifa_addr);
	freeifaddrs(addresses);
	return 0;
}

int trie_update_local(struct wanted *wanted, int trie)
{
	const struct wanted before = *wanted;
	bool was_filled = false;
	int error;

	wanted->nets = NULL;
	wanted->count = 0;
	for (int i = 0; i < before.count; i++) {
		if (is_local(&before.nets[i]))
			was_filled = true;
		else
			wanted_mark_net(wanted, &before.nets[i].net,
					before.nets[i].marks);
	}
	error = add_all_local(wanted);
	/*
	 * An address that comes or goes changes no other net's marks; loopback
	 * does, the first time, and stays.
	 */
	if (!error)
		error = fill(wanted, trie, was_filled);
	for (int i = 0; !error && i < before.count; i++) {
		if (is_local(&before.nets[i]))
			put(wanted, trie, &before.nets[i].net); /* or gone */
	}
	free(before.nets);
	return error;
}
