/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* report: its options, its output file, its counts. */
#include "report.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRESH_DAYS 7
#define SETTLING_DAYS 1

static const struct argp_option options[] = {
	FILTER_OPTIONS,
	{ "output", 'o', "FILE", 0, "write to this file; - is standard output",
	  0 },
	{ "since", 's', "TIME", 0,
	  "changes since then (default: all; what is new or changed in the "
	  "last 7 days is marked)",
	  0 },
	{ "gone", 'g', "SPAN", 0, "not seen for so long: 12h (default 7d)", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct report *report = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'o':
		check_name("-o", argument);
		report->output = strcmp(argument, "-") ? argument : NULL;
		report->output_given = true;
		return 0;
	case 's':
		report->filter.since = parse_when("--since", argument);
		return 0;
	case 'g':
		report->gone_span = parse_span("--gone", argument);
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		refuse_word("report", argument);
	default:
		return filter_option(&report->filter, key, argument);
	}
}

/* --- what it counts ---------------------------------------------------- */

static void taken(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct filter *filter = sqlite3_user_data(context);
	const char *text[9] = { "", "", "", "", "", "", "", "", "" };

	for (int i = 0; i < argc && i < 9; i++) {
		const unsigned char *value = sqlite3_value_text(argv[i]);

		if (value)
			text[i] = (const char *)value;
	}
	sqlite3_result_int(context,
			   filter_takes(filter, text[0], text[1],
					sqlite3_value_int(argv[2])) &&
				   filter_takes_texts(filter, text + 3, 3) &&
				   filter_takes_owner(filter, text + 6));
}

sqlite3_stmt *report_prepare(struct report *report, const char *sql)
{
	sqlite3_stmt *rows = prepare(&report->store, sql);

	if (!rows)
		return NULL;
	sqlite3_bind_int64(rows, 1, report->fresh);
	sqlite3_bind_int64(rows, 2, report->settled);
	sqlite3_bind_int64(rows, 3, report->gone);
	return rows;
}

/* Times are those of the inventory as a whole, whatever is filtered. */
static int read_bounds(struct report *report)
{
	sqlite3_stmt *row = prepare(
		&report->store,
		"SELECT min(first_seen), max(last_seen),"
		" count(DISTINCT sensor) > 1 OR max(sensor) <> '' FROM service"
		" WHERE last_seen <= ?1");
	int code;

	if (!row)
		return EXIT_FAILED;
	/* Times after now, of a wrong clock, must not make others look old. */
	sqlite3_bind_int64(row, 1, report->made);
	code = sqlite3_step(row);
	report->begin = report->end = report->made;
	if (code == SQLITE_ROW && sqlite3_column_type(row, 0) != SQLITE_NULL) {
		report->begin = sqlite3_column_int64(row, 0);
		report->end = sqlite3_column_int64(row, 1);
		report->sensors = sqlite3_column_int(row, 2);
	}
	report->fresh = report->filter.since ?
				report->filter.since :
				report->end - FRESH_DAYS * US_PER_DAY;
	report->settled = report->begin + SETTLING_DAYS * US_PER_DAY;
	report->gone = report->end - (report->gone_span ?
					      report->gone_span :
					      INVENTORY_GONE_DAYS * US_PER_DAY);
	return finish(&report->store, row, code);
}

static const char total_query[] =
	"SELECT count(*), count(DISTINCT host), count(DISTINCT what),"
	" total(is_fresh), total(is_changed), total(is_gone), total(is_once),"
	" total(is_refusing), total(is_different), total(forms > 1),"
	" total(is_owned) FROM"
	" (SELECT service.sensor || ' ' || server AS host,"
	" nullif(product, '') AS what," REPORT_OWNED
	" AS is_owned," REPORT_FLAGS
	" FROM service LEFT JOIN banner ON banner.id = banner_id"
	" WHERE" REPORT_TAKEN ")";

static int read_totals(struct report *report)
{
	sqlite3_stmt *row = report_prepare(report, total_query);
	int64_t *const to[] = {
		&report->total.services,  &report->total.servers,
		&report->total.products,  &report->total.fresh,
		&report->total.changed,	  &report->total.gone,
		&report->total.once,	  &report->total.refusing,
		&report->total.different, &report->total.pool,
		&report->total.owned,
	};
	int code;

	if (!row)
		return EXIT_FAILED;
	code = sqlite3_step(row);
	for (int i = 0; i < 11 && code == SQLITE_ROW; i++)
		*to[i] = sqlite3_column_int64(row, i);
	return finish(&report->store, row, code);
}

static const char day_query[] =
	"SELECT date(ts / 1000000, 'unixepoch', 'localtime') AS day,"
	" CAST(julianday(date(ts / 1000000, 'unixepoch', 'localtime')) AS"
	" INTEGER), total(kind = 'new' AND ts >= ?2), total(kind <> 'new'),"
	" total(kind = 'new' AND ts < ?2) FROM change"
	" JOIN service ON service.id = change.service_id"
	" LEFT JOIN banner ON banner.id = service.banner_id"
	" WHERE ts >= ?4 AND" REPORT_TAKEN " GROUP BY day ORDER BY day DESC";

static bool add_day(struct report *report, sqlite3_stmt *row)
{
	struct report_day *day;

	if (!(report->days & (report->days - 1))) {
		day = realloc(report->day,
			      sizeof(*day) *
				      (report->days ? 2 * report->days : 1));
		if (!day) {
			say("out of memory");
			return false;
		}
		report->day = day;
	}
	day = &report->day[report->days++];
	*day = (struct report_day){
		.number = sqlite3_column_int64(row, 1),
		.fresh = sqlite3_column_int64(row, 2),
		.changed = sqlite3_column_int64(row, 3),
		.initial = sqlite3_column_int64(row, 4),
	};
	plain(day->date, sizeof(day->date), column_text(row, 0));
	return true;
}

static int read_days(struct report *report)
{
	sqlite3_stmt *rows = report_prepare(report, day_query);
	int code;

	if (!rows)
		return EXIT_FAILED;
	sqlite3_bind_int64(rows, 4, report->filter.since);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (!add_day(report, rows)) {
			sqlite3_finalize(rows);
			return EXIT_FAILED;
		}
	}
	return finish(&report->store, rows, code);
}

/* --- the file ---------------------------------------------------------- */

static int fail_output(const struct report *report, int error)
{
	say("%s: %s", report->output ? report->output : "standard output",
	    strerror(error));
	return EXIT_FAILED;
}

static int write_page(struct report *report)
{
	int result;

	report_head(report);
	result = report_changes(report);
	if (!result)
		result = report_products(report);
	if (!result)
		result = report_owners(report);
	if (!result)
		result = report_services(report);
	report_tail(report);
	if (fflush(report->page) || ferror(report->page)) {
		if (!report->output)
			return result; /* say_finish() has the reason */
		return fail_output(report, errno ? errno : EIO);
	}
	return result;
}

static bool is_same_file(const char *path, const char *inventory,
			 const char *end)
{
	struct stat output, kept;
	char *name;
	bool same;

	if (asprintf(&name, "%s%s", inventory, end) < 0)
		return true;
	same = !stat(path, &output) && !stat(name, &kept) &&
	       output.st_dev == kept.st_dev && output.st_ino == kept.st_ino;
	free(name);
	return same;
}

/* The page would replace the inventory, or what SQLite keeps beside it. */
static void check_output(const struct report *report)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; report->output && i < sizeof(ends) / sizeof(*ends);
	     i++) {
		if (is_same_file(report->output, report->file, ends[i]))
			wrong_usage("report: -o %s: this is the inventory: "
				    "name another file",
				    report->output);
	}
}

/*
 * A device or a pipe is written directly. A file is replaced when the report is
 * complete.
 */
static bool is_special(const char *path)
{
	struct stat status;

	return !stat(path, &status) && !S_ISREG(status.st_mode);
}

/* The page that is not complete; NULL: none. */
static char *volatile unfinished;

/* A signal ends the process as it always does, but leaves no such page. */
static void remove_unfinished(int signal)
{
	if (unfinished)
		unlink(unfinished);
	raise(signal);
}

static FILE *open_beside(const char *path, char **name)
{
	const mode_t mask = umask(0);
	FILE *file = NULL;
	int descriptor;

	umask(mask);
	if (asprintf(name, "%s.XXXXXX", path) < 0) {
		*name = NULL;
		errno = ENOMEM;
		return NULL;
	}
	descriptor = mkostemp(*name, O_CLOEXEC);
	if (descriptor >= 0 && !fchmod(descriptor, 0666 & ~mask))
		file = fdopen(descriptor, "w");
	if (descriptor >= 0 && !file) {
		close(descriptor);
		unlink(*name);
	}
	return file;
}

static int replace_file(struct report *report)
{
	char *name = NULL;
	sigset_t all, before;
	int result;

	/* No signal comes while the file is there, and not noted yet. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	report->page = open_beside(report->output, &name);
	if (report->page) {
		unfinished = name;
		catch_signals(remove_unfinished);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (!report->page) {
		result = fail_output(report, errno);
		free(name);
		return result;
	}
	result = write_page(report);
	if (fclose(report->page) && !result)
		result = fail_output(report, errno);
	if (!result && rename(name, report->output))
		result = fail_output(report, errno);
	unfinished = NULL;
	if (result)
		unlink(name);
	free(name);
	return result;
}

/* Opening waits for nothing; a pipe's consumer is waited for by writing. */
static FILE *open_special(const char *path)
{
	const int file = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *page = NULL;

	if (file >= 0 && !fcntl(file, F_SETFL, 0))
		page = fdopen(file, "w");
	if (file >= 0 && !page)
		close(file);
	return page;
}

static int write_to_output(struct report *report)
{
	int result;

	if (report->output && !is_special(report->output))
		return replace_file(report);
	report->page = report->output ? open_special(report->output) : stdout;
	if (!report->page && errno == ENXIO) {
		say("%s: nobody reads from it: start its reader first",
		    report->output);
		return EXIT_FAILED;
	}
	if (!report->page)
		return fail_output(report, errno);
	result = write_page(report);
	if (report->output && fclose(report->page) && !result)
		result = fail_output(report, errno);
	return result;
}

/* Reads in one transaction, so that the page shows one state of the file. */
static int make_report(struct report *report)
{
	int result;

	if (store_execute(&report->store, "BEGIN")) {
		say("%s", report->store.error);
		return EXIT_FAILED;
	}
	sqlite3_create_function_v2(report->store.db, "taken", 9,
				   SQLITE_UTF8 | SQLITE_DETERMINISTIC,
				   &report->filter, taken, NULL, NULL, NULL);
	result = read_bounds(report);
	if (!result)
		result = read_totals(report);
	if (!result && !report->total.services)
		filter_tell_nothing(&report->filter, &report->store,
				    FILTER_CURRENT_FORM);
	if (!result)
		result = read_days(report);
	if (!result)
		result = write_to_output(report);
	store_execute(&report->store, "ROLLBACK");
	return result;
}

int command_report(const struct command *command, const char *file, int argc,
		   char **argv)
{
	struct report report = { .file = file, .made = now_us() };
	int result;

	parse_words(command, options, parse, &report, argc, argv);
	if (!report.output_given && isatty(STDOUT_FILENO))
		wrong_usage("report: a page is nothing for a terminal: "
			    "-o report.html");
	check_output(&report);
	if (!open_store(&report.store, file, STORE_READ))
		return EXIT_FAILED;
	result = make_report(&report);
	free(report.day);
	store_close(&report.store);
	return report.output || say_finish() ? result : EXIT_FAILED;
}
