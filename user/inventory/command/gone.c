/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* gone: services that were not seen for long. */
#include "command.h"
#include "table.h"
#include "when.h"

#include <stdlib.h>

struct gone {
	struct filter filter;
	int64_t span;
	bool by_span; /* it was given */
	bool json;
};

static const struct argp_option options[] = {
	FILTER_OPTIONS,
	{ "gone", 'g', "SPAN", 0, "not seen for so long: 12h (default 7d)", 0 },
	{ "json", 'j', NULL, 0, "a JSON object a line", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct gone *gone = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'g':
		gone->span = parse_span("--gone", argument);
		gone->by_span = true;
		return 0;
	case 'j':
		gone->json = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		refuse_word("gone", argument);
	default:
		return filter_option(&gone->filter, key, argument);
	}
}

/* Behind those of the filter. */
enum column {
	LAST_SEEN = FILTER_COLUMN_COUNT,
	VERSION_COLUMN,
	INFO,
};

static const char query[] =
	"SELECT " FILTER_COLUMNS ", service.last_seen, version, info"
	" FROM service LEFT JOIN banner ON banner.id = banner_id"
	" WHERE service.last_seen < ?1 ORDER BY service.last_seen";

static void json_gone(sqlite3_stmt *row)
{
	struct json json = { .file = stdout };

	object_open(&json, NULL);
	object_where(&json, row, FILTER_SENSOR);
	object_time(&json, "last_seen", sqlite3_column_int64(row, LAST_SEEN));
	object_text(&json, "service", column_text(row, FILTER_SERVICE));
	object_text(&json, "product", column_text(row, FILTER_PRODUCT));
	object_text(&json, "version", column_text(row, VERSION_COLUMN));
	object_plain(&json, "stable", column_text(row, FILTER_STABLE));
	object_close(&json);
	object_end_line(&json);
}

static void add_row(struct table *table, sqlite3_stmt *row)
{
	char where[WHERE_TEXT], seen[TIME_TEXT], what[WHAT_TEXT];

	where_to_text(row, FILTER_SENSOR, where);
	time_to_text(sqlite3_column_int64(row, LAST_SEEN), seen);
	seen[16] = 0; /* cut to the minute */
	what_to_text(row, FILTER_SERVICE, FILTER_PRODUCT, VERSION_COLUMN, INFO,
		     FILTER_STABLE, what);
	table_add(table, (const char *[]){ where, seen, what });
}

static int print_gone(const struct gone *gone, struct store *store,
		      struct table *table)
{
	const int64_t span =
		gone->by_span ? gone->span : INVENTORY_GONE_DAYS * US_PER_DAY;
	sqlite3_stmt *rows = prepare(store, query);
	bool any = false;
	int code;

	if (!rows)
		return EXIT_FAILED;
	sqlite3_bind_int64(rows, 1, now_us() - span);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (!filter_takes_row(&gone->filter, rows))
			continue;
		any = true;
		if (gone->json)
			json_gone(rows);
		else
			add_row(table, rows);
	}
	if (!any)
		filter_tell_nothing(&gone->filter, store, FILTER_CURRENT_FORM);
	return finish(store, rows, code);
}

static int list_gone(const struct gone *gone, struct store *store)
{
	static const struct table_column columns[] = {
		{ "SERVER", 0, TABLE_TEXT, 0 },
		{ "SEEN", 0, TABLE_TIME, 1 },
		{ "WHAT", WHAT_LEAST, TABLE_TEXT, 0 },
	};
	struct table *table = table_open(columns, 3);
	int result = EXIT_FAILED;

	if (table)
		result = print_gone(gone, store, table);
	if (!table || table_failed(table)) {
		say("out of memory: --json needs none");
		result = EXIT_FAILED;
	} else {
		table_print(table, terminal_width());
	}
	table_close(table);
	return result;
}

int command_gone(const struct command *command, const char *file, int argc,
		 char **argv)
{
	struct gone gone = {};
	struct store store;
	int result;

	parse_words(command, options, parse, &gone, argc, argv);
	if (!open_store(&store, file, STORE_READ))
		return EXIT_FAILED;
	result = list_gone(&gone, &store);
	store_close(&store);
	return say_finish() ? result : EXIT_FAILED;
}
