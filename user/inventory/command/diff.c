/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * diff: services and forms that only one of two inventories has, or that
 * differ.
 */
#include "command.h"
#include "fold.h"
#include "output.h"
#include "same_form.h"

#include <stdlib.h>
#include <string.h>

struct diff {
	const char *file, *old;
	bool json;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "a JSON object a line", 0 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct diff *diff = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'j':
		diff->json = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case ARGP_KEY_ARG:
		if (diff->old)
			wrong_usage("%s: one older inventory is enough",
				    argument);
		diff->old = argument;
		return 0;
	case ARGP_KEY_END:
		if (!diff->old)
			wrong_usage("diff: from which older inventory?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Every form of every service, in an order that is the same for both files. */
static const char query[] =
	"SELECT sensor, server, port, tunnel, stable, banner.service, product,"
	" version, info FROM service LEFT JOIN banner ON service_id = "
	"service.id"
	" ORDER BY address_order(server), port, sensor, tunnel, stable";

enum column {
	SENSOR,
	SERVER,
	PORT,
	TUNNEL,
	STABLE,
	SERVICE,
	PRODUCT,
	VERSION_TEXT,
	INFO,
};

/* The forms of one service that this file has and the other one has not. */
static const char forms_query[] =
	"SELECT ever_different, " SAME_FORM_COLUMNS
	" FROM service JOIN banner ON service_id = service.id"
	" WHERE sensor = ?1 AND server = ?2 AND port = ?3 AND tunnel = ?4"
	" ORDER BY stable = ?5 DESC, banner.last_seen DESC LIMIT ?6";

static const char has_query[] =
	"SELECT 1 FROM service JOIN banner ON service_id = service.id"
	" WHERE sensor = ?1 AND server = ?2 AND port = ?3 AND tunnel = ?4"
	" AND stable = ?5";

/* One of the two inventories, and its current row. */
struct side {
	struct store store;
	sqlite3_stmt *rows;
	sqlite3_stmt *forms, *has; /* of one service */
	int code;
	char sign;
};

static bool open_side(struct side *side, const char *file, char sign)
{
	side->sign = sign;
	if (!open_store(&side->store, file, STORE_READ))
		return false;
	side->rows = prepare(&side->store, query);
	side->forms = side->rows ? prepare(&side->store, forms_query) : NULL;
	side->has = side->forms ? prepare(&side->store, has_query) : NULL;
	if (!side->has) {
		sqlite3_finalize(side->forms);
		sqlite3_finalize(side->rows);
		store_close(&side->store);
		return false;
	}
	side->code = sqlite3_step(side->rows);
	return true;
}

static bool close_side(struct side *side)
{
	const bool good = !finish(&side->store, side->rows, side->code);

	sqlite3_finalize(side->forms);
	sqlite3_finalize(side->has);
	store_close(&side->store);
	return good;
}

static int compare_servers(const char *a, const char *b)
{
	struct address x = {}, y = {};

	address_from_text(&x, a);
	address_from_text(&y, b);
	if (x.family != y.family)
		return x.family - y.family;
	return memcmp(x.byte, y.byte, sizeof(x.byte));
}

/* Compares in the query's order; a side without a row comes last. */
static int compare(const struct side *a, const struct side *b)
{
	static const enum column texts[] = { SENSOR, TUNNEL, STABLE };
	int order;

	if (a->code != SQLITE_ROW || b->code != SQLITE_ROW)
		return (a->code != SQLITE_ROW) - (b->code != SQLITE_ROW);
	order = compare_servers(column_text(a->rows, SERVER),
				column_text(b->rows, SERVER));
	if (!order)
		order = sqlite3_column_int(a->rows, PORT) -
			sqlite3_column_int(b->rows, PORT);
	for (int i = 0; !order && i < 3; i++)
		order = strcmp(column_text(a->rows, (int)texts[i]),
			       column_text(b->rows, (int)texts[i]));
	return order;
}

static void print(const struct diff *diff, const struct side *side)
{
	sqlite3_stmt *row = side->rows;
	const char *sensor = column_text(row, SENSOR);
	char endpoint[ENDPOINT_TEXT], what[WHAT_TEXT], name[ESCAPED_MAX(64)],
		tunnel[64];
	struct json json = { .file = stdout };

	plain(tunnel, sizeof(tunnel), column_text(row, TUNNEL));
	if (diff->json) {
		object_open(&json, NULL);
		object_text(&json, "diff", side->sign == '+' ? "came" : "went");
		object_text(&json, "sensor", sensor);
		object_plain(&json, "server", column_text(row, SERVER));
		object_number(&json, "server_port",
			      sqlite3_column_int64(row, PORT));
		object_plain(&json, "tunnel", tunnel);
		object_text(&json, "service", column_text(row, SERVICE));
		object_text(&json, "product", column_text(row, PRODUCT));
		object_text(&json, "version", column_text(row, VERSION_TEXT));
		object_plain(&json, "stable", column_text(row, STABLE));
		object_close(&json);
		object_end_line(&json);
		return;
	}
	endpoint_to_text(column_text(row, SERVER),
			 sqlite3_column_int(row, PORT), endpoint);
	escape(name, (const uint8_t *)sensor, strnlen(sensor, 64));
	what_to_text(row, SERVICE, PRODUCT, VERSION_TEXT, INFO, STABLE, what);
	printf("%c %s%s%s%s%s  %s\n", side->sign, name, *name ? " " : "",
	       endpoint, *tunnel ? " in " : "", tunnel, what);
}

/* --- the same in other words ------------------------------------------- */

/* A hostile server has any number of forms: so many are compared with each. */
#define COMPARED_MAX 64

/* Binds the key of a row's service, and a form's text. */
static void bind_service(sqlite3_stmt *statement, sqlite3_stmt *row,
			 const char *stable)
{
	sqlite3_reset(statement);
	sqlite3_bind_text(statement, 1, column_text(row, SENSOR), -1,
			  SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, column_text(row, SERVER), -1,
			  SQLITE_STATIC);
	sqlite3_bind_int(statement, 3, sqlite3_column_int(row, PORT));
	sqlite3_bind_text(statement, 4, column_text(row, TUNNEL), -1,
			  SQLITE_STATIC);
	sqlite3_bind_text(statement, 5, stable, -1, SQLITE_STATIC);
}

/* Steps to the first form of a row's service, the row's own one if it has it.
 */
static bool find_form(struct side *side, sqlite3_stmt *row, int most)
{
	bind_service(side->forms, row, column_text(row, STABLE));
	sqlite3_bind_int(side->forms, 6, most);
	return sqlite3_step(side->forms) == SQLITE_ROW;
}

static bool has_form(struct side *side, sqlite3_stmt *row, const char *stable)
{
	bind_service(side->has, row, stable);
	return sqlite3_step(side->has) == SQLITE_ROW;
}

/*
 * Whether the other file has the form of a row as well, but has learned more or
 * less of its wild parts. A form that both files have stands for itself alone:
 * beside it another one is another one. What is ever different is no
 * difference.
 */
static bool is_elsewhere(struct side *side, struct side *other)
{
	sqlite3_stmt *row = side->rows, *own = side->forms,
		     *forms = other->forms;
	bool found = false;

	if (!find_form(other, row, COMPARED_MAX) || !find_form(side, row, 1))
		return false;
	if (sqlite3_column_int(own, 0) && sqlite3_column_int(forms, 0))
		return true;
	do {
		found = !has_form(side, row, column_text(forms, 1)) &&
			(side->sign == '-' ? same_form(own, forms, 1) :
					     same_form(forms, own, 1));
	} while (!found && sqlite3_step(forms) == SQLITE_ROW);
	return found;
}

static bool print_differences(const struct diff *diff, struct side *was,
			      struct side *is)
{
	bool differs = false;

	while (was->code == SQLITE_ROW || is->code == SQLITE_ROW) {
		const int order = compare(was, is);

		struct side *one = order < 0 ? was : is,
			    *other = order < 0 ? is : was;

		if (order && !is_elsewhere(one, other)) {
			print(diff, one);
			differs = true;
		}
		if (order <= 0)
			was->code = sqlite3_step(was->rows);
		if (order >= 0)
			is->code = sqlite3_step(is->rows);
		if ((was->code != SQLITE_ROW && was->code != SQLITE_DONE) ||
		    (is->code != SQLITE_ROW && is->code != SQLITE_DONE))
			break;
	}
	return differs;
}

int command_diff(const struct command *command, const char *file, int argc,
		 char **argv)
{
	struct diff diff = { .file = file };
	struct side was, is;
	bool differs, good;

	parse_words(command, options, parse, &diff, argc, argv);
	if (!open_side(&was, diff.old, '-'))
		return EXIT_TROUBLE;
	if (!open_side(&is, file, '+')) {
		close_side(&was);
		return EXIT_TROUBLE;
	}
	if (!diff.json)
		output_fold(FOLD_INDENT);
	differs = print_differences(&diff, &was, &is);
	good = close_side(&was);
	good &= close_side(&is);
	if (!good || !say_finish())
		return EXIT_TROUBLE;
	return differs ? 1 : 0;
}
