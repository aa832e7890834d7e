/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's LPM trie of networks (a file descriptor), which has this host's
 * own addresses and the server filter's networks for the BPF programs. A lookup
 * finds the longest prefix only, so each entry has the sets of all networks
 * around it.
 */
#ifndef BANNERPROBE_FILTER_MAPS_H
#define BANNERPROBE_FILTER_MAPS_H

#include "engine/server_list.h"

/*
 * The most networks: own addresses, and those of the command line. Only entries
 * that exist take memory.
 */
#define TRIE_MAX (1 << 24)

struct filter_maps {
	int map;
	const struct server_list *wanted;
	const struct nets *own; /* addresses; NULL: none are known */
};

/* Adds the networks of the options and own addresses. 0 or negative errno. */
int filter_maps_fill(const struct filter_maps *trie);

/*
 * Called when an own address, or a prefix of own addresses, was added or
 * removed. 0 or negative errno.
 */
int filter_maps_update(const struct filter_maps *trie, const struct net *net);

#endif
