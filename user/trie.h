/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's trie of nets, by which the BPF programs know wanted servers. */
#ifndef BANNERPROBE_TRIE_H
#define BANNERPROBE_TRIE_H

#include "wanted.h"

/* Puts the nets into the trie (a file descriptor). 0 or negative errno. */
int trie_fill(const struct wanted *wanted, int trie);

/*
 * Finds this host's own addresses and puts them into the trie, in place of
 * those of the last time. 0 or negative errno.
 */
int trie_update_local(struct wanted *wanted, int trie);

#endif
