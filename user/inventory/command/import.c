/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads bannerprobe's own json logs into an inventory. */
#include "command.h"
#include "identification.h"
#include "logfile.h"
#include "logline.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The most records of a transaction. */
#define BATCH 20000
/* How many broken lines of a file are reported one by one. */
#define NAMED_MAX 10
#define BUSY_TRIES 6 /* of BUSY_MS each */

struct import {
	struct inventory *inventory; /* NULL: it is missing still */
	const char *file;
	struct inventory_options options;
	struct log_reader *reader;
	struct log_record record;
	const char *sensor;
	int64_t gone; /* microseconds; 0: not given */
	bool new_at_once;
	struct named_rules rules;
	char **names;
	int count;
	uint64_t latest; /* time of the latest record */
	uint64_t records, others, broken;
	struct inventory_import book; /* of the log that is being read */
	bool unwritten;		      /* the inventory cannot be written */
	char error[INVENTORY_ERROR];
};

static volatile sig_atomic_t stopped;

/*
 * Interrupts what waits for a log's bytes. A signal that comes just before the
 * wait begins would not: so another one follows each second.
 */
static void stop(int signal)
{
	(void)signal;
	stopped = 1;
	alarm(1);
}

static const struct argp_option options[] = {
	{ "sensor", 'S', "NAME", 0, "the sensor of records that name none", 0 },
	{ "gone", 'g', "SPAN", 0,
	  "a service that was not seen for so long has returned (7d)", 0 },
	{ "new-at-once", 'N', NULL, 0,
	  "a service is new with its first connection on any port", 0 },
	RULE_OPTIONS,
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct import *import = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'S':
		if (strlen(argument) > 255)
			wrong_usage("--sensor: a name has at most 255 bytes");
		import->sensor = argument;
		return 0;
	case 'g':
		import->gone = parse_span("--gone", argument);
		return 0;
	case 'N':
		import->new_at_once = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		check_name("import", argument);
		import->names[import->count++] = argument;
		return 0;
	case ARGP_KEY_END:
		if (!import->count)
			wrong_usage("import: which logs? - is standard input");
		return 0;
	default:
		return rule_option(&import->rules, key, argument);
	}
}

/* --- the inventory ----------------------------------------------------- */

/* A missing one is made where there is something to put into it. */
static bool open_inventory(struct import *import)
{
	if (import->inventory)
		return true;
	import->inventory =
		inventory_open(import->file, &import->options, import->error);
	if (!import->inventory)
		say("%s", import->error);
	import->unwritten = !import->inventory;
	return import->inventory;
}

/* --- lines ------------------------------------------------------------- */

static void take(struct import *import)
{
	struct observation *seen = &import->record.seen;

	if (!*seen->sensor)
		seen->sensor = import->sensor;
	if (seen->time > import->latest)
		import->latest = seen->time;
	inventory_put(import->inventory, seen);
	import->records++;
}

/* The lines of a file that are no records. */
struct broken_lines {
	bool is_log;	/* another line is a record */
	uint64_t count; /* of all, without a last one that may go on */
	struct broken_line {
		uint64_t line;
		const char *what;
	} first[NAMED_MAX];
};

static void name_line(const struct log_file *file,
		      const struct broken_line *line)
{
	say("%s:%llu: %s; it was left out", file->name,
	    (unsigned long long)line->line, line->what);
}

/* They are named once it is known that the file is a log. */
static void found_log(const struct log_file *file, struct broken_lines *broken)
{
	if (broken->is_log)
		return;
	broken->is_log = true;
	for (uint64_t i = 0; i < broken->count && i < NAMED_MAX; i++)
		name_line(file, &broken->first[i]);
}

static void found_broken(struct import *import, const struct log_file *file,
			 struct broken_lines *broken)
{
	const struct broken_line line = {
		file->line, file->too_long ?
				    "the line is too long for a record" :
				    "cut in half, or no record of bannerprobe"
	};

	if (broken->count < NAMED_MAX) {
		broken->first[broken->count] = line;
		if (broken->is_log)
			name_line(file, &line);
	}
	broken->count++;
	import->broken++;
}

/* False: the line is not whole, and has to be read again later. */
static bool read_line(struct import *import, const struct log_file *file,
		      struct broken_lines *broken)
{
	static const char cut[] = "the last line is cut in half";

	if (!file->len)
		return true;
	switch (log_read(import->reader, file->text, file->len,
			 &import->record)) {
	case LOG_RECORD:
		if (!open_inventory(import))
			return false;
		found_log(file, broken);
		take(import);
		return true;
	case LOG_OTHER:
		found_log(file, broken);
		import->others++;
		return true;
	case LOG_BROKEN:
		break;
	}
	if (file->ended) {
		found_broken(import, file, broken);
		return true;
	}
	if (broken->is_log || !broken->count)
		name_line(file, &(struct broken_line){ file->line, cut });
	import->broken++;
	return false;
}

/* --- files ------------------------------------------------------------- */

static bool flush(struct import *import)
{
	int code = -EAGAIN;

	if (!open_inventory(import))
		return false;
	inventory_set_import(import->inventory, &import->book);
	for (int i = 0; i < BUSY_TRIES && code == -EAGAIN && !stopped; i++)
		code = inventory_flush(import->inventory, import->latest);
	if (code)
		say("%s", inventory_error(import->inventory));
	import->unwritten = code;
	return !code;
}

/* Finds how far an earlier import read the log. */
static void find_book(struct import *import, const struct log_file *file)
{
	struct inventory_import known = {}, *book = &import->book;

	*book = (struct inventory_import){ .sensor = import->sensor,
					   .name = file->name };
	while (import->inventory &&
	       inventory_next_import(import->inventory, import->sensor,
				     &known)) {
		if (known.head_len >= book->head_len &&
		    log_file_begins(file, known.head, known.head_len)) {
			*book = known;
			book->sensor = import->sensor;
			book->name = file->name;
		}
	}
}

static bool read_lines(struct import *import, struct log_file *file)
{
	struct inventory_import *book = &import->book;
	/* What was read of it before was a log's. */
	struct broken_lines broken = { .is_log = book->read };
	int batch = 0;
	bool kept = true;

	while (kept && !stopped && log_file_next(file)) {
		if (!read_line(import, file, &broken))
			break;
		book->read = file->read;
		log_file_digest(file, book->read, book->head, &book->head_len);
		if (++batch >= BATCH && broken.is_log) {
			kept = flush(import);
			batch = 0;
		}
	}
	if (broken.count && !broken.is_log) {
		say("%s: it is no log of bannerprobe: import reads what "
		    "bannerprobe -f json writes",
		    file->name);
		return false;
	}
	if (broken.count > NAMED_MAX)
		say("%s: %llu lines were left out in all", file->name,
		    (unsigned long long)broken.count);
	return kept && !import->unwritten && (!batch || flush(import));
}

static bool import_file(struct import *import, const char *name)
{
	struct log_file file;
	bool done = log_file_open(&file, name);

	if (done) {
		find_book(import, &file);
		done = log_file_skip(&file, import->book.read) &&
		       read_lines(import, &file);
		done &= !log_file_failed(&file);
		done = done && open_inventory(import);
	}
	log_file_close(&file);
	return done;
}

/*
 * Logs are read in the order of their first records, whatever their names are,
 * so that greetings are met in the order of time.
 */
static int by_first_time(const void *a, const void *b)
{
	const struct log_order *x = a, *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

static bool import_files(struct import *import)
{
	struct log_order *order = calloc((size_t)import->count, sizeof(*order));
	bool done = true;

	if (!order) {
		say("out of memory");
		return false;
	}
	for (int i = 0; i < import->count; i++)
		order[i] = log_file_order(import->names[i], import->reader,
					  &import->record);
	qsort(order, (size_t)import->count, sizeof(*order), by_first_time);
	for (int i = 0; i < import->count && !stopped && !import->unwritten;
	     i++)
		done &= import_file(import, order[i].name);
	free(order);
	return done && !stopped;
}

/* --- the command ------------------------------------------------------- */

static int report(const struct import *import)
{
	static const struct inventory_counts none;
	const struct inventory_counts *counts =
		import->inventory ? inventory_counts(import->inventory) : &none;
	const uint64_t changes =
		import->inventory ? inventory_changes(import->inventory) : 0;

	say("%llu records, %llu new services, %llu changes, %llu FTP data "
	    "connections, %llu other lines, %llu broken lines, %llu lost",
	    (unsigned long long)import->records,
	    (unsigned long long)counts->services, (unsigned long long)changes,
	    (unsigned long long)counts->ftp_data,
	    (unsigned long long)import->others,
	    (unsigned long long)import->broken,
	    (unsigned long long)counts->lost);
	tell_unkept(counts);
	return counts->lost ? EXIT_FAILED : EXIT_DONE;
}

static int import_all(struct import *import)
{
	bool done = import_files(import);
	int result = report(import);

	if (import->inventory &&
	    inventory_close(import->inventory, import->latest, NULL,
			    import->error)) {
		if (!import->unwritten)
			say("%s", import->error);
		done = false;
	}
	return done ? result : EXIT_FAILED;
}

static int run(struct import *import)
{
	int result = EXIT_FAILED;

	import->options = (struct inventory_options){
		.create = true,
		.busy_ms = BUSY_MS,
		.stopped = &stopped,
		.gone_us = (uint64_t)import->gone,
		.new_at_once = import->new_at_once,
	};
	import->reader = log_reader_open();
	if (!import->reader) {
		say("out of memory");
		return EXIT_FAILED;
	}
	if (identification_open(&import->options, &import->rules)) {
		if (access(import->file, F_OK) || open_inventory(import))
			result = import_all(import);
		identification_close(&import->options);
	}
	log_reader_close(import->reader);
	return result;
}

int command_import(const struct command *command, const char *file, int argc,
		   char **argv)
{
	const struct sigaction action = { .sa_handler = stop };
	struct import *import = calloc(1, sizeof(*import));
	int result;

	if (!import ||
	    !(import->names = calloc((size_t)argc, sizeof(char *)))) {
		say("out of memory");
		return EXIT_FAILED;
	}
	import->sensor = "";
	parse_words(command, options, parse, import, argc, argv);
	/* On a signal the records read so far are written. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	import->file = file;
	result = run(import);
	free(import->names);
	free(import);
	return result;
}
