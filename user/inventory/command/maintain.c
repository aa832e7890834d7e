/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* gone, forget and check: services not seen for long, and the file's health. */
#include "command.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_DAY 86400000000LL

struct maintain {
	struct filter filter;
	const char *file, *endpoint;
	char server[ADDRESS_TEXT];
	int port;
	int64_t span;
	bool by_span; /* it was given */
	bool json;
};

static error_t parse_service(struct maintain *maintain, char *argument)
{
	if (maintain->endpoint)
		wrong_usage("%s: one service is enough", argument);
	if (!endpoint_from_text(argument, maintain->server, &maintain->port))
		wrong_usage("%s: no service like 192.0.2.10:22 or "
			    "[2001:db8::1]:22",
			    shown(argument));
	maintain->endpoint = argument;
	return 0;
}

/* --- gone -------------------------------------------------------------- */

static const struct argp_option gone_options[] = {
	FILTER_OPTIONS,
	{ "gone", 'g', "SPAN", 0, "not seen for so long: 12h (default 7d)", 0 },
	{ "json", 'j', NULL, 0, "a JSON object a line", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse_gone(int key, char *argument, struct argp_state *state)
{
	struct maintain *maintain = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'g':
		maintain->span = parse_span("--gone", argument);
		maintain->by_span = true;
		return 0;
	case 'j':
		maintain->json = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		wrong_usage("%s: gone takes options only", argument);
	default:
		return filter_option(&maintain->filter, key, argument);
	}
}

static const char gone_query[] =
	"SELECT sensor, server, port, tunnel, service.last_seen,"
	" banner.service, product, version, info, stable, unit, container,"
	" process FROM service LEFT JOIN banner ON banner.id = banner_id"
	" WHERE service.last_seen < ?1 ORDER BY service.last_seen";

static void json_gone(sqlite3_stmt *row)
{
	struct json json = { .file = stdout };

	object_open(&json, NULL);
	object_text(&json, "sensor", column_text(row, 0));
	object_plain(&json, "server", column_text(row, 1));
	object_number(&json, "server_port", sqlite3_column_int64(row, 2));
	object_plain(&json, "tunnel", column_text(row, 3));
	object_time(&json, "last_seen", sqlite3_column_int64(row, 4));
	object_text(&json, "service", column_text(row, 5));
	object_text(&json, "product", column_text(row, 6));
	object_text(&json, "version", column_text(row, 7));
	object_plain(&json, "stable", column_text(row, 9));
	object_close(&json);
	object_end_line(&json);
}

static void print_gone(sqlite3_stmt *row)
{
	char endpoint[ENDPOINT_TEXT], seen[TIME_TEXT], what[WHAT_TEXT],
		sensor[ESCAPED_MAX(64)], tunnel[64];
	const char *name = column_text(row, 0);

	endpoint_to_text(column_text(row, 1), sqlite3_column_int(row, 2),
			 endpoint);
	escape(sensor, (const uint8_t *)name, strnlen(name, 64));
	time_to_text(sqlite3_column_int64(row, 4), seen);
	what_to_text(row, 5, 6, 7, 8, 9, what);
	plain(tunnel, sizeof(tunnel), column_text(row, 3));
	printf("%s  %s%s%s%s%s  %s\n", seen, sensor, *sensor ? " " : "",
	       endpoint, *tunnel ? " in " : "", tunnel, what);
}

static int list_gone(const struct maintain *maintain, struct store *store)
{
	const int64_t span = maintain->by_span ?
				     maintain->span :
				     INVENTORY_GONE_DAYS * US_PER_DAY;
	sqlite3_stmt *rows = prepare(store, gone_query);
	int code;

	if (!rows)
		return EXIT_FAILED;
	sqlite3_bind_int64(rows, 1, now_us() - span);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *const texts[] = { column_text(rows, 5),
					      column_text(rows, 6),
					      column_text(rows, 9) };
		const char *const owner[] = { column_text(rows, 10),
					      column_text(rows, 11),
					      column_text(rows, 12) };

		if (!filter_takes(&maintain->filter, column_text(rows, 0),
				  column_text(rows, 1),
				  sqlite3_column_int(rows, 2)) ||
		    !filter_takes_texts(&maintain->filter, texts, 3) ||
		    !filter_takes_owner(&maintain->filter, owner))
			continue;
		if (maintain->json)
			json_gone(rows);
		else
			print_gone(rows);
	}
	return finish(store, rows, code);
}

int command_gone(const struct command *command, const char *file, int argc,
		 char **argv)
{
	struct maintain maintain = { .file = file };
	struct store store;
	int result;

	parse_words(command, gone_options, parse_gone, &maintain, argc, argv);
	if (!open_store(&store, file, STORE_READ))
		return EXIT_FAILED;
	result = list_gone(&maintain, &store);
	store_close(&store);
	return say_finish() ? result : EXIT_FAILED;
}

/* --- forget ------------------------------------------------------------ */

static const struct argp_option forget_options[] = {
	{ "sensor", 'S', "NAME", 0, "of this sensor only", 0 },
	{ "not-seen", 'n', "SPAN", 0, "all that were not seen for so long: 90d",
	  0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse_forget(int key, char *argument, struct argp_state *state)
{
	struct maintain *maintain = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'S':
		maintain->filter.sensor = argument;
		return 0;
	case 'n':
		maintain->span = parse_span("--not-seen", argument);
		maintain->by_span = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		return parse_service(maintain, argument);
	case ARGP_KEY_END:
		if (!maintain->endpoint == !maintain->by_span)
			wrong_usage("forget: a service, SERVER:PORT, or all "
				    "not seen for long, --not-seen=90d");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Chooses the services to delete; their forms and changes follow. */
static const char choose[] =
	"CREATE TEMP TABLE forgotten AS SELECT id FROM service WHERE"
	" (?1 IS NULL OR sensor = ?1) AND (?2 IS NULL OR (server = ?2 AND"
	" port = ?3)) AND (?4 IS NULL OR last_seen < ?4)";
static const char remove_rows[] =
	"DELETE FROM change WHERE service_id IN (SELECT id FROM forgotten);"
	"UPDATE service SET banner_id = NULL WHERE id IN"
	" (SELECT id FROM forgotten);"
	"DELETE FROM banner WHERE service_id IN (SELECT id FROM forgotten);"
	"DELETE FROM service WHERE id IN (SELECT id FROM forgotten)";

static int run_choice(const struct maintain *maintain, struct store *store)
{
	sqlite3_stmt *statement = store_prepare(store, choose);
	int code;

	if (!statement)
		return -1;
	sqlite3_bind_text(statement, 1, maintain->filter.sensor, -1,
			  SQLITE_STATIC);
	if (maintain->endpoint) {
		sqlite3_bind_text(statement, 2, maintain->server, -1,
				  SQLITE_STATIC);
		sqlite3_bind_int(statement, 3, maintain->port);
	}
	if (maintain->by_span)
		sqlite3_bind_int64(statement, 4, now_us() - maintain->span);
	code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? 0 : store_fail(store, code);
}

/* The number of deleted services; negative, with store->error, on failure. */
static int64_t forget(const struct maintain *maintain, struct store *store)
{
	int64_t count = -1;

	if (store_execute(store, "BEGIN IMMEDIATE"))
		return -1;
	if (!run_choice(maintain, store) &&
	    !store_execute(store, remove_rows)) {
		count = sqlite3_changes(store->db); /* changes64 is newer */
		if (store_execute(store, "COMMIT"))
			count = -1;
	}
	if (count < 0)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return count;
}

int command_forget(const struct command *command, const char *file, int argc,
		   char **argv)
{
	struct maintain maintain = { .file = file };
	struct store store;
	int64_t count;

	parse_words(command, forget_options, parse_forget, &maintain, argc,
		    argv);
	if (!open_store(&store, file, STORE_WRITE))
		return EXIT_FAILED;
	count = forget(&maintain, &store);
	if (count < 0)
		say("%s", store.error);
	else if (!count && maintain.endpoint)
		say("%s: no such service in %s", maintain.endpoint, file);
	else
		say("%lld forgotten", (long long)count);
	store_close(&store);
	return count < 0 || (!count && maintain.endpoint) ? EXIT_FAILED :
							    EXIT_DONE;
}

/* --- check ------------------------------------------------------------- */

static const struct argp_option check_options[] = {
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse_check(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		wrong_usage("%s: check takes no words", argument);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Queries for faults: each row is one, except for the text "ok". */
static const struct {
	const char *sql, *what;
} checks[] = {
	{ "PRAGMA integrity_check(10)", "the file" },
	{ "SELECT \"table\" || ' row ' || rowid FROM pragma_foreign_key_check"
	  " LIMIT 10",
	  "points to nothing" },
	{ "SELECT server || ':' || port FROM service GROUP BY sensor, server,"
	  " port, tunnel HAVING count(*) > 1 LIMIT 10",
	  "is there more than once" },
	{ "SELECT server || ':' || port FROM service JOIN banner"
	  " ON banner.id = banner_id WHERE service_id <> service.id LIMIT 10",
	  "has another service's form" },
	{ "SELECT server || ':' || port FROM service"
	  " WHERE first_seen > last_seen LIMIT 10",
	  "was first seen after it was last seen" },
};

/* The number of faults; negative where it is not known. */
static int run_check(struct store *store, const char *sql, const char *what)
{
	sqlite3_stmt *rows = prepare(store, sql);
	int code, faults = 0;

	if (!rows)
		return -1;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *text = column_text(rows, 0);

		if (!strcmp(text, "ok"))
			continue;
		say("%s: %s: %s", store->path, text, what);
		faults++;
	}
	return finish(store, rows, code) ? -1 : faults;
}

int command_check(const struct command *command, const char *file, int argc,
		  char **argv)
{
	struct store store;
	int faults = 0;

	parse_words(command, check_options, parse_check, NULL, argc, argv);
	if (!open_store(&store, file, STORE_READ))
		return EXIT_FAILED;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		int found = run_check(&store, checks[i].sql, checks[i].what);

		if (found < 0) {
			faults = 1;
			break;
		}
		faults += found;
	}
	if (!faults)
		puts("ok");
	store_close(&store);
	return !faults && say_finish() ? EXIT_DONE : EXIT_FAILED;
}
