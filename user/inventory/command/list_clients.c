/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists the clients that spoke first, with their latest request. */
#include "command.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "an object a line", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	bool *json = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'j':
		*json = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		refuse_word("clients", argument);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char query[] =
	"SELECT client, port, tunnel, first_seen, last_seen, connections,"
	" latest_raw FROM client ORDER BY address_order(client), port, tunnel";

enum column { CLIENT, PORT, TUNNEL, FIRST, LAST, CONNECTIONS, SAID };

#define SHOWN_MAX 100

static const struct table_column columns[] = {
	{ "CLIENT", 0, TABLE_TEXT, 0 },
	{ "PORT", 0, TABLE_NUMBER, 0 },
	{ "SEEN", 0, TABLE_TIME, 1 },
	{ "TIMES", 0, TABLE_NUMBER, 2 },
	{ "REQUEST", WHAT_LEAST, TABLE_TEXT, 0 },
};
#define TABLE_COLUMNS (int)(sizeof(columns) / sizeof(*columns))

static void add_row(struct table *table, sqlite3_stmt *row)
{
	const int len = sqlite3_column_bytes(row, SAID);
	const int shown = len < SHOWN_MAX ? len : SHOWN_MAX;
	char seen[TIME_TEXT], client[ADDRESS_TEXT], tunnel[64],
		where[ADDRESS_TEXT + 80], port[16], times[24],
		said[ESCAPED_MAX(SHOWN_MAX) + 2] = "";

	time_to_text(sqlite3_column_int64(row, LAST), seen);
	seen[16] = 0; /* cut to the minute */
	if (shown)
		escape(said, sqlite3_column_blob(row, SAID), (size_t)shown);
	if (shown < len)
		strcat(said, "..");
	plain(tunnel, sizeof(tunnel), column_text(row, TUNNEL));
	snprintf(where, sizeof(where), "%s%s%s",
		 plain(client, sizeof(client), column_text(row, CLIENT)),
		 *tunnel ? " in " : "", tunnel);
	snprintf(port, sizeof(port), "%d", sqlite3_column_int(row, PORT));
	snprintf(times, sizeof(times), "%lld",
		 (long long)sqlite3_column_int64(row, CONNECTIONS));
	table_add(table, (const char *[]){ where, port, seen, times, said });
}

static void print_json(sqlite3_stmt *row)
{
	struct json json = { .file = stdout };

	object_open(&json, NULL);
	object_plain(&json, "client", column_text(row, CLIENT));
	object_plain(&json, "tunnel", column_text(row, TUNNEL));
	object_number(&json, "server_port", sqlite3_column_int64(row, PORT));
	object_time(&json, "first_seen", sqlite3_column_int64(row, FIRST));
	object_time(&json, "last_seen", sqlite3_column_int64(row, LAST));
	object_number(&json, "connections",
		      sqlite3_column_int64(row, CONNECTIONS));
	object_bytes(&json, "request", sqlite3_column_blob(row, SAID),
		     (size_t)sqlite3_column_bytes(row, SAID));
	object_close(&json);
	object_end_line(&json);
}

static bool has_clients(struct store *store)
{
	sqlite3_stmt *row = prepare(store, "SELECT 1 FROM sqlite_schema WHERE "
					   "name = 'client'");
	const bool has = row && sqlite3_step(row) == SQLITE_ROW;

	sqlite3_finalize(row);
	return has;
}

static int print_all(struct store *store, bool json)
{
	struct table *table = table_open(columns, TABLE_COLUMNS);
	sqlite3_stmt *rows = table ? prepare(store, query) : NULL;
	int code = SQLITE_DONE;

	while (rows && (code = sqlite3_step(rows)) == SQLITE_ROW &&
	       !ferror(stdout)) {
		if (json)
			print_json(rows);
		else
			add_row(table, rows);
	}
	if (!table || table_failed(table))
		say("out of memory: --json needs none");
	else
		table_print(table, terminal_width());
	table_close(table);
	return rows ? finish(store, rows, code) : EXIT_FAILED;
}

int command_clients(const struct command *command, const char *file, int argc,
		    char **argv)
{
	struct store store;
	bool json = false;
	int result;

	parse_words(command, options, parse, &json, argc, argv);
	if (!open_store(&store, file, STORE_READ))
		return EXIT_FAILED;
	if (has_clients(&store)) {
		result = print_all(&store, json);
	} else {
		say("%s: it has no clients: bannerprobe --inventory-clients "
		    "keeps them",
		    store.path);
		result = EXIT_FAILED;
	}
	store_close(&store);
	return say_finish() ? result : EXIT_FAILED;
}
