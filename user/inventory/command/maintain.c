/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* forget and check: services are deleted; the file's health. */
#include "command.h"
#include "selection.h"

#include <stdlib.h>
#include <string.h>

/* --- forget ------------------------------------------------------------ */

struct forget {
	struct selection service;
	int64_t span;
	bool by_span; /* it was given */
	bool all;     /* also where several match */
};

static const struct argp_option forget_options[] = {
	{ "sensor", 'S', "NAME", 0, "of this sensor only", 0 },
	{ "not-seen", 'n', "SPAN", 0, "all that were not seen for so long: 90d",
	  0 },
	{ "all", 'a', NULL, 0,
	  "all of this address and port: of each sensor, in each tunnel", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static void check_forget(const struct forget *forget)
{
	selection_end(&forget->service);
	if (!*forget->service.name == !forget->by_span)
		wrong_usage("forget: a service, SERVER:PORT, or all not seen "
			    "for long, --not-seen=90d");
	if (forget->all && forget->by_span)
		wrong_usage("--all, --not-seen: only one of them");
}

static error_t parse_forget(int key, char *argument, struct argp_state *state)
{
	struct forget *forget = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'S':
		forget->service.sensor = argument;
		return 0;
	case 'n':
		forget->span = parse_span("--not-seen", argument);
		forget->by_span = true;
		return 0;
	case 'a':
		forget->all = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		selection_take(&forget->service, argument);
		return 0;
	case ARGP_KEY_END:
		check_forget(forget);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Choose the services to delete; their forms and changes follow. */
static const char choose_service[] =
	"CREATE TEMP TABLE forgotten AS SELECT id, sensor, tunnel FROM service"
	" WHERE " SELECTION_SQL;
static const char choose_old[] =
	"CREATE TEMP TABLE forgotten AS SELECT id, sensor, tunnel FROM service"
	" WHERE (?1 IS NULL OR sensor = ?1) AND last_seen < ?2";
static const char remove_rows[] =
	"DELETE FROM change WHERE service_id IN (SELECT id FROM forgotten);"
	"UPDATE service SET banner_id = NULL WHERE id IN"
	" (SELECT id FROM forgotten);"
	"DELETE FROM banner WHERE service_id IN (SELECT id FROM forgotten);"
	"DELETE FROM service WHERE id IN (SELECT id FROM forgotten)";

static int run_choice(const struct forget *forget, struct store *store)
{
	sqlite3_stmt *statement = store_prepare(
		store, forget->by_span ? choose_old : choose_service);
	int code;

	if (!statement)
		return -1;
	if (forget->by_span) {
		sqlite3_bind_text(statement, 1, forget->service.sensor, -1,
				  SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, now_us() - forget->span);
	} else {
		selection_bind(&forget->service, statement);
	}
	code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? 0 : store_fail(store, code);
}

/* Says how to choose one of several services. */
#define NAMED_MAX 5
static void tell_choice(const struct forget *forget, struct store *store,
			int64_t count)
{
	sqlite3_stmt *row = prepare(
		store, "SELECT CASE WHEN (SELECT count(DISTINCT sensor) FROM"
		       " forgotten) > 1 THEN sensor END, CASE WHEN (SELECT"
		       " count(DISTINCT tunnel) FROM forgotten) > 1 THEN"
		       " tunnel END FROM forgotten ORDER BY sensor, tunnel");
	char text[NAMED_MAX * 400] = "";
	size_t len = 0;

	for (int i = 0; row && i < NAMED_MAX && sqlite3_step(row) == SQLITE_ROW;
	     i++) {
		const bool sensor = sqlite3_column_text(row, 0),
			   tunnel = sqlite3_column_text(row, 1);
		const char *in = column_text(row, 1);

		len += (size_t)snprintf(
			text + len, sizeof(text) - len,
			"%s%.10s%.256s%s%.4s%.64s", i ? "; " : "",
			sensor ? "--sensor " : "",
			sensor ? shown(column_text(row, 0)) : "",
			sensor && tunnel ? " " : "", tunnel ? "in " : "",
			!tunnel ? "" :
			*in	? in :
				  NO_TUNNEL);
	}
	sqlite3_finalize(row);
	say("%s: %lld services: which one? add one of: %s%s; or --all",
	    forget->service.name, (long long)count, text,
	    count > NAMED_MAX ? "; ..." : "");
}

static int64_t count_chosen(struct store *store)
{
	sqlite3_stmt *row =
		store_prepare(store, "SELECT count(*) FROM forgotten");
	int64_t count = -1;

	if (row && sqlite3_step(row) == SQLITE_ROW)
		count = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return count;
}

/* False: nothing is deleted, and a message says why. */
static bool forget_chosen(const struct forget *forget, struct store *store)
{
	const char *name = forget->service.name;
	int64_t count;

	if (run_choice(forget, store) || (count = count_chosen(store)) < 0) {
		say("%s", store->error);
		return false;
	}
	if (*name && !count) {
		say("%s: no such service in %s", name, store->path);
		return false;
	}
	if (*name && count > 1 && !forget->all) {
		tell_choice(forget, store, count);
		return false;
	}
	if (store_execute(store, remove_rows) ||
	    store_execute(store, "COMMIT")) {
		say("%s", store->error);
		return false;
	}
	say("%lld forgotten", (long long)count);
	return true;
}

int command_forget(const struct command *command, const char *file, int argc,
		   char **argv)
{
	struct forget forget = {};
	struct store store;
	bool done;

	parse_words(command, forget_options, parse_forget, &forget, argc, argv);
	if (!open_store(&store, file, STORE_WRITE))
		return EXIT_FAILED;
	if (store_execute(&store, "BEGIN IMMEDIATE")) {
		say("%s", store.error);
		store_close(&store);
		return EXIT_FAILED;
	}
	done = forget_chosen(&forget, &store);
	if (!done)
		sqlite3_exec(store.db, "ROLLBACK", NULL, NULL, NULL);
	store_close(&store);
	return done ? EXIT_DONE : EXIT_FAILED;
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
		refuse_word("check", argument);
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
