/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads from the inventory's file during a run. */
#include "keeper.h"
#include "skeleton.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY_COLUMNS                                                       \
	"service, product, version, info, os, hostname, devicetype, cpe"

static const char *const texts[STATEMENTS] = {
	[STATEMENT_FIND_SERVICE] =
		"SELECT id, first_seen, last_seen, connections, banner_id,"
		" ever_different, told, unit, container, process FROM service"
		" WHERE sensor = ?1 AND server = ?2 AND port = ?3"
		" AND tunnel = ?4",
	[STATEMENT_FIND_FORMS] =
		"SELECT id, stable, last_seen, count, whole, refusal, service"
		" FROM banner WHERE service_id = ?1"
		" ORDER BY last_seen DESC, id DESC LIMIT 63",
	[STATEMENT_FORM] = "SELECT latest_raw, " IDENTITY_COLUMNS
			   " FROM banner WHERE id = ?1",
	[STATEMENT_ADD_SERVICE] =
		"INSERT INTO service (sensor, server, port, tunnel,"
		" first_seen, last_seen, connections, told)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, 0)",
	[STATEMENT_UPDATE_SERVICE] =
		"UPDATE service SET first_seen = min(first_seen, ?2),"
		" last_seen = max(last_seen, ?3),"
		" connections = connections + ?4, banner_id = ?5,"
		" ever_different = ?6, told = ?7 WHERE id = ?1",
	[STATEMENT_SET_OWNER] =
		"UPDATE service SET (unit, container, process) = (?2, ?3, ?4)"
		" WHERE id = ?1",
	[STATEMENT_ADD_FORM] =
		"INSERT INTO banner (service_id, first_raw, latest_raw,"
		" stable, first_seen, last_seen, count, whole,"
		" refusal, " IDENTITY_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5,"
		" ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
	[STATEMENT_SET_NEW] =
		"UPDATE change SET new_banner = ?2 WHERE service_id = ?1"
		" AND kind = 'new' AND new_banner IS NULL",
	[STATEMENT_UPDATE_FORM] =
		"UPDATE banner SET last_seen = max(last_seen, ?2),"
		" count = count + ?3 WHERE id = ?1",
	[STATEMENT_UPDATE_LATEST] =
		"UPDATE banner SET last_seen = max(last_seen, ?2),"
		" count = count + ?3, latest_raw = ?4 WHERE id = ?1",
	[STATEMENT_UPDATE_STABLE] =
		"UPDATE banner SET stable = ?2, whole = ?3 WHERE id = ?1",
	[STATEMENT_UPDATE_IDENTITY] =
		"UPDATE banner SET (" IDENTITY_COLUMNS
		") = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) WHERE id = ?1",
	[STATEMENT_FIND_STABLE] =
		"SELECT id FROM banner WHERE service_id = ?1 AND stable = ?2",
	[STATEMENT_ADD_CHANGE] =
		"INSERT INTO change (ts, service_id, kind, old_banner,"
		" new_banner, number, old_owner, new_owner)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATEMENT_JOIN_DIFFERENT] =
		"DELETE FROM change WHERE service_id = ?1 AND id <> ?2"
		" AND kind IN ('banner', 'version', 'product')"
		" AND new_banner IN (SELECT id FROM banner"
		" WHERE service_id = ?1 AND (count = 1 OR"
		/* a form that was made by chance within the eight */
		" change.id IN (SELECT id FROM change WHERE service_id = ?1"
		" ORDER BY id DESC LIMIT 8) AND stable LIKE '%\\{bytes%'))",
	[STATEMENT_FIRST_NEW] =
		"SELECT min(change.id) FROM change JOIN service"
		" ON service.id = service_id WHERE kind = 'new'"
		" AND sensor = ?1 AND server = ?2 AND ts BETWEEN ?3 AND ?4",
	[STATEMENT_COUNT_NEW] =
		"SELECT total(coalesce(number, 1)), min(ts) FROM service"
		" JOIN change ON service.id = service_id WHERE kind = 'new'"
		" AND sensor = ?1 AND server = ?2 AND ts BETWEEN ?3 AND ?4",
	[STATEMENT_NUMBER_NEW] = "UPDATE change SET number = ?2 WHERE id = ?1",
	[STATEMENT_JOIN_NEW] =
		"DELETE FROM change WHERE kind = 'new' AND id > ?5"
		" AND ts BETWEEN ?3 AND ?4 AND service_id IN"
		" (SELECT id FROM service WHERE sensor = ?1 AND server = ?2)",
	[STATEMENT_SET_FTP] = "INSERT INTO ftp_server (sensor, server, greeted)"
			      " VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
			      " greeted = max(greeted, excluded.greeted)",
	[STATEMENT_CLEAN_FTP] = "DELETE FROM ftp_server WHERE greeted < ?1",
	[STATEMENT_ADD_IMPORT] =
		"INSERT INTO import (sensor, name, head, head_len, read)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
	[STATEMENT_UPDATE_IMPORT] =
		"UPDATE import SET head = ?2, head_len = ?3, read = ?4"
		" WHERE id = ?1",
	[STATEMENT_NEXT_IMPORT] =
		"SELECT id, head, head_len, read FROM import"
		" WHERE sensor = ?1 AND id > ?2 ORDER BY id LIMIT 1",
	[STATEMENT_VERSION] = "PRAGMA data_version",
	[STATEMENT_COUNT] = "SELECT count(*) FROM service",
	[STATEMENT_LAST_CHANGE] = "SELECT max(id) FROM change",
	[STATEMENT_COUNT_CHANGES] = "SELECT count(*) FROM change WHERE id > ?1",
};

int lookup_prepare(struct inventory *inventory)
{
	for (int i = 0; i < STATEMENTS; i++) {
		if (!texts[i])
			continue;
		inventory->statement[i] =
			store_prepare(&inventory->store, texts[i]);
		if (!inventory->statement[i])
			return -EIO;
	}
	return 0;
}

/* --- services ---------------------------------------------------------- */

static bool load_form(struct inventory *inventory, struct service *service,
		      sqlite3_stmt *row)
{
	const char *stable = (const char *)sqlite3_column_text(row, 1);
	const size_t len = (size_t)sqlite3_column_bytes(row, 1);
	const sqlite3_int64 count = sqlite3_column_int64(row, 3);
	struct known_form *form;
	uint8_t at;

	/* Another program wrote it: this one writes no such text. */
	if (!stable || !form_from_text(&inventory->known, stable, len))
		return true;
	at = service_add_form(&inventory->services, service);
	if (at == NO_FORM)
		return false;
	form = &service->forms[at];
	if (!form_set_text(&inventory->services, form, stable, len))
		return false;
	form->id = sqlite3_column_int64(row, 0);
	form->last_seen = (uint64_t)sqlite3_column_int64(row, 2);
	form->count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
	form->whole = sqlite3_column_int(row, 4);
	form->refusal = sqlite3_column_int(row, 5);
	service->ftp |= ftp_greets((const char *)sqlite3_column_text(row, 6),
				   stable, len, service->key.port);
	form->hash = form_hash(&inventory->known);
	for (size_t i = 0; i < inventory->known.len; i++)
		form->wild |= symbol_is_wild(inventory->known.symbol[i]);
	form->faint = form_is_faint(&inventory->known);
	return true;
}

/* The latest form comes first: see form_fits(). */
static void restore_streak(struct service *service)
{
	for (uint8_t i = 0; i < service->form_count; i++) {
		const struct known_form *form = &service->forms[i];

		if (form->count > (form->faint ? EVER_DIFFERENT : 1))
			break;
		service->streak += form->count == 2 ? 2 : 1;
		if (service->streak >= EVER_DIFFERENT) {
			service->streak = EVER_DIFFERENT - 1;
			break;
		}
	}
}

/* Restores the order in which forms were said, from their last times. */
static void restore_order(struct service *service, int64_t current)
{
	for (uint8_t i = 0; i < service->form_count; i++) {
		if (service->forms[i].id == current)
			service->current = i;
	}
	if (service->form_count > 0) {
		service->last = 0;
		service->last_once = service->forms[0].count == 1;
	}
	if (service->form_count > 1)
		service->before = 1;
	restore_streak(service);
}

static int load_forms(struct inventory *inventory, struct service *service,
		      int64_t current)
{
	sqlite3_stmt *rows = inventory->statement[STATEMENT_FIND_FORMS];
	bool room = true;
	int code;

	sqlite3_bind_int64(rows, 1, service->id);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW && room)
		room = load_form(inventory, service, rows);
	sqlite3_reset(rows);
	if (!room)
		return -ENOMEM;
	restore_order(service, current);
	service->has_forgotten = service->form_count >= SERVICE_FORMS - 1;
	return code == SQLITE_DONE ? 0 : store_fail(&inventory->store, code);
}

static struct service *load_service(struct inventory *inventory,
				    const struct service_key *key,
				    sqlite3_stmt *row, int *error)
{
	struct service *service = service_add(&inventory->services, key);
	const sqlite3_int64 connections = sqlite3_column_int64(row, 3);

	if (!service) {
		*error = -ENOMEM;
		return NULL;
	}
	service->id = sqlite3_column_int64(row, 0);
	service->first_seen = (uint64_t)sqlite3_column_int64(row, 1);
	service->last_seen = (uint64_t)sqlite3_column_int64(row, 2);
	service->connections =
		connections < UINT32_MAX ? (uint32_t)connections : UINT32_MAX;
	service->ever_different = sqlite3_column_int(row, 5);
	service->told = sqlite3_column_int(row, 6);
	owner_load(inventory, service, row, 7);
	*error = load_forms(inventory, service, sqlite3_column_int64(row, 4));
	if (!*error)
		return service;
	service_remove(&inventory->services, service);
	return NULL;
}

struct service *lookup_service(struct inventory *inventory,
			       const struct service_key *key, int *error)
{
	sqlite3_stmt *row = inventory->statement[STATEMENT_FIND_SERVICE];
	struct service *service = service_find(&inventory->services, key);
	char server[ADDRESS_TEXT];
	int code;

	*error = 0;
	if (service)
		return service;
	address_to_text(&key->server, server);
	sqlite3_bind_text(row, 1, key->sensor->bytes, (int)key->sensor->len,
			  SQLITE_STATIC);
	sqlite3_bind_text(row, 2, server, -1, SQLITE_STATIC);
	sqlite3_bind_int(row, 3, key->port);
	sqlite3_bind_text(row, 4, key->tunnel->bytes, (int)key->tunnel->len,
			  SQLITE_STATIC);
	code = sqlite3_step(row);
	if (code == SQLITE_ROW)
		service = load_service(inventory, key, row, error);
	else if (code != SQLITE_DONE)
		*error = store_fail(&inventory->store, code);
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
	return service;
}

uint32_t lookup_new(struct inventory *inventory, const struct service_key *key,
		    uint64_t time, uint64_t *since)
{
	sqlite3_stmt *row = inventory->statement[STATEMENT_COUNT_NEW];
	const uint64_t from = time > BURST_US ? time - BURST_US : 0;
	char server[ADDRESS_TEXT];
	uint32_t count = 0;

	address_to_text(&key->server, server);
	sqlite3_bind_text(row, 1, key->sensor->bytes, (int)key->sensor->len,
			  SQLITE_STATIC);
	sqlite3_bind_text(row, 2, server, -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 3, (sqlite3_int64)from);
	sqlite3_bind_int64(row, 4, (sqlite3_int64)time);
	if (sqlite3_step(row) == SQLITE_ROW &&
	    sqlite3_column_type(row, 1) != SQLITE_NULL) {
		count = (uint32_t)sqlite3_column_int64(row, 0);
		*since = (uint64_t)sqlite3_column_int64(row, 1);
	}
	sqlite3_reset(row);
	sqlite3_clear_bindings(row);
	return count;
}

/* --- forms ------------------------------------------------------------- */

static char *copy_column(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text ? strdup(text) : NULL;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void copy_identity(struct form_identity *to,
			  const struct form_identity *from)
{
	*to = (struct form_identity){
		.service = copy(from->service),
		.product = copy(from->product),
		.version = copy(from->version),
		.info = copy(from->info),
		.os = copy(from->os),
		.hostname = copy(from->hostname),
		.devicetype = copy(from->devicetype),
		.cpe = copy(from->cpe),
		.by_rule = from->by_rule,
	};
}

static sqlite3_stmt *find_form(struct inventory *inventory,
			       const struct known_form *form)
{
	sqlite3_stmt *row = inventory->statement[STATEMENT_FORM];

	if (!form->id)
		return NULL;
	sqlite3_bind_int64(row, 1, form->id);
	if (sqlite3_step(row) == SQLITE_ROW)
		return row;
	sqlite3_reset(row);
	return NULL;
}

void lookup_identity(struct inventory *inventory, const struct known_form *form,
		     struct form_identity *identity)
{
	sqlite3_stmt *row;

	*identity = (struct form_identity){};
	if (form->fresh && form->fresh->identified) {
		copy_identity(identity, &form->fresh->identity);
		return;
	}
	row = find_form(inventory, form);
	if (!row)
		return;
	identity->service = copy_column(row, 1);
	identity->product = copy_column(row, 2);
	identity->version = copy_column(row, 3);
	sqlite3_reset(row);
}

uint8_t *lookup_latest(struct inventory *inventory,
		       const struct known_form *form, size_t *len)
{
	const struct fresh *fresh = form->fresh;
	sqlite3_stmt *row = NULL;
	const void *bytes = NULL;
	uint8_t *found;

	*len = 0;
	if (fresh && (fresh->latest || fresh->first)) {
		bytes = fresh->latest ? fresh->latest : fresh->first;
		*len = fresh->latest ? fresh->latest_len : fresh->first_len;
	} else {
		row = find_form(inventory, form);
		if (row) {
			bytes = sqlite3_column_blob(row, 0);
			*len = (size_t)sqlite3_column_bytes(row, 0);
		}
	}
	found = bytes ? malloc(*len + 1) : NULL;
	if (found)
		memcpy(found, bytes, *len);
	else
		*len = 0;
	sqlite3_reset(row);
	return found;
}
