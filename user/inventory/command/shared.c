/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Functions that the commands of bannerprobe-inventory share. */
#include "command.h"
#include "inventory/inventory.h"
#include "output.h"
#include "when.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void catch_signals(void (*handler)(int signal))
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction once = { .sa_handler = handler,
					.sa_flags = (int)SA_RESETHAND };
	struct sigaction was;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (!sigaction(signals[i], NULL, &was) &&
		    was.sa_handler != SIG_IGN)
			sigaction(signals[i], &once, NULL);
	}
}

int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t parse_when(const char *option, const char *word)
{
	int64_t when;

	if (!when_parse(word, now_us(), &when))
		wrong_usage("%s: %s is no time like 2026-11-26, yesterday, "
			    "\"2 days ago\" or 12h",
			    option, shown(word));
	return when;
}

int64_t parse_span(const char *option, const char *word)
{
	int64_t span;

	if (!span_parse(word, &span))
		wrong_usage("%s: %s is no span like 7d, 12h or \"3 weeks\"",
			    option, shown(word));
	/* It would forget every service, or mean the default. */
	if (!span)
		wrong_usage("%s: %s is no time at all: give a span like 7d, "
			    "12h or \"3 weeks\"",
			    option, word);
	return span;
}

void tell_unkept(const struct inventory_counts *counts)
{
	for (int why = 0; why < UNKEPT_REASONS; why++) {
		if (counts->unkept[why])
			say("lost: %llu %s",
			    (unsigned long long)counts->unkept[why],
			    unkept_text((enum unkept)why));
	}
}

/* --- the file ---------------------------------------------------------- */

bool open_store(struct store *store, const char *file, enum store_use use)
{
	const int error = store_open(store, file, use, BUSY_MS);

	if (!error) {
		add_functions(store);
		if (use == STORE_READ)
			output_open();
		return true;
	}
	/* The file's name may be a command that was misspelt. */
	say("%s%s", store->error,
	    error == -ENOENT ? ": bannerprobe --inventory or import makes an "
			       "inventory; --help lists the commands" :
			       "");
	store_close(store);
	return false;
}

sqlite3_stmt *prepare(struct store *store, const char *sql)
{
	sqlite3_stmt *statement = store_prepare(store, sql);

	if (!statement)
		say("%s", store->error);
	return statement;
}

int finish(struct store *store, sqlite3_stmt *rows, int code)
{
	if (code != SQLITE_DONE && code != SQLITE_ROW && code != SQLITE_OK) {
		store_fail(store, code);
		say("%s", store->error);
	}
	sqlite3_finalize(rows);
	return code == SQLITE_DONE || code == SQLITE_ROW || code == SQLITE_OK ?
		       EXIT_DONE :
		       EXIT_FAILED;
}

const char *column_text(sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	return text ? (const char *)text : "";
}

/* The bytes of an address, IPv4 before IPv6. */
static void address_order(sqlite3_context *context, int argc,
			  sqlite3_value **argv)
{
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	struct address address;
	uint8_t key[17];

	(void)argc;
	if (!text || !address_from_text(&address, text)) {
		sqlite3_result_null(context);
		return;
	}
	key[0] = address.family;
	memcpy(key + 1, address.byte, 16);
	sqlite3_result_blob(context, key, sizeof(key), SQLITE_TRANSIENT);
}

void add_functions(struct store *store)
{
	sqlite3_create_function_v2(store->db, "address_order", 1,
				   SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
				   address_order, NULL, NULL, NULL);
}

/* --- endpoints --------------------------------------------------------- */

int number_in(const char *text, const char **end, int most)
{
	int number = 0;

	*end = text;
	if (*text < '0' || *text > '9')
		return -1;
	for (; **end >= '0' && **end <= '9'; (*end)++) {
		number = number * 10 + **end - '0';
		if (number > most)
			return -1;
	}
	return number;
}

void endpoint_to_text(const char *server, int port, char text[ENDPOINT_TEXT])
{
	snprintf(text, ENDPOINT_TEXT,
		 strchr(server, ':') ? "[%.45s]:%d" : "%.45s:%d", server, port);
	plain(text, ENDPOINT_TEXT, text);
}

bool endpoint_from_text(const char *text, char server[ADDRESS_TEXT], int *port)
{
	const bool bracket = *text == '[';
	const char *colon = strrchr(text, ':');
	struct address address;
	const char *end;
	size_t len;

	if (!colon || colon == text || (bracket && colon[-1] != ']'))
		return false;
	*port = number_in(colon + 1, &end, 65535);
	if (*port < 0 || *end)
		return false;
	text += bracket;
	len = (size_t)(colon - text) - bracket;
	if (len >= ADDRESS_TEXT)
		return false;
	memcpy(server, text, len);
	server[len] = 0;
	if (!address_from_text(&address, server))
		return false;
	address_to_text(&address, server); /* in the file's spelling */
	return true;
}

void where_to_text(sqlite3_stmt *row, int sensor, char text[WHERE_TEXT])
{
	char endpoint[ENDPOINT_TEXT], name[ESCAPED_MAX(64)], tunnel[64];
	const char *said = column_text(row, sensor);

	endpoint_to_text(column_text(row, sensor + 1),
			 sqlite3_column_int(row, sensor + 2), endpoint);
	escape(name, (const uint8_t *)said, strnlen(said, 64));
	plain(tunnel, sizeof(tunnel), column_text(row, sensor + 3));
	snprintf(text, WHERE_TEXT, "%s%s%s%s%s", name, *name ? " " : "",
		 endpoint, *tunnel ? " in " : "", tunnel);
}

void object_where(struct json *json, sqlite3_stmt *row, int sensor)
{
	object_text(json, "sensor", column_text(row, sensor));
	object_plain(json, "server", column_text(row, sensor + 1));
	object_number(json, "server_port",
		      sqlite3_column_int64(row, sensor + 2));
	object_plain(json, "tunnel", column_text(row, sensor + 3));
}

/* --- owners ------------------------------------------------------------ */

bool filter_takes_owner(const struct filter *filter, const char *const *texts)
{
	for (int i = 0; filter->owner && i < 3; i++) {
		if (texts[i] && strcasestr(texts[i], filter->owner))
			return true;
	}
	return !filter->owner;
}

/* The process is omitted if a unit without containers implies it. */
void owner_to_text(sqlite3_stmt *row, int unit, char text[OWNER_TEXT])
{
	char part[OWNER_TEXT / 3];
	size_t len = 0;

	*text = 0;
	for (int i = 0; i < 3; i++) {
		const char *name = column_text(row, unit + i);

		if (!*name || (i == 2 && *column_text(row, unit) &&
			       !*column_text(row, unit + 1)))
			continue;
		len += (size_t)snprintf(text + len, OWNER_TEXT - len, "%s%s",
					len ? " " : "",
					plain(part, sizeof(part), name));
	}
}

/* --- identity ---------------------------------------------------------- */

/* Without the line's end, which nearly all have, and a few have alone. */
void form_to_line(const char *stable, char text[WHAT_TEXT])
{
	static const char *const ends[] = { "\\x0a", "\\x0d" };

	size_t len;

	plain(text, WHAT_TEXT, stable);
	len = strlen(text);
	for (int i = 0; i < 2; i++) {
		if (len >= 4 && !strncmp(text + len - 4, ends[i], 4))
			len -= 4;
	}
	if (len)
		text[len] = 0;
}

/* Product, version and information, unescaped; false: none is known. */
static bool name_identity(sqlite3_stmt *row, int product, int version, int info,
			  char text[WHAT_TEXT])
{
	const char *names[] = { column_text(row, product),
				column_text(row, version),
				column_text(row, info) };

	snprintf(text, WHAT_TEXT, "%s%s%s%s%s%s", names[0],
		 *names[1] ? " " : "", names[1], *names[2] ? " (" : "",
		 names[2], *names[2] ? ")" : "");
	return *names[0];
}

void what_to_text(sqlite3_stmt *row, int service, int product, int version,
		  int info, int stable, char text[WHAT_TEXT])
{
	const char *name = column_text(row, service);
	char told[WHAT_TEXT], escaped[ESCAPED_MAX(WHAT_TEXT)], said[WHAT_TEXT];

	/* An open port, and nothing was heard of it. */
	if (sqlite3_column_type(row, stable) == SQLITE_NULL) {
		strcpy(text, "open");
		return;
	}
	/* Any program may have written the file, so its texts are escaped. */
	if (name_identity(row, product, version, info, told)) {
		escape(escaped, (const uint8_t *)told, strlen(told));
		snprintf(text, WHAT_TEXT, "%.255s", escaped);
		return;
	}
	escape(escaped, (const uint8_t *)name, strnlen(name, 64));
	form_to_line(column_text(row, stable), said);
	snprintf(text, WHAT_TEXT, "%.100s%s%.150s", escaped,
		 *escaped && *said ? ": " : "", said);
}
