/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel's LRU hash map is for the BPF programs: a table of bounded
 * size, of connections by their id, that evicts the least recently used.
 */
#ifndef BANNERPROBE_FLOWTABLE_H
#define BANNERPROBE_FLOWTABLE_H

#include "tracker.h"

struct flow_table;

/* For up to `max_flows` connections; NULL without memory. */
struct flow_table *flow_table_new(__u32 max_flows);
void flow_table_free(struct flow_table *table);

/*
 * The state of a connection, or NULL, which it may become without memory, too.
 * `id`: flow_identify().
 */
struct flow *flow_table_find(struct flow_table *table, __u64 id);

/*
 * Sets the state of a connection, in the place of the oldest if need be;
 * without memory it is forgotten.
 */
void flow_table_put(struct flow_table *table, __u64 id,
		    const struct flow *flow);

/* Calls `each` for every connection. */
void flow_table_each(const struct flow_table *table,
		     void (*each)(const struct flow *flow, void *context),
		     void *context);

/* Empties the table. */
void flow_table_clear(struct flow_table *table);

#endif
