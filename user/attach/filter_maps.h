/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's trie of nets (a file descriptor), by which the BPF programs know
 * this host's own addresses and the servers that are wanted. The longest prefix
 * is what is found there: it bears the marks of all around it.
 */
#ifndef BANNERPROBE_FILTER_MAPS_H
#define BANNERPROBE_FILTER_MAPS_H

#include "engine/server_list.h"

/*
 * How many nets there may be: own addresses, and those that are given. A node
 * takes memory when it is used.
 */
#define TRIE_MAX (1 << 24)

struct filter_maps {
	int map;
	const struct server_list *wanted;
	const struct nets *own; /* addresses; NULL: none are known */
};

/* Puts the nets that are given, and the addresses. 0 or negative errno. */
int filter_maps_fill(const struct filter_maps *trie);

/* An address, or a net of such, has come or gone. 0 or negative errno. */
int filter_maps_update(const struct filter_maps *trie, const struct net *net);

#endif
