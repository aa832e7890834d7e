/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The overflow LRU in user space, in place of the kernel's LRU hash map: a
 * table of bounded size, of connections by their id, that evicts the least
 * recently used.
 */
#ifndef BANNERPROBE_OVERFLOW_H
#define BANNERPROBE_OVERFLOW_H

#include "tracker.h"

struct overflow;

/* For up to `max_flows` connections; NULL without memory. */
struct overflow *overflow_new(__u32 max_flows);
void overflow_free(struct overflow *table);

/*
 * The state of a connection, or NULL, also where memory is missing. `id`:
 * flow_identify().
 */
struct flow *overflow_find(struct overflow *table, __u64 id);

/*
 * Sets the state of a connection. If the table is full, the least recently used
 * connection is evicted. Without memory the connection is forgotten.
 */
void overflow_put(struct overflow *table, __u64 id, const struct flow *flow);

/* Calls `each` for every connection. */
void overflow_each(const struct overflow *table,
		   void (*each)(const struct flow *flow, void *context),
		   void *context);

/* Empties the table. */
void overflow_clear(struct overflow *table);

#endif
