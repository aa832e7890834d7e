/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "overflow.h"

#include <stdbool.h>
#include <stdlib.h>

/* Without memory nothing is added, and the process goes on. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
	__u64 id;
	struct flow flow;
	UT_hash_handle handle;
};

struct overflow {
	struct entry *entries; /* uthash keeps them in the order of addition */
	struct entry *pool;    /* memory for max_flows entries */
	struct entry *spares;  /* entries of the pool that could not be added */
	__u32 used;	       /* entries of the pool */
	__u32 max_flows;
};

struct overflow *overflow_new(__u32 max_flows)
{
	struct overflow *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->max_flows = max_flows;
	table->pool = calloc(max_flows, sizeof(*table->pool));
	if (table->pool)
		return table;
	free(table);
	return NULL;
}

void overflow_free(struct overflow *table)
{
	if (!table)
		return;
	HASH_CLEAR(handle, table->entries);
	free(table->pool);
	free(table);
}

static bool add(struct overflow *table, struct entry *entry)
{
	HASH_ADD(handle, table->entries, id, sizeof(entry->id), entry);
	if (entry->handle.tbl)
		return true;
	entry->flow = (struct flow){};
	entry->handle.next = table->spares;
	table->spares = entry;
	return false;
}

/* Moves an entry to the end: the first is the least recently used. */
static bool touch(struct overflow *table, struct entry *entry)
{
	HASH_DELETE(handle, table->entries, entry);
	return add(table, entry);
}

struct flow *overflow_find(struct overflow *table, __u64 id)
{
	struct entry *entry;

	HASH_FIND(handle, table->entries, &id, sizeof(id), entry);
	return entry && touch(table, entry) ? &entry->flow : NULL;
}

static struct entry *take_place(struct overflow *table)
{
	struct entry *entry = table->spares;

	if (entry) {
		table->spares = entry->handle.next;
	} else if (table->used < table->max_flows) {
		entry = &table->pool[table->used++];
	} else {
		entry = table->entries;
		HASH_DELETE(handle, table->entries, entry);
	}
	return entry;
}

void overflow_put(struct overflow *table, __u64 id, const struct flow *flow)
{
	struct flow *known = overflow_find(table, id);
	struct entry *entry;

	if (known) {
		*known = *flow;
		return;
	}
	entry = take_place(table);
	entry->id = id;
	entry->flow = *flow;
	add(table, entry);
}

void overflow_each(const struct overflow *table,
		   void (*each)(const struct flow *flow, void *context),
		   void *context)
{
	for (__u32 i = 0; i < table->used; i++)
		each(&table->pool[i].flow, context);
}

void overflow_clear(struct overflow *table)
{
	HASH_CLEAR(handle, table->entries);
	table->spares = NULL;
	table->used = 0;
}
