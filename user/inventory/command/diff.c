/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * diff: services and forms that only one of two inventories has, or that
 * differ.
 */
#include "command.h"
#include "output.h"

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

/* One of the two inventories, and its current row. */
struct side {
	struct store store;
	sqlite3_stmt *rows;
	int code;
	char sign;
};

static bool open_side(struct side *side, const char *file, char sign)
{
	side->sign = sign;
	if (!open_store(&side->store, file, STORE_READ))
		return false;
	side->rows = prepare(&side->store, query);
	if (!side->rows) {
		store_close(&side->store);
		return false;
	}
	side->code = sqlite3_step(side->rows);
	return true;
}

static bool close_side(struct side *side)
{
	const bool good = !finish(&side->store, side->rows, side->code);

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

static bool print_differences(const struct diff *diff, struct side *was,
			      struct side *is)
{
	bool differs = false;

	while (was->code == SQLITE_ROW || is->code == SQLITE_ROW) {
		const int order = compare(was, is);

		if (order < 0)
			print(diff, was);
		else if (order > 0)
			print(diff, is);
		differs |= order != 0;
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
		output_fold();
	differs = print_differences(&diff, &was, &is);
	good = close_side(&was);
	good &= close_side(&is);
	if (!good || !say_finish())
		return EXIT_TROUBLE;
	return differs ? 1 : 0;
}
