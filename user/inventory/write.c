/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What was counted in memory, written in one transaction. */
#include "keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The identifier of a service that another process took out of the file. */
#define FORGOTTEN (-1)

/* A statement is run and made ready for the next time. */
static int run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static void bind_text(sqlite3_stmt *statement, int at, const struct text *text)
{
	sqlite3_bind_text(statement, at, text->bytes, (int)text->len,
			  SQLITE_STATIC);
}

static void bind_server(sqlite3_stmt *statement, int at,
			const struct address *server)
{
	char text[ADDRESS_TEXT];

	address_to_text(server, text);
	sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_blob(sqlite3_stmt *statement, int at, const uint8_t *bytes,
		      size_t len)
{
	if (len)
		sqlite3_bind_blob(statement, at, bytes, (int)len,
				  SQLITE_STATIC);
	else
		sqlite3_bind_zeroblob(statement, at, 0);
}

static void bind_id(sqlite3_stmt *statement, int at,
		    const struct service *service, uint8_t form)
{
	if (form == NO_FORM || !service->forms[form].id)
		sqlite3_bind_null(statement, at);
	else
		sqlite3_bind_int64(statement, at, service->forms[form].id);
}

/* --- forms ------------------------------------------------------------- */

static void bind_identity(sqlite3_stmt *add, int at,
			  const struct form_identity *identity)
{
	const char *const fields[] = { identity->service,  identity->product,
				       identity->version,  identity->info,
				       identity->os,	   identity->hostname,
				       identity->devicetype, identity->cpe };

	for (int i = 0; i < (int)(sizeof(fields) / sizeof(*fields)); i++)
		sqlite3_bind_text(add, at + i, fields[i], -1, SQLITE_STATIC);
}

static int add_form(struct inventory *inventory, const struct service *service,
		    struct known_form *form)
{
	sqlite3_stmt *add = inventory->statement[STATEMENT_ADD_FORM];
	const struct fresh *fresh = form->fresh;
	int code;

	if (!fresh || !fresh->first)
		return SQLITE_OK; /* it was forgotten meanwhile */
	sqlite3_bind_int64(add, 1, service->id);
	bind_blob(add, 2, fresh->first, fresh->first_len);
	bind_blob(add, 3, fresh->latest ? fresh->latest : fresh->first,
		  fresh->latest ? fresh->latest_len : fresh->first_len);
	bind_text(add, 4, form->text);
	sqlite3_bind_int64(add, 5, (sqlite3_int64)fresh->first_seen);
	sqlite3_bind_int64(add, 6, (sqlite3_int64)form->last_seen);
	sqlite3_bind_int64(add, 7, form->unwritten);
	sqlite3_bind_int(add, 8, form->whole);
	sqlite3_bind_int(add, 9, form->refusal);
	bind_identity(add, 10, &fresh->identity);
	code = run(add);
	if (code == SQLITE_OK) {
		form->id = sqlite3_last_insert_rowid(inventory->store.db);
		form->tentative = true;
	}
	return code;
}

static int update_form(struct inventory *inventory, struct known_form *form)
{
	const bool said = form->fresh && form->fresh->latest;
	sqlite3_stmt *update =
		inventory->statement[said ? STATEMENT_UPDATE_LATEST :
					    STATEMENT_UPDATE_FORM];
	sqlite3_stmt *stable = inventory->statement[STATEMENT_UPDATE_STABLE];
	int code = SQLITE_OK;

	if (form->unwritten) {
		sqlite3_bind_int64(update, 1, form->id);
		sqlite3_bind_int64(update, 2, (sqlite3_int64)form->last_seen);
		sqlite3_bind_int64(update, 3, form->unwritten);
		if (said)
			bind_blob(update, 4, form->fresh->latest,
				  form->fresh->latest_len);
		code = run(update);
	}
	if (code == SQLITE_OK && form->text_changed) {
		sqlite3_bind_int64(stable, 1, form->id);
		bind_text(stable, 2, form->text);
		sqlite3_bind_int(stable, 3, form->whole);
		code = run(stable);
	}
	return code;
}

/* Another process wrote: it may have met this form, too. */
static int adopt_form(struct inventory *inventory,
		      const struct service *service, struct known_form *form)
{
	sqlite3_stmt *find = inventory->statement[STATEMENT_FIND_STABLE];
	int code;

	sqlite3_bind_int64(find, 1, service->id);
	bind_text(find, 2, form->text);
	code = sqlite3_step(find);
	if (code == SQLITE_ROW) {
		form->id = sqlite3_column_int64(find, 0);
		form->tentative = true;
	}
	sqlite3_reset(find);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int write_forms(struct inventory *inventory, struct service *service,
		       bool other)
{
	int code = SQLITE_OK;

	for (int i = 0; i < service->form_count && code == SQLITE_OK; i++) {
		struct known_form *form = &service->forms[i];

		if (!form->id && other)
			code = adopt_form(inventory, service, form);
		if (code == SQLITE_OK)
			code = form->id ? update_form(inventory, form) :
					  add_form(inventory, service, form);
	}
	return code;
}

/* --- services ---------------------------------------------------------- */

static void drop_new(struct inventory *inventory, const struct service *service)
{
	for (size_t i = 0; i < inventory->change_count; i++) {
		struct pending_change *change = &inventory->changes[i];

		if (change->service == service && change->kind == CHANGE_NEW)
			change->service = NULL;
	}
}

/*
 * Another process wrote: it may have met this service, too, and has told that
 * it is new; or it has forgotten it, and the next record makes it new.
 */
static int look_again(struct inventory *inventory, struct service *service)
{
	sqlite3_stmt *find = inventory->statement[STATEMENT_FIND_SERVICE];
	int64_t id = 0;
	int code;

	bind_text(find, 1, service->key.sensor);
	bind_server(find, 2, &service->key.server);
	sqlite3_bind_int(find, 3, service->key.port);
	bind_text(find, 4, service->key.tunnel);
	code = sqlite3_step(find);
	if (code == SQLITE_ROW)
		id = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return code;
	if (service->id && service->id != id) {
		service->id = FORGOTTEN;
	} else if (!service->id && id) {
		service->id = id;
		service->tentative = true;
		drop_new(inventory, service);
	}
	return SQLITE_OK;
}

static int add_service(struct inventory *inventory, struct service *service)
{
	sqlite3_stmt *add = inventory->statement[STATEMENT_ADD_SERVICE];
	int code;

	bind_text(add, 1, service->key.sensor);
	bind_server(add, 2, &service->key.server);
	sqlite3_bind_int(add, 3, service->key.port);
	bind_text(add, 4, service->key.tunnel);
	sqlite3_bind_int64(add, 5, (sqlite3_int64)service->first_seen);
	code = run(add);
	if (code == SQLITE_OK) {
		service->id = sqlite3_last_insert_rowid(inventory->store.db);
		service->tentative = true;
	}
	return code;
}

static int update_service(struct inventory *inventory,
			  const struct service *service)
{
	sqlite3_stmt *update = inventory->statement[STATEMENT_UPDATE_SERVICE];

	sqlite3_bind_int64(update, 1, service->id);
	sqlite3_bind_int64(update, 2, (sqlite3_int64)service->first_seen);
	sqlite3_bind_int64(update, 3, (sqlite3_int64)service->last_seen);
	sqlite3_bind_int64(update, 4, service->unwritten);
	bind_id(update, 5, service, service->current);
	sqlite3_bind_int(update, 6, service->ever_different);
	sqlite3_bind_int(update, 7, service->told);
	return run(update);
}

static int write_service(struct inventory *inventory, struct service *service,
			 bool other)
{
	int code = SQLITE_OK;

	if (other)
		code = look_again(inventory, service);
	if (service->id == FORGOTTEN)
		return code;
	if (code == SQLITE_OK && !service->id)
		code = add_service(inventory, service);
	if (code == SQLITE_OK)
		code = write_forms(inventory, service, other);
	return code == SQLITE_OK ? update_service(inventory, service) : code;
}

static int by_id(const void *a, const void *b)
{
	const struct service *x = *(struct service *const *)a,
			     *y = *(struct service *const *)b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->first_seen < y->first_seen ? -1 :
					       x->first_seen > y->first_seen;
}

/* In the order in which they lie in the file, where memory allows. */
static int write_services(struct inventory *inventory, bool other)
{
	struct services *services = &inventory->services;
	struct service **sorted =
		malloc((services->count + 1) * sizeof(struct service *));
	struct service *service = services->dirty;
	int code = SQLITE_OK;
	size_t n = 0;

	for (; sorted && service; service = service->next_dirty)
		sorted[n++] = service;
	for (size_t i = 0; i < n / 2; i++) {
		/* The last one came first. */
		struct service *other_end = sorted[n - 1 - i];

		sorted[n - 1 - i] = sorted[i];
		sorted[i] = other_end;
	}
	if (sorted)
		qsort(sorted, n, sizeof(*sorted), by_id);
	for (size_t i = 0; i < n && code == SQLITE_OK; i++)
		code = write_service(inventory, sorted[i], other);
	for (; service && code == SQLITE_OK; service = service->next_dirty)
		code = write_service(inventory, service, other);
	free(sorted);
	return code;
}

/* --- changes ----------------------------------------------------------- */

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
	*id = new ? sqlite3_last_insert_rowid(inventory->store.db) :
		    import->id;
	return code;
}

/* --- the transaction --------------------------------------------------- */

static bool is_anything(const struct inventory *inventory)
{
	if (inventory->services.dirty || inventory->change_count ||
	    inventory->import)
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

/* The identifiers that a transaction gave count once it is on the disk. */
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
			inventory->counts.lost += service->unwritten;
		service->unwritten = 0;
		service->dirty = false;
		if (service->id == FORGOTTEN)
			service_remove(&inventory->services, service);
	}
	if (written)
		inventory->services.dirty = NULL;
}

static void settle_rest(struct inventory *inventory, int64_t import)
{
	inventory->change_count = 0;
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
		code = write_import(inventory, import);
	return code;
}

int write_all(struct inventory *inventory)
{
	int64_t version, import = 0;
	bool other = false;
	int code;

	if (!is_anything(inventory))
		return 0;
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
