/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* changes: what changed since a time, or with --follow as it happens. */
#include "command.h"
#include "fold.h"
#include "follow.h"
#include "inventory/inventory.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

/* New services of one server within a minute that became one change. */
#define JOINED_MOST 64
struct joined {
	int64_t id, number;
};

struct changes {
	struct filter filter;
	const char *file;
	bool json, follow;
	bool since_given;
	bool any;	/* something was printed */
	int64_t looked; /* with --follow: when the file was last looked at */
	struct joined joined[JOINED_MOST]; /* as printed: the latest ones */
	size_t joined_count;
};

static const struct argp_option options[] = {
	FILTER_OPTIONS,
	{ "since", 's', "TIME", 0,
	  "since then: 2026-11-26, yesterday, \"2 days ago\", 12h", 0 },
	{ "until", 'u', "TIME", 0, "before then", 0 },
	{ "follow", 'f', NULL, 0,
	  "go on as they come; without --since only those", 0 },
	{ "json", 'j', NULL, 0, "a JSON object a line", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct changes *changes = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 's':
		changes->filter.since = parse_when("--since", argument);
		changes->since_given = true;
		return 0;
	case 'u':
		changes->filter.until = parse_when("--until", argument);
		return 0;
	case 'f':
		changes->follow = true;
		return 0;
	case 'j':
		changes->json = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_END:
		if (changes->follow && changes->filter.until)
			wrong_usage("--follow, --until: only one of them");
		if (changes->filter.until &&
		    changes->filter.until < changes->filter.since)
			wrong_usage("--since, --until: the first time is "
				    "after the second");
		return 0;
	case ARGP_KEY_ARG:
		refuse_word("changes", argument);
	default:
		return filter_option(&changes->filter, key, argument);
	}
}

#define SELECT_CHANGES                                                         \
	"SELECT change.id, ts, kind, number, sensor, server, port, tunnel,"    \
	" was.latest_raw, was.stable, was.service, was.product, was.version,"  \
	" was.info, became.latest_raw, became.stable, became.service,"         \
	" became.product, became.version, became.info, old_owner, new_owner,"  \
	" unit, container, process FROM change"                                \
	" JOIN service ON service.id = change.service_id"                      \
	" LEFT JOIN banner AS was ON was.id = old_banner"                      \
	" LEFT JOIN banner AS became ON became.id = new_banner"

static const char query[] =
	SELECT_CHANGES " WHERE ts >= ?1 AND ts < ?2 AND change.id > ?3"
		       " ORDER BY ts, change.id";
/* The same by the latest ones' ids, so that the others are not gone through. */
static const char follow_query[] =
	SELECT_CHANGES " WHERE +ts >= ?1 AND +ts < ?2 AND change.id > ?3"
		       " ORDER BY +ts, change.id";
static const char joined_query[] =
	SELECT_CHANGES " WHERE ts >= ?1 AND ts < ?2 AND change.id <= ?3"
		       " AND kind = 'new' AND number IS NOT NULL"
		       " ORDER BY ts, change.id";

enum column {
	ID,
	TS,
	KIND,
	NUMBER,
	SENSOR,
	SERVER,
	PORT,
	TUNNEL,
	OLD,
	NEW = OLD + 6,
	OLD_OWNER = NEW + 6,
	NEW_OWNER,
	UNIT,
};
/* The columns of each side. */
enum side { RAW, STABLE, SERVICE, PRODUCT, VERSION_TEXT, INFO };

/* --- a line ------------------------------------------------------------ */

static void side_text(sqlite3_stmt *row, int side, bool as_said,
		      char text[WHAT_TEXT])
{
	/* If product and version are the same, the greetings are shown. */
	if (as_said)
		form_to_line(column_text(row, side + STABLE), text);
	else
		what_to_text(row, side + SERVICE, side + PRODUCT,
			     side + VERSION_TEXT, side + INFO, side + STABLE,
			     text);
}

static void print_text(sqlite3_stmt *row)
{
	const char *kind = column_text(row, KIND),
		   *sensor = column_text(row, SENSOR);
	const bool banner = !strcmp(kind, "banner");
	const long long number = sqlite3_column_int64(row, NUMBER);
	char time[TIME_TEXT], endpoint[ENDPOINT_TEXT],
		was[WHAT_TEXT] = "", became[WHAT_TEXT] = "",
		name[ESCAPED_MAX(64)], tunnel[64], shown[16];

	time_to_text(sqlite3_column_int64(row, TS), time);
	endpoint_to_text(column_text(row, SERVER),
			 sqlite3_column_int(row, PORT), endpoint);
	escape(name, (const uint8_t *)sensor, strnlen(sensor, 64));
	plain(tunnel, sizeof(tunnel), column_text(row, TUNNEL));
	printf("%s  %-8.8s  %s%s%s", time, plain(shown, sizeof(shown), kind),
	       name, *name ? " " : "", endpoint);
	if (*tunnel)
		printf(" in %s", tunnel);
	side_text(row, NEW, banner, became);
	if (sqlite3_column_type(row, NEW_OWNER) != SQLITE_NULL) {
		plain(was, sizeof(was), column_text(row, OLD_OWNER));
		printf("  %s  ->  ", was);
		printf("%s",
		       plain(was, sizeof(was), column_text(row, NEW_OWNER)));
	} else if (sqlite3_column_type(row, OLD + RAW) != SQLITE_NULL &&
		   strcmp(kind, "returned")) {
		side_text(row, OLD, banner, was);
		printf("  %s  ->  %s", was, became);
	} else {
		printf("  %s", became);
	}
	if (number && !strcmp(kind, "new"))
		printf("  (and %lld more of this server at once)", number - 1);
	else if (number)
		printf("  (ever different: %lld" EVER_DIFFERENT_WORDS ")",
		       number);
	putchar('\n');
}

static void json_side(struct json *json, const char *name, sqlite3_stmt *row,
		      int side, int owner)
{
	const bool has_said =
		sqlite3_column_type(row, side + RAW) != SQLITE_NULL;

	if (!has_said && sqlite3_column_type(row, owner) == SQLITE_NULL)
		return;
	object_open(json, name);
	if (has_said)
		object_bytes(json, "banner",
			     sqlite3_column_blob(row, side + RAW),
			     (size_t)sqlite3_column_bytes(row, side + RAW));
	object_plain(json, "stable", column_text(row, side + STABLE));
	object_text(json, "service", column_text(row, side + SERVICE));
	object_text(json, "product", column_text(row, side + PRODUCT));
	object_text(json, "version", column_text(row, side + VERSION_TEXT));
	object_plain(json, "owner", column_text(row, owner));
	object_close(json);
}

static void print_json(sqlite3_stmt *row)
{
	struct json json = { .file = stdout };

	object_open(&json, NULL);
	object_time(&json, "ts", sqlite3_column_int64(row, TS));
	object_text(&json, "event", "change");
	object_plain(&json, "kind", column_text(row, KIND));
	object_where(&json, row, SENSOR);
	json_side(&json, "old", row, OLD, OLD_OWNER);
	json_side(&json, "new", row, NEW, NEW_OWNER);
	if (sqlite3_column_type(row, NUMBER) != SQLITE_NULL)
		object_number(&json, "number",
			      sqlite3_column_int64(row, NUMBER));
	object_close(&json);
	object_end_line(&json);
}

static bool takes(const struct changes *changes, sqlite3_stmt *row)
{
	const char *const texts[] = { column_text(row, NEW + SERVICE),
				      column_text(row, NEW + PRODUCT),
				      column_text(row, NEW + STABLE),
				      column_text(row, OLD + SERVICE),
				      column_text(row, OLD + PRODUCT),
				      column_text(row, OLD + STABLE) };
	const char *const owner[] = { column_text(row, UNIT),
				      column_text(row, UNIT + 1),
				      column_text(row, UNIT + 2) };

	return filter_takes(&changes->filter, column_text(row, SENSOR),
			    column_text(row, SERVER),
			    sqlite3_column_int(row, PORT)) &&
	       filter_takes_texts(&changes->filter, texts, 6) &&
	       filter_takes_owner(&changes->filter, owner);
}

static void print_change(const struct changes *changes, sqlite3_stmt *row)
{
	if (changes->json)
		print_json(row);
	else
		print_text(row);
}

/* --- new services that become one change ------------------------------- */

/*
 * When the number of such a change is known: a minute after the first of these
 * services, and what it takes to write the last one.
 */
#define JOINED_US 65000000

/* Notes the number of a change. False: it was noted before. */
static bool note_joined(struct changes *changes, sqlite3_stmt *row)
{
	const struct joined joined = { sqlite3_column_int64(row, ID),
				       sqlite3_column_int64(row, NUMBER) };

	for (size_t i = 0; i < JOINED_MOST; i++) {
		if (changes->joined[i].id != joined.id)
			continue;
		if (changes->joined[i].number == joined.number)
			return false;
		changes->joined[i].number = joined.number;
		return true;
	}
	changes->joined[changes->joined_count++ % JOINED_MOST] = joined;
	return true;
}

/*
 * Notes the numbers of changes up to `last` that began between two times, and
 * prints those that were not noted before.
 */
static bool look_at_joined(struct changes *changes, struct store *store,
			   const int64_t between[2], int64_t last, bool prints)
{
	sqlite3_stmt *rows = prepare(store, joined_query);
	int code;

	if (!rows)
		return false;
	sqlite3_bind_int64(rows, 1, between[0]);
	sqlite3_bind_int64(rows, 2, between[1]);
	sqlite3_bind_int64(rows, 3, last);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW && !ferror(stdout)) {
		if (note_joined(changes, rows) && prints &&
		    takes(changes, rows))
			print_change(changes, rows);
	}
	return !finish(store, rows, code == SQLITE_ROW ? SQLITE_DONE : code);
}

/*
 * Prints the changes again whose minute is over since the last look, if they
 * have another number than they were printed with.
 */
static bool print_joined(struct changes *changes, struct store *store,
			 int64_t last)
{
	const int64_t now = now_us();
	const bool done = look_at_joined(
		changes, store,
		(int64_t[]){ changes->looked - JOINED_US, now - JOINED_US },
		last, true);

	changes->looked = now;
	output_drain();
	return done;
}

/* --- all of them ------------------------------------------------------- */

/* Prints the changes after *last, and moves *last to the latest one. */
static int print_changes(struct changes *changes, sqlite3_stmt *rows,
			 int64_t *last)
{
	const int64_t until =
		changes->filter.until ? changes->filter.until : INT64_MAX;
	int64_t most = *last;
	int code;

	sqlite3_bind_int64(rows, 1, changes->filter.since);
	sqlite3_bind_int64(rows, 2, until);
	sqlite3_bind_int64(rows, 3, *last);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW && !ferror(stdout)) {
		if (sqlite3_column_int64(rows, ID) > most)
			most = sqlite3_column_int64(rows, ID);
		if (!takes(changes, rows))
			continue;
		changes->any = true;
		if (sqlite3_column_int64(rows, NUMBER))
			note_joined(changes, rows);
		print_change(changes, rows);
	}
	sqlite3_reset(rows);
	*last = most;
	output_drain();
	return code;
}

/* Earlier changes are not shown, unless --since asks for them. */
/* False, with a message: print_changes() could not read the file. */
static bool were_read(struct store *store, int code)
{
	if (code == SQLITE_DONE || code == SQLITE_ROW)
		return true;
	store_fail(store, code);
	say("%s", store->error);
	return false;
}

static int64_t latest_change(struct store *store)
{
	sqlite3_stmt *row = prepare(store, "SELECT max(id) FROM change");
	int64_t id = row && sqlite3_step(row) == SQLITE_ROW ?
			     sqlite3_column_int64(row, 0) :
			     0;

	sqlite3_finalize(row);
	return id;
}

/*
 * Opens the file again where it was replaced, or was opened as one that nothing
 * writes to: as long as no probe has it open, that is the only way for a user
 * that may not write beside it. False: it cannot be opened now.
 */
static bool open_again(struct changes *changes, struct store *store,
		       sqlite3_stmt **rows, int64_t *last)
{
	const bool is_replaced = store_look(store) == STORE_REPLACED;
	char *file = strdup(store->path);
	bool done = false;

	sqlite3_finalize(*rows);
	store_close(store);
	*rows = NULL;
	if (file)
		done = open_store(store, file, STORE_READ);
	free(file);
	if (!done)
		return false;
	if (is_replaced)
		say("%s: it was replaced: its changes follow", store->path);
	/* Another inventory counts its changes from 1 on. */
	if (is_replaced && latest_change(store) < *last) {
		*last = 0;
		memset(changes->joined, 0, sizeof(changes->joined));
	}
	*rows = prepare(store, follow_query);
	return *rows;
}

static bool has_to_be_opened(const struct store *store, bool *is_told)
{
	const enum store_place place = store_look(store);

	if (place == STORE_REMOVED && !*is_told)
		say("%s: it was removed: another one is waited for",
		    store->path);
	*is_told = place == STORE_REMOVED;
	return place == STORE_REPLACED ||
	       (place == STORE_SAME && store->is_still);
}

/*
 * Prints the changes after *last, and the numbers that have become known.
 * False, with a message: the file cannot be read.
 */
static bool print_news(struct changes *changes, struct store *store,
		       sqlite3_stmt *rows, int64_t *last)
{
	return were_read(store, print_changes(changes, rows, last)) &&
	       (output_failed() || print_joined(changes, store, *last));
}

/* Prints what is asked for of earlier changes; returns the latest one. */
static int64_t begin_to_follow(struct changes *changes, struct store *store,
			       sqlite3_stmt **rows)
{
	int64_t last = 0;

	changes->looked = now_us();
	if (changes->since_given) {
		print_changes(changes, *rows, &last);
	} else {
		last = latest_change(store);
		look_at_joined(
			changes, store,
			(int64_t[]){ changes->looked - JOINED_US, INT64_MAX },
			last, false);
	}
	sqlite3_finalize(*rows);
	*rows = prepare(store, follow_query);
	return last;
}

/* False, with a message: it cannot be gone on. */
static bool follow(struct changes *changes, struct store *store,
		   sqlite3_stmt **rows)
{
	int64_t last;
	struct follow follow;
	bool is_told = false; /* that the file was removed */
	bool goes_on;

	if (!follow_open(&follow, changes->file))
		return false;
	last = begin_to_follow(changes, store, rows);
	do
		goes_on = *rows && print_news(changes, store, *rows, &last);
	while (goes_on && !output_failed() && follow_wait(&follow) &&
	       (!has_to_be_opened(store, &is_told) ||
		open_again(changes, store, rows, &last)));
	follow_close(&follow);
	return *rows && goes_on;
}

static int print_once(struct changes *changes, struct store *store,
		      sqlite3_stmt *rows)
{
	int64_t last = 0;
	const int code = print_changes(changes, rows, &last);

	if (!changes->any)
		filter_tell_nothing(&changes->filter, store, FILTER_ANY_FORM);
	return were_read(store, code) ? EXIT_DONE : EXIT_FAILED;
}

int command_changes(const struct command *command, const char *file, int argc,
		    char **argv)
{
	struct changes changes = { .file = file };
	struct store store;
	sqlite3_stmt *rows;
	int result = EXIT_FAILED;

	parse_words(command, options, parse, &changes, argc, argv);
	if (!open_store(&store, changes.file, STORE_READ))
		return EXIT_FAILED;
	if (!changes.json)
		output_fold(FOLD_INDENT);
	rows = prepare(&store, query);
	if (rows && changes.follow)
		result = follow(&changes, &store, &rows) ? EXIT_DONE :
							   EXIT_FAILED;
	else if (rows)
		result = print_once(&changes, &store, rows);
	sqlite3_finalize(rows);
	store_close(&store);
	return say_finish() ? result : EXIT_FAILED;
}
