/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "flowtable.h"

#include <stdlib.h>

#include <uthash.h>

struct entry {
	__u64 id;
	struct flow flow;
	UT_hash_handle handle;
};

struct flow_table {
	struct entry *entries; /* uthash keeps them in order of their adding */
	struct entry *pool;    /* where they lie: max_flows of them */
	__u32 used;	       /* of the pool */
	__u32 max_flows;
};

struct flow_table *flow_table_new(__u32 max_flows)
{
	struct flow_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->max_flows = max_flows;
	table->pool = calloc(max_flows, sizeof(*table->pool));
	if (table->pool)
		return table;
	free(table);
	return NULL;
}

void flow_table_free(struct flow_table *table)
{
	if (!table)
		return;
	HASH_CLEAR(handle, table->entries);
	free(table->pool);
	free(table);
}

/* To the end of the order: the least recently used is the first. */
static void touch(struct flow_table *table, struct entry *entry)
{
	HASH_DELETE(handle, table->entries, entry);
	HASH_ADD(handle, table->entries, id, sizeof(entry->id), entry);
}

struct flow *flow_table_find(struct flow_table *table, __u64 id)
{
	struct entry *entry;

	HASH_FIND(handle, table->entries, &id, sizeof(id), entry);
	if (!entry)
		return NULL;
	touch(table, entry);
	return &entry->flow;
}

void flow_table_put(struct flow_table *table, __u64 id, const struct flow *flow)
{
	struct flow *known = flow_table_find(table, id);
	struct entry *entry;

	if (known) {
		*known = *flow;
		return;
	}
	if (table->used < table->max_flows) {
		entry = &table->pool[table->used++];
	} else {
		entry = table->entries;
		HASH_DELETE(handle, table->entries, entry);
	}
	entry->id = id;
	entry->flow = *flow;
	HASH_ADD(handle, table->entries, id, sizeof(entry->id), entry);
}

void flow_table_each(const struct flow_table *table,
		     void (*each)(const struct flow *flow, void *context),
		     void *context)
{
	for (__u32 i = 0; i < table->used; i++)
		each(&table->pool[i].flow, context);
}

void flow_table_clear(struct flow_table *table)
{
	HASH_CLEAR(handle, table->entries);
	table->used = 0;
}
