/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The latest answers, found by the bytes that were asked about. */
#ifndef BANNERPROBE_IDENTIFY_CACHE_H
#define BANNERPROBE_IDENTIFY_CACHE_H

#include "answer.h"

/*
 * Enough for the servers of a large network; takes at most 20 MiB. A fuzzer has
 * fewer.
 */
#ifndef CACHE_PLACES
#define CACHE_PLACES 4096
#endif

struct question {
	struct text text;
	enum said said;
	uint16_t port;
};

struct remembered {
	uint64_t hash;
	uint64_t used; /* the cache's clock at the last use; 0: never */
	struct question question;
	uint8_t *bytes; /* a copy of the question's bytes; NULL: free */
	struct answer answer;
};

struct cache {
	uint64_t clock; /* counts uses of places */
	struct remembered places[CACHE_PLACES];
};

/* The answer to a question; NULL: it is not in the cache. */
struct answer *cache_find(struct cache *cache, const struct question *question);

/* An empty answer to be filled in, in place of another one. */
struct answer *cache_add(struct cache *cache, const struct question *question);

void cache_clear(struct cache *cache);

#endif
