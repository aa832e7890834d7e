/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's LPM trie of networks (a file descriptor), from which the BPF
 * programs learn this host's own addresses and the server filter's networks. A
 * lookup finds the longest prefix, so each entry has the tags of all networks
 * around it.
 */
#ifndef BANNERPROBE_FILTER_MAPS_H
#define BANNERPROBE_FILTER_MAPS_H

#include "engine/server_list.h"

/*
 * The most networks: own addresses, and those of the command line. A node takes
 * memory when it is used.
 */
#define TRIE_MAX (1 << 24)

struct filter_maps {
	int map;
	const struct server_list *wanted;
	const struct nets *own; /* addresses; NULL: none are known */
};

/* Puts the nets that are given, and the addresses. 0 or negative errno. */
int filter_maps_fill(const struct filter_maps *trie);

/*
 * Called when an own address, or a prefix of such, was added or removed. 0 or
 * negative errno.
 */
int filter_maps_update(const struct filter_maps *trie, const struct net *net);

#endif
