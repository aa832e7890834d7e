/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes the changes in memory to the file, in one transaction. */
#include "write.h"

#include <errno.h>
#include <string.h>

/* --- changes ----------------------------------------------------------- */

static void bind_owner(sqlite3_stmt *statement, int at,
		       const struct text *owner)
{
	char name[OWNER_NAME];

	owner_name(owner, name);
	if (owner)
		sqlite3_bind_text(statement, at, name, -1, SQLITE_TRANSIENT);
}

static int write_change(struct inventory *inventory,
			const struct pending_change *change)
{
	sqlite3_stmt *add = inventory->statement[STATEMENT_ADD_CHANGE];
	sqlite3_stmt *join = inventory->statement[STATEMENT_JOIN_DIFFERENT];
	const char *kind = change_kind_name(change->kind);
	int code;

	if (!change->service || change->service->id == FORGOTTEN)
		return SQLITE_OK;
	sqlite3_bind_int64(add, 1, (sqlite3_int64)change->time);
	sqlite3_bind_int64(add, 2, change->service->id);
	sqlite3_bind_text(add, 3, kind, -1, SQLITE_STATIC);
	bind_id(add, 4, change->service, change->before);
	bind_id(add, 5, change->service, change->after);
	bind_owner(add, 7, change->old_owner);
	bind_owner(add, 8, change->new_owner);
	if (change->number)
		sqlite3_bind_int64(add, 6, (sqlite3_int64)change->number);
	code = run(add);
	if (code != SQLITE_OK || !change->number)
		return code;
	sqlite3_bind_int64(join, 1, change->service->id);
	sqlite3_bind_int64(join, 2,
			   sqlite3_last_insert_rowid(inventory->store.db));
	return run(join);
}

static int write_changes(struct inventory *inventory)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < inventory->change_count && code == SQLITE_OK;
	     i++)
		code = write_change(inventory, &inventory->changes[i]);
	return code;
}

static void bind_burst(sqlite3_stmt *statement, const struct burst *burst)
{
	bind_text(statement, 1, burst->sensor);
	bind_server(statement, 2, &burst->server);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)burst->since);
	sqlite3_bind_int64(statement, 4,
			   (sqlite3_int64)(burst->since + BURST_US));
}

static int write_burst(struct inventory *inventory, const struct burst *burst)
{
	sqlite3_stmt *first = inventory->statement[STATEMENT_FIRST_NEW];
	sqlite3_stmt *number = inventory->statement[STATEMENT_NUMBER_NEW];
	sqlite3_stmt *join = inventory->statement[STATEMENT_JOIN_NEW];
	sqlite3_int64 id;
	int code;

	bind_burst(first, burst);
	code = sqlite3_step(first);
	id = code == SQLITE_ROW ? sqlite3_column_int64(first, 0) : 0;
	sqlite3_reset(first);
	if (code != SQLITE_ROW || !id)
		return code == SQLITE_ROW ? SQLITE_OK : code;
	sqlite3_bind_int64(number, 1, id);
	sqlite3_bind_int64(number, 2, burst->count);
	code = run(number);
	if (code != SQLITE_OK)
		return code;
	bind_burst(join, burst);
	sqlite3_bind_int64(join, 5, id);
	return run(join);
}

static int write_bursts(struct inventory *inventory)
{
	int code = SQLITE_OK;

	for (int i = 0; i < BURSTS && code == SQLITE_OK; i++) {
		if (inventory->bursts[i].dirty)
			code = write_burst(inventory, &inventory->bursts[i]);
	}
	return code;
}

/* --- the rest ---------------------------------------------------------- */

static int write_ftp(struct inventory *inventory)
{
	sqlite3_stmt *set = inventory->statement[STATEMENT_SET_FTP];
	sqlite3_stmt *clean = inventory->statement[STATEMENT_CLEAN_FTP];
	int code = SQLITE_OK;
	bool any = false;

	for (int i = 0; i < FTP_SERVERS && code == SQLITE_OK; i++) {
		const struct ftp_server *ftp = &inventory->ftp[i];

		if (!ftp->dirty)
			continue;
		any = true;
		bind_text(set, 1, ftp->sensor);
		bind_server(set, 2, &ftp->server);
		sqlite3_bind_int64(set, 3, (sqlite3_int64)ftp->greeted);
		code = run(set);
	}
	if (!any || code != SQLITE_OK || inventory->latest < US_PER_DAY)
		return code;
	sqlite3_bind_int64(clean, 1,
			   (sqlite3_int64)(inventory->latest - US_PER_DAY));
	return run(clean);
}

static int write_import(struct inventory *inventory, int64_t *id)
{
	const struct inventory_import *import = inventory->import;
	const bool new = import && !import->id;
	sqlite3_stmt *set = inventory->statement[new ? STATEMENT_ADD_IMPORT :
						       STATEMENT_UPDATE_IMPORT];
	int at = 1, code;

	if (!import)
		return SQLITE_OK;
	if (new) {
		sqlite3_bind_text(set, at++, import->sensor, -1, SQLITE_STATIC);
		sqlite3_bind_text(set, at++, import->name, -1, SQLITE_STATIC);
	} else {
		sqlite3_bind_int64(set, at++, import->id);
	}
	bind_blob(set, at++, import->head, sizeof(import->head));
	sqlite3_bind_int64(set, at++, (sqlite3_int64)import->head_len);
	sqlite3_bind_int64(set, at, (sqlite3_int64)import->read);
	code = run(set);
	*id = new ? sqlite3_last_insert_rowid(inventory->store.db) : import->id;
	return code;
}

/* --- the transaction --------------------------------------------------- */

static bool is_anything(const struct inventory *inventory)
{
	if (inventory->services.dirty || inventory->change_count ||
	    inventory->import || clients_wait(inventory->clients))
		return true;
	for (int i = 0; i < FTP_SERVERS; i++) {
		if (inventory->ftp[i].dirty)
			return true;
	}
	return false;
}

static void settle_forms(struct inventory *inventory, struct service *service,
			 bool written)
{
	for (int i = 0; i < service->form_count; i++) {
		struct known_form *form = &service->forms[i];

		if (!written && form->tentative)
			form->id = 0;
		form->tentative = false;
		if (!written)
			continue;
		form->unwritten = 0;
		form->text_changed = false;
		form_drop_fresh(&inventory->services, form);
	}
}

/* Row ids that a transaction assigned are valid once it is committed. */
static void settle_services(struct inventory *inventory, bool written)
{
	struct service *service = inventory->services.dirty, *next;

	for (; service; service = next) {
		next = service->next_dirty;
		if (!written && service->tentative)
			service->id = 0;
		service->tentative = false;
		settle_forms(inventory, service, written);
		if (!written)
			continue;
		if (service->id == FORGOTTEN)
			inventory_lose(inventory, UNKEPT_DELETED,
				       service->unwritten);
		service->unwritten = 0;
		if (service->ownership)
			service->ownership->is_new = false;
		service->dirty = false;
		if (service->id == FORGOTTEN)
			service_remove(&inventory->services, service);
	}
	if (written)
		inventory->services.dirty = NULL;
}

static void settle_rest(struct inventory *inventory, int64_t import)
{
	while (inventory->change_count)
		change_put_owners(
			inventory,
			&inventory->changes[--inventory->change_count]);
	clients_settle(inventory->clients);
	for (int i = 0; i < FTP_SERVERS; i++)
		inventory->ftp[i].dirty = false;
	for (int i = 0; i < BURSTS; i++)
		inventory->bursts[i].dirty = false;
	if (inventory->import)
		inventory->import->id = import;
	inventory->import = NULL;
	inventory->full = false;
}

int64_t write_version(struct inventory *inventory)
{
	sqlite3_stmt *row = inventory->statement[STATEMENT_VERSION];
	int64_t version = sqlite3_step(row) == SQLITE_ROW ?
				  sqlite3_column_int64(row, 0) :
				  0;

	sqlite3_reset(row);
	return version;
}

static int write_parts(struct inventory *inventory, bool other, int64_t *import)
{
	int code = write_services(inventory, other);

	if (code == SQLITE_OK)
		code = write_changes(inventory);
	if (code == SQLITE_OK)
		code = write_bursts(inventory);
	if (code == SQLITE_OK)
		code = write_ftp(inventory);
	if (code == SQLITE_OK)
		code = clients_write(inventory->clients);
	if (code == SQLITE_OK)
		code = write_import(inventory, import);
	return code;
}

/*
 * Another process may have deleted services: what is known of them must not
 * stay in memory, or their next records could not be written.
 */
static void look_at_file(struct inventory *inventory)
{
	const int64_t version = write_version(inventory);

	if (version == inventory->data_version)
		return;
	services_forget(&inventory->services);
	inventory->data_version = version;
}

int write_all(struct inventory *inventory)
{
	int64_t version, import = 0;
	bool other = false;
	int code;

	if (!is_anything(inventory)) {
		look_at_file(inventory);
		return 0;
	}
	code = sqlite3_exec(inventory->store.db, "BEGIN IMMEDIATE", NULL, NULL,
			    NULL);
	if (code == SQLITE_OK) {
		version = write_version(inventory);
		other = version != inventory->data_version;
		code = write_parts(inventory, other, &import);
		if (code == SQLITE_OK)
			code = sqlite3_exec(inventory->store.db, "COMMIT", NULL,
					    NULL, NULL);
		if (code == SQLITE_OK)
			inventory->data_version = version;
	}
	if (code != SQLITE_OK) {
		code = store_fail(&inventory->store, code);
		if (!sqlite3_get_autocommit(inventory->store.db))
			sqlite3_exec(inventory->store.db, "ROLLBACK", NULL,
				     NULL, NULL);
	}
	settle_services(inventory, !code);
	if (code)
		return code;
	settle_rest(inventory, import);
	if (other)
		services_forget(&inventory->services);
	return 0;
}
