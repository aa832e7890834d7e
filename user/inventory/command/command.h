/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The commands of bannerprobe-inventory. */
#ifndef BANNERPROBE_COMMAND_H
#define BANNERPROBE_COMMAND_H

#include "inventory/store.h"
#include "say.h"

#include <argp.h>
#include <stdlib.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* not found, or it failed */
	EXIT_USAGE = 2,
	EXIT_TROUBLE = 2, /* of `diff`, as in diff(1) */
};

/* How long to wait for another process that writes. */
#define BUSY_MS 10000

struct command {
	const char *name, *arguments, *doc;
	int (*run)(const struct command *command, const char *file, int argc,
		   char **argv);
};

int command_list(const struct command *command, const char *file, int argc,
		 char **argv);
int command_changes(const struct command *command, const char *file, int argc,
		    char **argv);
int command_show(const struct command *command, const char *file, int argc,
		 char **argv);
int command_report(const struct command *command, const char *file, int argc,
		   char **argv);
int command_clients(const struct command *command, const char *file, int argc,
		    char **argv);
int command_import(const struct command *command, const char *file, int argc,
		   char **argv);
int command_diff(const struct command *command, const char *file, int argc,
		 char **argv);
int command_gone(const struct command *command, const char *file, int argc,
		 char **argv);
int command_forget(const struct command *command, const char *file, int argc,
		   char **argv);
int command_check(const struct command *command, const char *file, int argc,
		  char **argv);

int command_keep(const struct command *command, const char *file, int argc,
		 char **argv);

/* --- shared functions -------------------------------------------------- */

/* Ends the process with one line. */
#define wrong_usage(...)                                                       \
	do {                                                                   \
		say(__VA_ARGS__);                                              \
		exit(EXIT_USAGE);                                              \
	} while (0)

/* A word of the command line in a message: an empty one is shown, too. */
static inline const char *shown(const char *word)
{
	return *word ? word : "''";
}

/* A file's name may not be empty; `option` is what it was given by. */
static inline void check_name(const char *option, const char *name)
{
	if (!*name)
		wrong_usage("%s '': an empty name: give a file", option);
}

/* Of a command that takes options only: a word may be meant for the file. */
static inline void __attribute__((noreturn))
refuse_word(const char *command, const char *word)
{
	wrong_usage("%s: %s takes options only; the inventory stands before it",
		    shown(word), command);
}

/* Parses a command's words; ends the process on --help and wrong usage. */
void parse_words(const struct command *command,
		 const struct argp_option *options, argp_parser_t parser,
		 void *input, int argc, char **argv);

/* Prints how many records an inventory could not keep, a line for each reason.
 */
struct inventory_counts;
void tell_unkept(const struct inventory_counts *counts);

/*
 * Has a handler called by the first of the signals that end a process, unless
 * it is ignored; the next one ends the process.
 */
void catch_signals(void (*handler)(int signal));

int64_t now_us(void);
/* Both end the process if the word is not a time or a span. */
int64_t parse_when(const char *option, const char *word);
int64_t parse_span(const char *option, const char *word);

/* Opens an inventory; false, with a message, on failure. */
bool open_store(struct store *store, const char *file, enum store_use use);
/* Prepares a statement; NULL, with a message, on failure. */
sqlite3_stmt *prepare(struct store *store, const char *sql);
/* After the last row: EXIT_DONE, or a message and EXIT_FAILED. */
int finish(struct store *store, sqlite3_stmt *rows, int code);

/* A text column; "" for NULL. */
const char *column_text(sqlite3_stmt *row, int column);

/* The services that a command applies to. */
struct filter {
	struct {
		struct address address;
		unsigned int bits;
	} net[32];
	int nets;
	uint8_t port[65536 / 8];
	bool ports;
	const char *product, *sensor, *owner;
	int64_t since, until; /* 0: any time */
};

/* clang-format off */
#define FILTER_OPTIONS                                                         \
	{ "net", 'n', "CIDR", 0, "servers in this net; many of them", 0 },     \
	{ "port", 'p', "PORTS", 0, "on these ports: 22,smtp,8000-8100", 0 },        \
	{ "product", 'P', "TEXT", 0,                                           \
	  "product, service or form holds this text", 0 },                     \
	{ "owner", 'O', "TEXT", 0,                                             \
	  "unit, container or process holds this text", 0 },                   \
	{ "sensor", 'S', "NAME", 0, "of this sensor", 0 }
/* clang-format on */

error_t filter_option(struct filter *filter, int key, char *argument);
/* Checks all but the times, which have another meaning in each command. */
bool filter_takes(const struct filter *filter, const char *sensor,
		  const char *server, int port);
/*
 * The same for a row of `service` and `banner` that begins with these columns;
 * the tunnel is there for where_to_text().
 */
#define FILTER_COLUMNS                                                         \
	"service.sensor, server, port, tunnel, banner.service, product,"       \
	" stable, unit, container, process"
enum filter_column {
	FILTER_SENSOR,
	FILTER_SERVER,
	FILTER_PORT,
	FILTER_TUNNEL,
	FILTER_SERVICE,
	FILTER_PRODUCT,
	FILTER_STABLE,
	FILTER_UNIT,
	FILTER_CONTAINER,
	FILTER_PROCESS,
	FILTER_COLUMN_COUNT,
};
bool filter_takes_row(const struct filter *filter, sqlite3_stmt *row);
/*
 * Nothing was printed: says so where the filter takes no service at all, which
 * may be misspelt: by its current form, or by any form that it had.
 */
enum filter_forms { FILTER_CURRENT_FORM, FILTER_ANY_FORM };
void filter_tell_nothing(const struct filter *filter, struct store *store,
			 enum filter_forms forms);
/* Whether `product` is in one of the texts, some of which may be NULL. */
bool filter_takes_texts(const struct filter *filter, const char *const *texts,
			int count);

/* The same for `owner`. `texts`: unit, container and process. */
bool filter_takes_owner(const struct filter *filter, const char *const *texts);

/* "docker:3f2a91c0b7de nginx", from three columns: `unit` and the next two. */
#define OWNER_TEXT 768
void owner_to_text(sqlite3_stmt *row, int unit, char text[OWNER_TEXT]);

/*
 * Reads a number, of digits alone, and sets *end behind it. -1: there is none,
 * or it is greater than `most`.
 */
int number_in(const char *text, const char **end, int most);

/* 192.0.2.10:22, [2001:db8::1]:22 */
#define ENDPOINT_TEXT 64
void endpoint_to_text(const char *server, int port, char text[ENDPOINT_TEXT]);
bool endpoint_from_text(const char *text, char server[ADDRESS_TEXT], int *port);

/* "north 192.0.2.10:22 in 42", of four columns: sensor to tunnel. */
#define WHERE_TEXT 512
void where_to_text(sqlite3_stmt *row, int sensor, char text[WHERE_TEXT]);
/* The same four columns as members of an object. */
void object_where(struct json *json, sqlite3_stmt *row, int sensor);

/* For ORDER BY and comparisons in SQL: address_order(server). */
void add_functions(struct store *store);

#define WHAT_TEXT 256
#define WHAT_LEAST 20 /* of it in a table, also on a narrow terminal */
/*
 * "OpenSSH 9.2p1 (Debian)", or service and form, from these columns of a row.
 */
void what_to_text(sqlite3_stmt *row, int service, int product, int version,
		  int info, int stable, char text[WHAT_TEXT]);
/* A form in one line. */
void form_to_line(const char *stable, char text[WHAT_TEXT]);

#endif
