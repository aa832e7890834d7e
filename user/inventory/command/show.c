/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* show: a service's history: its forms with their wild parts, its changes. */
#include "command.h"
#include "fold.h"
#include "inventory/inventory.h"
#include "output.h"
#include "selection.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct show {
	const char *file;
	struct selection service;
	bool json;
	struct store store;
};

static const struct argp_option options[] = {
	{ "sensor", 'S', "NAME", 0, "of this sensor", 0 },
	{ "json", 'j', NULL, 0, "JSON objects, one a line", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct show *show = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'S':
		show->service.sensor = argument;
		return 0;
	case 'j':
		show->json = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		selection_take(&show->service, argument);
		return 0;
	case ARGP_KEY_END:
		if (!*show->service.name)
			wrong_usage("show: which service? SERVER:PORT");
		selection_end(&show->service);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- forms ------------------------------------------------------------- */

#define TEXT_INDENT FOLD_INDENT_MAX /* "    latest  " */

/* Prints a form. Wild parts are \{name}, on a terminal in reverse video. */
static void print_stable(const char *stable)
{
	const bool terminal = isatty(STDOUT_FILENO);

	for (const char *at = stable; *at; at++) {
		const bool wild = at[0] == '\\' && at[1] == '{';

		if (at[0] == '\\' && at[1] && !wild) {
			fwrite(at++, 1, 2, stdout);
			continue;
		}
		if (wild && terminal)
			fputs(REVERSE_BEGIN, stdout);
		if (!wild) {
			putchar(*at >= 0x20 && *at <= 0x7e ? *at : '?');
			continue;
		}
		for (; *at && *at != '}'; at++)
			putchar(*at >= 0x20 && *at <= 0x7e ? *at : '?');
		putchar('}');
		if (terminal)
			fputs(REVERSE_END, stdout);
		if (!*at)
			break;
	}
}

static void print_raw(const char *name, sqlite3_stmt *row, int column)
{
	char piece[ESCAPED_MAX(256)];
	const uint8_t *bytes = sqlite3_column_blob(row, column);
	const size_t len = (size_t)sqlite3_column_bytes(row, column);

	printf("    %-7s ", name);
	for (size_t at = 0; at < len; at += 256)
		fwrite(piece, 1,
		       escape(piece, bytes + at,
			      len - at < 256 ? len - at : 256),
		       stdout);
	putchar('\n');
}

static const char form_query[] =
	"SELECT id, first_seen, last_seen, count, stable, first_raw,"
	" latest_raw, whole, refusal, service, product, version, info, os,"
	" hostname, devicetype, cpe FROM banner WHERE service_id = ?1"
	" ORDER BY first_seen, id";

enum form_column {
	FORM_ID,
	FORM_FIRST,
	FORM_LAST,
	FORM_COUNT,
	FORM_STABLE,
	FORM_FIRST_RAW,
	FORM_LATEST_RAW,
	FORM_WHOLE,
	FORM_REFUSAL,
	FORM_SERVICE,
};
static const char *const identity_names[] = { "service",    "product",
					      "version",    "info",
					      "os",	    "hostname",
					      "devicetype", "cpe" };
#define IDENTITY_NAMES (sizeof(identity_names) / sizeof(*identity_names))

static void print_form(sqlite3_stmt *row, int64_t current)
{
	char first[TIME_TEXT], last[TIME_TEXT], field[ESCAPED_MAX(256)];

	time_to_text(sqlite3_column_int64(row, FORM_FIRST), first);
	time_to_text(sqlite3_column_int64(row, FORM_LAST), last);
	printf("\n  form %lld%s%s%s: %s to %s, %lld time%s\n",
	       (long long)sqlite3_column_int64(row, FORM_ID),
	       sqlite3_column_int64(row, FORM_ID) == current ? ", current" : "",
	       sqlite3_column_int(row, FORM_REFUSAL) ? ", a refusal" : "",
	       sqlite3_column_int(row, FORM_WHOLE) ? "" : ", unfinished", first,
	       last, (long long)sqlite3_column_int64(row, FORM_COUNT),
	       sqlite3_column_int64(row, FORM_COUNT) == 1 ? "" : "s");
	for (size_t i = 0; i < IDENTITY_NAMES; i++) {
		const char *text = column_text(row, FORM_SERVICE + (int)i);

		escape(field, (const uint8_t *)text, strnlen(text, 256));
		if (*field)
			printf("    %-7s %s\n", identity_names[i], field);
	}
	fputs("    form    ", stdout);
	print_stable(column_text(row, FORM_STABLE));
	putchar('\n');
	print_raw("first", row, FORM_FIRST_RAW);
	print_raw("latest", row, FORM_LATEST_RAW);
}

static void json_form(sqlite3_stmt *row, int64_t current)
{
	struct json json = { .file = stdout };

	object_open(&json, NULL);
	object_number(&json, "form", sqlite3_column_int64(row, FORM_ID));
	object_bool(&json, "current",
		    sqlite3_column_int64(row, FORM_ID) == current);
	object_time(&json, "first_seen", sqlite3_column_int64(row, FORM_FIRST));
	object_time(&json, "last_seen", sqlite3_column_int64(row, FORM_LAST));
	object_number(&json, "count", sqlite3_column_int64(row, FORM_COUNT));
	object_bool(&json, "whole", sqlite3_column_int(row, FORM_WHOLE));
	object_bool(&json, "refusal", sqlite3_column_int(row, FORM_REFUSAL));
	object_plain(&json, "stable", column_text(row, FORM_STABLE));
	for (size_t i = 0; i < IDENTITY_NAMES; i++)
		object_text(&json, identity_names[i],
			    column_text(row, FORM_SERVICE + (int)i));
	object_bytes(&json, "first", sqlite3_column_blob(row, FORM_FIRST_RAW),
		     (size_t)sqlite3_column_bytes(row, FORM_FIRST_RAW));
	object_bytes(&json, "latest", sqlite3_column_blob(row, FORM_LATEST_RAW),
		     (size_t)sqlite3_column_bytes(row, FORM_LATEST_RAW));
	object_close(&json);
	object_end_line(&json);
}

static int show_forms(struct show *show, int64_t service, int64_t current)
{
	sqlite3_stmt *rows = prepare(&show->store, form_query);
	int code;

	if (!rows)
		return EXIT_FAILED;
	sqlite3_bind_int64(rows, 1, service);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (show->json)
			json_form(rows, current);
		else
			print_form(rows, current);
	}
	return finish(&show->store, rows, code);
}

/* --- changes ----------------------------------------------------------- */

static const char change_query[] =
	"SELECT ts, kind, old_banner, new_banner, number, old_owner, new_owner"
	" FROM change"
	" WHERE service_id = ?1 ORDER BY ts, id";

static void print_change(sqlite3_stmt *row)
{
	const bool is_all = sqlite3_column_type(row, 3) == SQLITE_NULL &&
			    sqlite3_column_type(row, 6) == SQLITE_NULL;
	char time[TIME_TEXT], kind[16], was[OWNER_TEXT];

	time_to_text(sqlite3_column_int64(row, 0), time);
	printf("  %s  %-*.8s", time, is_all ? 0 : 8,
	       plain(kind, sizeof(kind), column_text(row, 1)));
	if (sqlite3_column_type(row, 6) != SQLITE_NULL) {
		plain(was, sizeof(was), column_text(row, 5));
		printf("  %s -> ", was);
		printf("%s\n", plain(was, sizeof(was), column_text(row, 6)));
		return;
	}
	if (sqlite3_column_type(row, 2) != SQLITE_NULL)
		printf("  form %lld ->",
		       (long long)sqlite3_column_int64(row, 2));
	if (sqlite3_column_type(row, 3) != SQLITE_NULL)
		printf("%sform %lld",
		       sqlite3_column_type(row, 2) == SQLITE_NULL ? "  " : " ",
		       (long long)sqlite3_column_int64(row, 3));
	if (sqlite3_column_int64(row, 4) && strcmp(kind, "new"))
		printf("  (ever different: %lld" EVER_DIFFERENT_WORDS ")",
		       (long long)sqlite3_column_int64(row, 4));
	putchar('\n');
}

static void json_change(sqlite3_stmt *row)
{
	struct json json = { .file = stdout };

	object_open(&json, NULL);
	object_time(&json, "ts", sqlite3_column_int64(row, 0));
	object_text(&json, "event", "change");
	object_plain(&json, "kind", column_text(row, 1));
	if (sqlite3_column_type(row, 2) != SQLITE_NULL)
		object_number(&json, "old_form", sqlite3_column_int64(row, 2));
	if (sqlite3_column_type(row, 3) != SQLITE_NULL)
		object_number(&json, "new_form", sqlite3_column_int64(row, 3));
	if (sqlite3_column_int64(row, 4))
		object_number(&json, "number", sqlite3_column_int64(row, 4));
	object_plain(&json, "old_owner", column_text(row, 5));
	object_plain(&json, "new_owner", column_text(row, 6));
	object_close(&json);
	object_end_line(&json);
}

static int show_changes(struct show *show, int64_t service)
{
	sqlite3_stmt *rows = prepare(&show->store, change_query);
	int code;

	if (!rows)
		return EXIT_FAILED;
	if (!show->json)
		puts("\n  changes");
	sqlite3_bind_int64(rows, 1, service);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (show->json)
			json_change(rows);
		else
			print_change(rows);
	}
	return finish(&show->store, rows, code);
}

/* --- the service ------------------------------------------------------- */

static const char service_query[] =
	"SELECT id, sensor, tunnel, first_seen, last_seen, connections,"
	" banner_id, ever_different, unit, container, process FROM service"
	" WHERE " SELECTION_SQL " ORDER BY sensor, tunnel";

#define UNIT_COLUMN 8
static const char *const owner_names[] = { "unit", "container", "process" };
#define OWNER_COLUMNS (int)(sizeof(owner_names) / sizeof(*owner_names))

static bool has_owner(sqlite3_stmt *row)
{
	bool any = false;

	for (int i = 0; i < OWNER_COLUMNS; i++)
		any |= *column_text(row, UNIT_COLUMN + i) != 0;
	return any;
}

static void print_owner(sqlite3_stmt *row)
{
	char field[OWNER_TEXT];

	for (int i = 0; i < OWNER_COLUMNS; i++) {
		plain(field, sizeof(field), column_text(row, UNIT_COLUMN + i));
		if (*field)
			printf("  %s %s\n", owner_names[i], field);
	}
}

static void print_service(const struct show *show, sqlite3_stmt *row)
{
	char endpoint[ENDPOINT_TEXT], first[TIME_TEXT], last[TIME_TEXT],
		sensor[ESCAPED_MAX(256)], tunnel[64];
	const char *name = column_text(row, 1);
	const bool once = sqlite3_column_int64(row, 5) == 1;

	endpoint_to_text(show->service.server, show->service.port, endpoint);
	escape(sensor, (const uint8_t *)name, strnlen(name, 256));
	time_to_text(sqlite3_column_int64(row, 3), first);
	time_to_text(sqlite3_column_int64(row, 4), last);
	plain(tunnel, sizeof(tunnel), column_text(row, 2));
	printf("%s%s%s%s%s\n  %s to %s, %lld connection%s%s%s\n", sensor,
	       *sensor ? " " : "", endpoint, *tunnel ? " in " : "", tunnel,
	       first, last, (long long)sqlite3_column_int64(row, 5),
	       once ? ", once" : "s",
	       sqlite3_column_type(row, 6) == SQLITE_NULL ?
		       ", open: nothing was heard of it" :
		       "",
	       sqlite3_column_int(row, 7) ? ", ever different" : "");
	print_owner(row);
}

static void json_service(const struct show *show, sqlite3_stmt *row)
{
	struct json json = { .file = stdout };

	/* One without any of these is named by the command line. */
	if (!has_owner(row) && !*column_text(row, 1) && !*column_text(row, 2) &&
	    !sqlite3_column_int(row, 7))
		return;
	object_open(&json, NULL);
	object_text(&json, "sensor", column_text(row, 1));
	object_plain(&json, "tunnel", column_text(row, 2));
	object_plain(&json, "server", show->service.server);
	object_number(&json, "server_port", show->service.port);
	if (sqlite3_column_int(row, 7))
		object_bool(&json, "ever_different", true);
	for (int i = 0; i < OWNER_COLUMNS; i++)
		object_plain(&json, owner_names[i],
			     column_text(row, UNIT_COLUMN + i));
	object_close(&json);
	object_end_line(&json);
}

static int show_services(struct show *show, sqlite3_stmt *rows, int *code)
{
	int result = EXIT_DONE, found = 0;

	while (!result && (*code = sqlite3_step(rows)) == SQLITE_ROW) {
		const int64_t id = sqlite3_column_int64(rows, 0);

		if (!show->json)
			print_service(show, rows);
		else
			json_service(show, rows);
		result = show_forms(show, id, sqlite3_column_int64(rows, 6));
		if (!result)
			result = show_changes(show, id);
		found++;
	}
	if (found || result)
		return result;
	say("%s: no such service in %s", show->service.name, show->file);
	return EXIT_FAILED;
}

int command_show(const struct command *command, const char *file, int argc,
		 char **argv)
{
	struct show show = { .file = file };
	sqlite3_stmt *rows;
	int result = EXIT_FAILED, code = SQLITE_DONE;

	parse_words(command, options, parse, &show, argc, argv);
	if (!open_store(&show.store, file, STORE_READ))
		return EXIT_FAILED;
	if (!show.json)
		output_fold(TEXT_INDENT);
	rows = prepare(&show.store, service_query);
	if (rows) {
		selection_bind(&show.service, rows);
		result = show_services(&show, rows, &code);
		if (finish(&show.store, rows, code))
			result = EXIT_FAILED;
	}
	store_close(&show.store);
	return say_finish() ? result : EXIT_FAILED;
}
