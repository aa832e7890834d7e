/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "flowtable.h"

#include <stdlib.h>

/* An allocation that fails is reported, not fatal. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
	struct flow_key key;
	struct flow flow;
	UT_hash_handle handle;
};

struct flow_table {
	struct entry *entries; /* uthash keeps them in order of their adding */
	__u32 max_flows;
};

struct flow_table *flow_table_new(__u32 max_flows)
{
	struct flow_table *table = calloc(1, sizeof(*table));

	if (table)
		table->max_flows = max_flows;
	return table;
}

static void drop(const struct flow *flow, void *context)
{
	(void)flow;
	(void)context;
}

void flow_table_free(struct flow_table *table)
{
	if (!table)
		return;
	flow_table_clear(table, drop, NULL);
	free(table);
}

struct flow *flow_table_find(struct flow_table *table,
			     const struct flow_key *key)
{
	struct entry *entry;

	HASH_FIND(handle, table->entries, key, sizeof(*key), entry);
	if (!entry)
		return NULL;
	/* To the end of the order: the least recently used is the first. */
	HASH_DELETE(handle, table->entries, entry);
	HASH_ADD(handle, table->entries, key, sizeof(*key), entry);
	return &entry->flow;
}

struct flow *flow_table_add(struct flow_table *table, const struct flow_key *key,
			    struct flow *evicted)
{
	struct entry *entry = NULL;

	*evicted = (struct flow){};
	if (HASH_CNT(handle, table->entries) >= table->max_flows) {
		entry = table->entries;
		*evicted = entry->flow;
		HASH_DELETE(handle, table->entries, entry);
	} else {
		entry = malloc(sizeof(*entry));
		if (!entry)
			return NULL;
	}
	*entry = (struct entry){ .key = *key };
	HASH_ADD(handle, table->entries, key, sizeof(*key), entry);
	return &entry->flow;
}

void flow_table_clear(struct flow_table *table,
		      void (*each)(const struct flow *flow, void *context),
		      void *context)
{
	struct entry *entry, *next;

	HASH_ITER(handle, table->entries, entry, next) {
		each(&entry->flow, context);
		HASH_DELETE(handle, table->entries, entry);
		free(entry);
	}
}
