/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "inventory.h"

#include "keeper.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- opening and closing ----------------------------------------------- */

/* The number in a statement's only row. */
static int64_t ask_number(sqlite3_stmt *row)
{
	int64_t number = 0;

	if (sqlite3_step(row) == SQLITE_ROW)
		number = sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	return number;
}

static int open_parts(struct inventory *inventory, const char *path)
{
	const struct inventory_options *options = &inventory->options;
	int error = services_open(&inventory->services);

	if (error)
		return error;
	inventory->none = text_get(&inventory->services.texts, "", 0);
	inventory->bursts = calloc(BURSTS, sizeof(*inventory->bursts));
	if (!inventory->none || !inventory->bursts)
		return -ENOMEM;
	error = store_open(&inventory->store, path,
			   options->create ? STORE_CREATE : STORE_WRITE,
			   options->busy_ms);
	if (!error && options->stopped)
		store_wait_until(&inventory->store, options->busy_ms,
				 options->stopped);
	if (!error)
		error = lookup_prepare(inventory);
	if (!error && options->clients) {
		inventory->clients = clients_open(&inventory->store);
		error = inventory->clients ? 0 : -EIO;
	}
	if (!error)
		error = ftp_load(inventory);
	if (!error)
		inventory->data_version = write_version(inventory);
	if (!error)
		inventory->last_change =
			ask_number(inventory->statement[STATEMENT_LAST_CHANGE]);
	return error;
}

bool inventory_try(const char *path, char error[INVENTORY_ERROR])
{
	struct store store;
	const int code = store_open(&store, path, STORE_TRY, 0);

	snprintf(error, INVENTORY_ERROR, "%s", store.error);
	store_close(&store);
	return !code;
}

static void free_parts(struct inventory *inventory)
{
	bursts_close(inventory);
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(inventory->statement[i]);
	clients_close(inventory->clients);
	store_close(&inventory->store);
	if (inventory->services.chain) {
		ftp_close(inventory);
		services_close(&inventory->services);
	}
	free(inventory->changes);
	free(inventory);
}

struct inventory *inventory_open(const char *path,
				 const struct inventory_options *options,
				 char error[INVENTORY_ERROR])
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));

	snprintf(error, INVENTORY_ERROR, "out of memory");
	if (!inventory)
		return NULL;
	inventory->options = *options;
	if (!inventory->options.gone_us)
		inventory->options.gone_us = INVENTORY_GONE_DAYS * US_PER_DAY;
	if (!inventory->options.memory)
		inventory->options.memory = INVENTORY_MEMORY;
	if (open_parts(inventory, path)) {
		if (*inventory->store.error)
			snprintf(error, INVENTORY_ERROR, "%s",
				 inventory->store.error);
		free_parts(inventory);
		return NULL;
	}
	*error = 0;
	return inventory;
}

int inventory_close(struct inventory *inventory, uint64_t now, uint64_t *lost,
		    char error[INVENTORY_ERROR])
{
	int code = inventory_flush(inventory, now);

	if (lost)
		*lost = inventory->counts.lost +
			(code ? inventory_waiting(inventory) : 0);
	snprintf(error, INVENTORY_ERROR, "%s", code ? inventory->error : "");
	free_parts(inventory);
	return code;
}

/* --- what is lost ------------------------------------------------------ */

const char *unkept_text(enum unkept why)
{
#define UNKEPT_TEXT(name, text) [name] = text,
	static const char *const texts[UNKEPT_REASONS] = { FOR_EACH_UNKEPT(
		UNKEPT_TEXT) };

	return texts[why];
}

void inventory_lose(struct inventory *inventory, enum unkept why,
		    uint64_t count)
{
	inventory->counts.unkept[why] += count;
	inventory->counts.lost += count;
}

/* --- records ----------------------------------------------------------- */

/*
 * Whether a connection is counted already. With --events it may have two
 * records: that its port is open, and what the server said.
 */
static bool is_counted(struct inventory *inventory,
		       const struct service *service,
		       const struct observation *seen)
{
	const bool open = seen->event == OBSERVED_OPEN;
	const struct service_key *key = &service->key;
	uint64_t hash =
		((uint64_t)key->sensor->hash << 32 | key->tunnel->hash) ^
		((uint64_t)key->port << 16 | seen->client_port);
	uint64_t *slot, words[4];
	bool counted;

	inventory->opens |= open;
	if (!inventory->opens)
		return false;
	memcpy(words, seen->client.byte, sizeof(seen->client.byte));
	memcpy(words + 2, key->server.byte, sizeof(key->server.byte));
	/* Of bytes, not of addresses in memory: where two connections meet is
	 * the same each time. */
	for (int i = 0; i < 4; i++) {
		hash = (hash ^ le64toh(words[i])) * 0xbf58476d1ce4e5b9ULL;
		hash ^= hash >> 31;
	}
	hash &= ~1ULL;
	slot = &inventory->connection[(hash >> 32) & (CONNECTIONS - 1)];
	/* The lowest bit shows which of the two records came first. */
	counted = *slot == (hash | !open);
	*slot = counted ? 0 : hash | open;
	return counted;
}

static void count_connection(struct inventory *inventory,
			     struct service *service,
			     const struct observation *seen)
{
	if (!is_counted(inventory, service, seen)) {
		service->unwritten++;
		if (service->connections < UINT32_MAX)
			service->connections++;
	}
	service->used = true;
	service_set_dirty(&inventory->services, service);
}

/* Makes room for another service. False: the record is lost. */
static bool has_room(struct inventory *inventory)
{
	const size_t most = inventory->options.memory;

	if (services_memory(&inventory->services) < most)
		return true;
	if (inventory->full)
		return false;
	services_shrink(&inventory->services, most - most / 8);
	inventory->full = services_memory(&inventory->services) >= most;
	return !inventory->full;
}

static struct service *add_service(struct inventory *inventory,
				   const struct service_key *key,
				   const struct observation *seen)
{
	struct service *service;

	if (ftp_is_data(inventory, key, seen)) {
		inventory->counts.ftp_data++;
		return NULL;
	}
	service = service_add(&inventory->services, key);
	if (!service) {
		inventory_lose(inventory, UNKEPT_MEMORY, 1);
		return NULL;
	}
	service->first_seen = ftp_first_seen(inventory, key, seen);
	service->last_seen = seen->time;
	inventory->counts.services++;
	return service;
}

static void note_error(struct inventory *inventory)
{
	snprintf(inventory->error, sizeof(inventory->error), "%s",
		 inventory->store.error);
}

static struct service *service_of(struct inventory *inventory,
				  const struct service_key *key,
				  const struct observation *seen, bool *is_new)
{
	struct service *service = service_find(&inventory->services, key);
	int error;

	if (service) {
		/* They are compared with the form of the greeting, once that is
		 * made. */
		__builtin_prefetch(service->forms);
		return service;
	}
	if (!has_room(inventory)) {
		inventory_lose(inventory, UNKEPT_FULL, 1);
		return NULL;
	}
	service = lookup_service(inventory, key, &error);
	if (error) {
		inventory_lose(inventory, UNKEPT_UNREAD, 1);
		note_error(inventory);
	}
	if (service || error)
		return service;
	*is_new = true;
	return add_service(inventory, key, seen);
}

static void take(struct inventory *inventory, const struct service_key *key,
		 const struct observation *seen)
{
	bool is_new = false;
	struct service *service = service_of(inventory, key, seen, &is_new);

	if (!service)
		return;
	count_connection(inventory, service, seen);
	judge_greeting(inventory, service, seen, is_new);
	owner_came(inventory, service, seen);
	if (seen->time < service->first_seen)
		service->first_seen = seen->time;
	if (seen->time > service->last_seen)
		service->last_seen = seen->time;
}

static struct text *text_of(struct inventory *inventory, const char *text)
{
	if (!text || !*text) {
		inventory->none->users++;
		return inventory->none;
	}
	return text_get(&inventory->services.texts, text, strlen(text));
}

void inventory_put(struct inventory *inventory, const struct observation *seen)
{
	struct service_key key = { .server = seen->server,
				   .port = seen->server_port };

	inventory->counts.records++;
	if (seen->time > inventory->latest)
		inventory->latest = seen->time;
	if (seen->event == OBSERVED_REQUEST) {
		if (inventory->clients &&
		    !clients_put(inventory->clients, seen))
			inventory_lose(inventory, UNKEPT_CLIENTS, 1);
		return;
	}
	key.sensor = text_of(inventory, seen->sensor);
	key.tunnel = text_of(inventory, seen->tunnel);
	if (key.sensor && key.tunnel)
		take(inventory, &key, seen);
	else
		inventory_lose(inventory, UNKEPT_MEMORY, 1);
	text_put(&inventory->services.texts, key.sensor);
	text_put(&inventory->services.texts, key.tunnel);
}

/* --- writing ----------------------------------------------------------- */

int inventory_flush(struct inventory *inventory, uint64_t now)
{
	int error = write_all(inventory);

	if (error) {
		inventory->counts.write_errors++;
		note_error(inventory);
	}
	bursts_settle(inventory, now);
	return error;
}

bool inventory_is_elsewhere(const struct inventory *inventory)
{
	return store_look(&inventory->store) != STORE_SAME;
}

bool inventory_is_touched(struct inventory *inventory)
{
	return write_version(inventory) != inventory->data_version;
}

const char *inventory_error(const struct inventory *inventory)
{
	return inventory->error;
}

const struct inventory_counts *
inventory_counts(const struct inventory *inventory)
{
	return &inventory->counts;
}

uint64_t inventory_services(struct inventory *inventory)
{
	return (uint64_t)ask_number(inventory->statement[STATEMENT_COUNT]);
}

uint64_t inventory_changes(struct inventory *inventory)
{
	sqlite3_stmt *row = inventory->statement[STATEMENT_COUNT_CHANGES];

	sqlite3_bind_int64(row, 1, inventory->last_change);
	return (uint64_t)ask_number(row);
}

uint64_t inventory_waiting(const struct inventory *inventory)
{
	const struct service *service = inventory->services.dirty;
	uint64_t waiting = 0;

	for (; service; service = service->next_dirty)
		waiting += service->unwritten;
	return waiting;
}

/* --- imports ----------------------------------------------------------- */

void inventory_set_import(struct inventory *inventory,
			  struct inventory_import *import)
{
	inventory->import = import;
}

bool inventory_next_import(struct inventory *inventory, const char *sensor,
			   struct inventory_import *import)
{
	sqlite3_stmt *row = inventory->statement[STATEMENT_NEXT_IMPORT];
	bool found;

	sqlite3_bind_text(row, 1, sensor, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, import->id);
	found = sqlite3_step(row) == SQLITE_ROW &&
		sqlite3_column_bytes(row, 1) == sizeof(import->head);
	if (found) {
		import->id = sqlite3_column_int64(row, 0);
		memcpy(import->head, sqlite3_column_blob(row, 1),
		       sizeof(import->head));
		import->head_len = (size_t)sqlite3_column_int64(row, 2);
		import->read = (uint64_t)sqlite3_column_int64(row, 3);
	}
	sqlite3_reset(row);
	return found;
}
