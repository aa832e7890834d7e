/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The connections of a capture: a table of bounded size that evicts the one
 * least recently used, as the kernel's LRU hash map does for the BPF programs.
 */
#ifndef BANNERPROBE_FLOWTABLE_H
#define BANNERPROBE_FLOWTABLE_H

#include "tracker.h"

struct flow_table;

/* For up to `max_flows` connections; NULL without memory. */
struct flow_table *flow_table_new(__u32 max_flows);
void flow_table_free(struct flow_table *table);

/* The state of a connection, or NULL. */
struct flow *flow_table_find(struct flow_table *table,
			     const struct flow_key *key);

/*
 * The state, all zero, of a connection that is not in the table. NULL without
 * memory. Where another had to give way, *evicted is its last state, else its
 * `seen` is 0.
 */
struct flow *flow_table_add(struct flow_table *table, const struct flow_key *key,
			    struct flow *evicted);

/* Calls `each` for every connection and empties the table. */
void flow_table_clear(struct flow_table *table,
		      void (*each)(const struct flow *flow, void *context),
		      void *context);

#endif
