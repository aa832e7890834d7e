/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes services and their forms to the file. */
#include "write.h"

#include <stdlib.h>
#include <string.h>

/* --- forms ------------------------------------------------------------- */

static void bind_identity(sqlite3_stmt *add, int at,
			  const struct form_identity *identity)
{
	const char *const fields[] = { identity->service,    identity->product,
				       identity->version,    identity->info,
				       identity->os,	     identity->hostname,
				       identity->devicetype, identity->cpe };

	for (int i = 0; i < (int)(sizeof(fields) / sizeof(*fields)); i++)
		sqlite3_bind_text(add, at + i, fields[i], -1, SQLITE_STATIC);
}

/*
 * A port that was open before it said anything: its change is in the file by
 * now, and gets what it said first. (In memory, change_set_form() does that.)
 */
static int set_new(struct inventory *inventory, const struct service *service,
		   const struct known_form *form)
{
	sqlite3_stmt *set = inventory->statement[STATEMENT_SET_NEW];

	if (service->tentative || form != service->forms)
		return SQLITE_OK;
	sqlite3_bind_int64(set, 1, service->id);
	sqlite3_bind_int64(set, 2, form->id);
	return run(set);
}

static int add_form(struct inventory *inventory, const struct service *service,
		    struct known_form *form)
{
	sqlite3_stmt *add = inventory->statement[STATEMENT_ADD_FORM];
	const struct fresh *fresh = form->fresh;
	int code;

	if (!fresh || !fresh->first)
		return SQLITE_OK; /* another process deleted it meanwhile */
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
	if (code != SQLITE_OK)
		return code;
	form->id = sqlite3_last_insert_rowid(inventory->store.db);
	form->tentative = true;
	return set_new(inventory, service, form);
}

/* Updates a form that was cut, and has been identified again as a whole. */
static int update_identity(struct inventory *inventory,
			   const struct known_form *form)
{
	sqlite3_stmt *update = inventory->statement[STATEMENT_UPDATE_IDENTITY];

	if (!form->fresh || !form->fresh->identified)
		return SQLITE_OK;
	sqlite3_bind_int64(update, 1, form->id);
	bind_identity(update, 2, &form->fresh->identity);
	return run(update);
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
	return code == SQLITE_OK ? update_identity(inventory, form) : code;
}

/* The file may have this form already: another process has written it, or this
 * one has forgotten it. */
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

		if (!form->id && (other || service->has_forgotten))
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
 * Another process has written. It may have added this service, too, and
 * reported it as new. Or it has deleted the service; then the next record makes
 * it new.
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

static int write_owner(struct inventory *inventory,
		       const struct service *service)
{
	sqlite3_stmt *set = inventory->statement[STATEMENT_SET_OWNER];

	if (!service->ownership || !service->ownership->is_new)
		return SQLITE_OK;
	sqlite3_bind_int64(set, 1, service->id);
	owner_bind(set, 2, service->ownership->owner);
	return run(set);
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
	if (code == SQLITE_OK)
		code = write_owner(inventory, service);
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

static int write_unsorted(struct inventory *inventory, bool other)
{
	struct service *service = inventory->services.dirty;
	int code = SQLITE_OK;

	for (; service && code == SQLITE_OK; service = service->next_dirty)
		code = write_service(inventory, service, other);
	return code;
}

static size_t count_dirty(const struct services *services)
{
	const struct service *service = services->dirty;
	size_t n = 0;

	for (; service; service = service->next_dirty)
		n++;
	return n;
}

/* Writes in the order of the file, if there is memory to sort. */
int write_services(struct inventory *inventory, bool other)
{
	struct service *service = inventory->services.dirty;
	const size_t n = count_dirty(&inventory->services);
	struct service **sorted = malloc((n + 1) * sizeof(void *));
	int code = SQLITE_OK;

	if (!sorted)
		return write_unsorted(inventory, other);
	/* The list has the last one first. */
	for (size_t i = n; i-- > 0; service = service->next_dirty)
		sorted[i] = service;
	qsort(sorted, n, sizeof(void *), by_id);
	for (size_t i = 0; i < n && code == SQLITE_OK; i++)
		code = write_service(inventory, sorted[i], other);
	free(sorted);
	return code;
}
