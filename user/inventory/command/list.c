/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* list: the services, as a table, JSON or CSV. */
#include "command.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum list_format { LIST_TABLE, LIST_JSON, LIST_CSV };

struct list {
	struct filter filter;
	enum list_format format;
	const char *file;
};

static const struct argp_option options[] = {
	FILTER_OPTIONS,
	{ "since", 's', "TIME", 0, "seen since then", 0 },
	{ "json", 'j', NULL, 0, "a JSON object a line", 0 },
	{ "csv", 'c', NULL, 0, "comma-separated values, with a header", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static void set_format(struct list *list, enum list_format format)
{
	if (list->format != LIST_TABLE && list->format != format)
		wrong_usage("--json, --csv: only one of them");
	list->format = format;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct list *list = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 's':
		list->filter.since = parse_when("--since", argument);
		return 0;
	case 'j':
		set_format(list, LIST_JSON);
		return 0;
	case 'c':
		set_format(list, LIST_CSV);
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		if (strcmp(list->file, INVENTORY_DEFAULT_FILE))
			wrong_usage("%s: one file is enough", argument);
		list->file = argument;
		return 0;
	default:
		return filter_option(&list->filter, key, argument);
	}
}

#define COLUMNS                                                                \
	FILTER_COLUMNS                                                         \
	", service.first_seen, service.last_seen, connections,"                \
	" ever_different, version, info, os, hostname, devicetype, cpe,"       \
	" latest_raw, refusal, (SELECT count(*) FROM banner AS form"           \
	" WHERE form.service_id = service.id)"

/* Behind those of the filter. */
enum column {
	FIRST_SEEN = FILTER_COLUMN_COUNT,
	LAST_SEEN,
	CONNECTIONS,
	EVER_DIFFERENT,
	VERSION_COLUMN,
	INFO,
	OS,
	HOSTNAME,
	DEVICETYPE,
	CPE,
	LATEST_RAW,
	REFUSAL,
	FORMS,
};

static const char query[] =
	"SELECT " COLUMNS " FROM service LEFT JOIN banner"
	" ON banner.id = banner_id WHERE service.last_seen >= ?1"
	" ORDER BY sensor, address_order(server), port, tunnel";

/* --- as a table -------------------------------------------------------- */

static const char *note(sqlite3_stmt *row, char text[32])
{
	const int forms = sqlite3_column_int(row, FORMS);

	if (sqlite3_column_int(row, EVER_DIFFERENT))
		return "ever different";
	if (sqlite3_column_int(row, REFUSAL))
		return "refuses";
	if (sqlite3_column_int64(row, CONNECTIONS) == 1)
		return "once";
	snprintf(text, 32, "%d forms", forms);
	return forms > 1 ? text : "";
}

static void add_row(struct table *table, sqlite3_stmt *row, bool with_owner)
{
	char owner[OWNER_TEXT], where[WHERE_TEXT], what[WHAT_TEXT],
		since[TIME_TEXT], seen[TIME_TEXT], times[24], forms[32];

	where_to_text(row, FILTER_SENSOR, where);
	what_to_text(row, FILTER_SERVICE, FILTER_PRODUCT, VERSION_COLUMN, INFO,
		     FILTER_STABLE, what);
	time_to_text(sqlite3_column_int64(row, FIRST_SEEN), since);
	time_to_text(sqlite3_column_int64(row, LAST_SEEN), seen);
	since[16] = seen[16] = 0; /* cut to the minute */
	snprintf(times, sizeof(times), "%lld",
		 (long long)sqlite3_column_int64(row, CONNECTIONS));
	owner_to_text(row, FILTER_UNIT, owner);
	if (with_owner)
		table_add(table,
			  (const char *[]){ where, since, seen, times,
					    note(row, forms), owner, what });
	else
		table_add(table, (const char *[]){ where, since, seen, times,
						   note(row, forms), what });
}

static bool has_owners(struct store *store)
{
	sqlite3_stmt *row =
		prepare(store, "SELECT 1 FROM service WHERE unit <> '' OR"
			       " container <> '' OR process <> '' LIMIT 1");
	const bool any = row && sqlite3_step(row) == SQLITE_ROW;

	sqlite3_finalize(row);
	return any;
}

/* So much of it is shown, also on a narrow terminal. */
#define OWNER_LEAST 12

/* The table has a column for owners if any owner is known. */
static int print_table(const struct list *list, struct store *store,
		       sqlite3_stmt *rows, int *code)
{
	const bool with_owner = has_owners(store);
	struct table_column columns[] = {
		{ "SERVER", 0, TABLE_TEXT, 0 },
		{ "SINCE", 0, TABLE_TIME, 1 },
		{ "SEEN", 0, TABLE_TIME, 5 },
		{ "TIMES", 0, TABLE_NUMBER, 2 },
		{ "NOTE", 0, TABLE_TEXT, 3 },
		{ "WHAT", WHAT_LEAST, TABLE_TEXT, 0 },
		{ "WHAT", WHAT_LEAST, TABLE_TEXT, 0 },
	};
	struct table *table;
	bool full, any = false;

	if (with_owner)
		columns[5] = (struct table_column){ "OWNER", OWNER_LEAST,
						    TABLE_TEXT, 4 };
	table = table_open(columns, with_owner ? 7 : 6);
	full = !table;

	while (!full && (*code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (filter_takes_row(&list->filter, rows)) {
			any = true;
			add_row(table, rows, with_owner);
			full = table_failed(table);
		}
	}
	if (full)
		say("out of memory: --json and --csv need none");
	else
		table_print(table, terminal_width());
	if (!any)
		filter_tell_nothing(&list->filter, store, FILTER_CURRENT_FORM);
	table_close(table);
	return full ? EXIT_FAILED : EXIT_DONE;
}

/* --- JSON and CSV ------------------------------------------------------ */

static const struct {
	const char *name;
	int column;
} identity_fields[] = {
	{ "service", FILTER_SERVICE },
	{ "product", FILTER_PRODUCT },
	{ "version", VERSION_COLUMN },
	{ "info", INFO },
	{ "os", OS },
	{ "hostname", HOSTNAME },
	{ "devicetype", DEVICETYPE },
	{ "cpe", CPE },
};
#define IDENTITY_FIELDS (sizeof(identity_fields) / sizeof(*identity_fields))

/* These texts are escaped in the file. */
static const char *const owner_fields[] = { "unit", "container", "process" };
#define OWNER_FIELDS (int)(sizeof(owner_fields) / sizeof(*owner_fields))

static void print_json(sqlite3_stmt *row)
{
	struct json json = { .file = stdout };

	object_open(&json, NULL);
	object_where(&json, row, FILTER_SENSOR);
	object_time(&json, "first_seen", sqlite3_column_int64(row, FIRST_SEEN));
	object_time(&json, "last_seen", sqlite3_column_int64(row, LAST_SEEN));
	object_number(&json, "connections",
		      sqlite3_column_int64(row, CONNECTIONS));
	for (size_t i = 0; i < IDENTITY_FIELDS; i++)
		object_text(&json, identity_fields[i].name,
			    column_text(row, identity_fields[i].column));
	for (int i = 0; i < OWNER_FIELDS; i++)
		object_plain(&json, owner_fields[i],
			     column_text(row, FILTER_UNIT + i));
	if (sqlite3_column_type(row, LATEST_RAW) != SQLITE_NULL)
		object_bytes(&json, "banner",
			     sqlite3_column_blob(row, LATEST_RAW),
			     (size_t)sqlite3_column_bytes(row, LATEST_RAW));
	object_plain(&json, "stable", column_text(row, FILTER_STABLE));
	object_number(&json, "forms", sqlite3_column_int64(row, FORMS));
	object_bool(&json, "once", sqlite3_column_int64(row, CONNECTIONS) == 1);
	object_bool(&json, "ever_different",
		    sqlite3_column_int(row, EVER_DIFFERENT));
	object_bool(&json, "refuses", sqlite3_column_int(row, REFUSAL));
	object_close(&json);
	object_end_line(&json);
}

static void put_csv(const char *text)
{
	char escaped[ESCAPED_MAX(1024)];

	escape(escaped, (const uint8_t *)text, strnlen(text, 1024));
	csv_field(stdout, false, escaped);
}

static void put_csv_time(int64_t us)
{
	char text[TIME_TEXT];

	time_to_text(us, text);
	csv_field(stdout, false, text);
}

static void print_csv(sqlite3_stmt *row)
{
	char notes[32], sensor[ESCAPED_MAX(256)];
	const char *name = column_text(row, FILTER_SENSOR);

	escape(sensor, (const uint8_t *)name, strnlen(name, 256));
	csv_field(stdout, true, sensor);
	put_csv(column_text(row, FILTER_SERVER));
	put_csv(column_text(row, FILTER_PORT));
	put_csv(column_text(row, FILTER_TUNNEL));
	put_csv_time(sqlite3_column_int64(row, FIRST_SEEN));
	put_csv_time(sqlite3_column_int64(row, LAST_SEEN));
	put_csv(column_text(row, CONNECTIONS));
	for (size_t i = 0; i < IDENTITY_FIELDS; i++)
		put_csv(column_text(row, identity_fields[i].column));
	for (int i = 0; i < OWNER_FIELDS; i++)
		csv_field(stdout, false, column_text(row, FILTER_UNIT + i));
	csv_field(stdout, false, column_text(row, FILTER_STABLE));
	csv_field(stdout, false, note(row, notes));
	putchar('\n');
}

static void print_csv_header(void)
{
	fputs("sensor,server,port,tunnel,first_seen,last_seen,connections",
	      stdout);
	for (size_t i = 0; i < IDENTITY_FIELDS; i++)
		printf(",%s", identity_fields[i].name);
	for (int i = 0; i < OWNER_FIELDS; i++)
		printf(",%s", owner_fields[i]);
	puts(",stable,note");
}

static int print_lines(const struct list *list, struct store *store,
		       sqlite3_stmt *rows, int *code)
{
	bool any = false;

	if (list->format == LIST_CSV)
		print_csv_header();
	while ((*code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (!filter_takes_row(&list->filter, rows))
			continue;
		any = true;
		if (list->format == LIST_JSON)
			print_json(rows);
		else
			print_csv(rows);
		if (ferror(stdout))
			break;
	}
	if (!any)
		filter_tell_nothing(&list->filter, store, FILTER_CURRENT_FORM);
	return EXIT_DONE;
}

int command_list(const struct command *command, const char *file, int argc,
		 char **argv)
{
	struct list list = { .file = file };
	struct store store;
	sqlite3_stmt *rows;
	int code = SQLITE_DONE, result;

	parse_words(command, options, parse, &list, argc, argv);
	if (!open_store(&store, list.file, STORE_READ))
		return EXIT_FAILED;
	rows = prepare(&store, query);
	if (!rows) {
		store_close(&store);
		return EXIT_FAILED;
	}
	sqlite3_bind_int64(rows, 1, list.filter.since);
	result = list.format == LIST_TABLE ?
			 print_table(&list, &store, rows, &code) :
			 print_lines(&list, &store, rows, &code);
	if (finish(&store, rows, code))
		result = EXIT_FAILED;
	store_close(&store);
	return say_finish() ? result : EXIT_FAILED;
}
