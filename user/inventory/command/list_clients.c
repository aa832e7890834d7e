/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists the clients that spoke first, with their latest request. */
#include "command.h"

#include <stdlib.h>

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
		wrong_usage("%s: clients takes options only", argument);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char query[] =
	"SELECT client, port, tunnel, first_seen, last_seen, connections,"
	" latest_raw FROM client ORDER BY address_order(client), port, tunnel";

enum column { CLIENT, PORT, TUNNEL, FIRST, LAST, CONNECTIONS, SAID };

#define SHOWN_MAX 100

static void print_text(sqlite3_stmt *row)
{
	const int len = sqlite3_column_bytes(row, SAID);
	const int shown = len < SHOWN_MAX ? len : SHOWN_MAX;
	char time[TIME_TEXT], client[ADDRESS_TEXT], tunnel[64],
		said[ESCAPED_MAX(SHOWN_MAX)] = "";

	time_to_text(sqlite3_column_int64(row, LAST), time);
	if (shown)
		escape(said, sqlite3_column_blob(row, SAID), (size_t)shown);
	printf("%s  %s", time,
	       plain(client, sizeof(client), column_text(row, CLIENT)));
	if (*plain(tunnel, sizeof(tunnel), column_text(row, TUNNEL)))
		printf(" in %s", tunnel);
	printf(" -> port %d  %lld times  %s%s\n", sqlite3_column_int(row, PORT),
	       (long long)sqlite3_column_int64(row, CONNECTIONS), said,
	       shown < len ? ".." : "");
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
	sqlite3_stmt *rows;
	int code;

	if (!has_clients(store)) {
		say("%s: it has no clients: bannerprobe "
		    "--inventory-clients keeps them",
		    store->path);
		return EXIT_FAILED;
	}
	rows = prepare(store, query);
	if (!rows)
		return EXIT_FAILED;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW && !ferror(stdout)) {
		if (json)
			print_json(rows);
		else
			print_text(rows);
	}
	return finish(store, rows, code);
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
	add_functions(&store);
	result = print_all(&store, json);
	store_close(&store);
	return say_finish() ? result : EXIT_FAILED;
}
