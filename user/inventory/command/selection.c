/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "selection.h"

#include <string.h>

static void add_name(struct selection *selection, const char *word)
{
	const size_t len = strlen(selection->name);

	snprintf(selection->name + len, sizeof(selection->name) - len, "%s%s",
		 len ? " " : "", word);
}

static void take_tunnel(struct selection *selection, const char *word)
{
	if (!*word)
		wrong_usage("in '': which tunnel? as list shows it, or "
			    "\"in " NO_TUNNEL "\"");
	selection->tunnel = strcmp(word, NO_TUNNEL) ? word : "";
	add_name(selection, word);
}

static void take_endpoint(struct selection *selection, char *word)
{
	static const char between[] = " in ";
	char *in = strstr(word, between);

	if (in)
		*in = 0;
	if (!endpoint_from_text(word, selection->server, &selection->port))
		wrong_usage("%s: no service like 192.0.2.10:22 or "
			    "[2001:db8::1]:22",
			    shown(word));
	add_name(selection, word);
	if (!in)
		return;
	selection->in = true;
	add_name(selection, "in");
	take_tunnel(selection, in + sizeof(between) - 1);
}

void selection_take(struct selection *selection, char *word)
{
	if (!*selection->name) {
		take_endpoint(selection, word);
	} else if (!selection->in && !strcmp(word, "in")) {
		selection->in = true;
		add_name(selection, word);
	} else if (selection->in && !selection->tunnel) {
		take_tunnel(selection, word);
	} else {
		wrong_usage("%s: one service is enough", shown(word));
	}
}

void selection_end(const struct selection *selection)
{
	if (selection->in && !selection->tunnel)
		wrong_usage("%s: which tunnel? as list shows it, or "
			    "\"in " NO_TUNNEL "\"",
			    selection->name);
}

void selection_bind(const struct selection *selection, sqlite3_stmt *statement)
{
	sqlite3_bind_text(statement, 1, selection->server, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 2, selection->port);
	sqlite3_bind_text(statement, 3, selection->sensor, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 4, selection->tunnel, -1, SQLITE_STATIC);
}
