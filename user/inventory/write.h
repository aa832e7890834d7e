/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the writers of the inventory's tables. */
#ifndef BANNERPROBE_WRITE_H
#define BANNERPROBE_WRITE_H

#include "keeper.h"

/* The id of a service that another process has deleted from the file. */
#define FORGOTTEN (-1)

/*
 * Writes dirty services with their forms. `other`: another process has written
 * meanwhile. SQLITE_OK, or SQLite's code.
 */
int write_services(struct inventory *inventory, bool other);

/* Runs a statement, and resets it for the next time. */
static inline int run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static inline void bind_text(sqlite3_stmt *statement, int at,
			     const struct text *text)
{
	sqlite3_bind_text(statement, at, text->bytes, (int)text->len,
			  SQLITE_STATIC);
}

static inline void bind_server(sqlite3_stmt *statement, int at,
			       const struct address *server)
{
	char text[ADDRESS_TEXT];

	address_to_text(server, text);
	sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static inline void bind_blob(sqlite3_stmt *statement, int at,
			     const uint8_t *bytes, size_t len)
{
	if (len)
		sqlite3_bind_blob(statement, at, bytes, (int)len,
				  SQLITE_STATIC);
	else
		sqlite3_bind_zeroblob(statement, at, 0);
}

static inline void bind_id(sqlite3_stmt *statement, int at,
			   const struct service *service, uint8_t form)
{
	if (form == NO_FORM || !service->forms[form].id)
		sqlite3_bind_null(statement, at);
	else
		sqlite3_bind_int64(statement, at, service->forms[form].id);
}

#endif
