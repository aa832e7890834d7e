/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The inventory's interface, and the command's readers and writers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <sqlite3.h>

#include "inventory/command/logline.h"
#include "inventory/command/say.h"
#include "inventory/command/when.h"
#include "inventory/intern.h"
#include "inventory/inventory.h"

#define SECOND 1000000ULL
#define DAY (86400 * SECOND)
#define START (1790000000ULL * SECOND)

struct told {
	int count;
	enum change_kind kind;
	uint64_t number;
	char before[128], after[128], product[32];
};

struct fixture {
	char folder[32], path[64];
	struct inventory *inventory;
	struct told told;
	char error[INVENTORY_ERROR];
};

static void keep_told(void *context, const struct inventory_change *change)
{
	struct told *told = context;

	told->count++;
	told->kind = change->kind;
	told->number = change->number;
	snprintf(told->before, sizeof(told->before), "%.*s",
		 (int)change->before.len, (const char *)change->before.bytes);
	snprintf(told->after, sizeof(told->after), "%.*s",
		 (int)change->after.len, (const char *)change->after.bytes);
	snprintf(told->product, sizeof(told->product), "%s",
		 change->after.product ? change->after.product : "");
}

static const char *known_service(const char *first)
{
	return !strcmp(first, "220") ? "ftp" : "test";
}

/* "product version": a word and what follows. */
static bool identify(void *context, const struct observation *seen,
		     struct inventory_identity *identity)
{
	static char product[64], version[64];
	char said[256];

	(void)context;
	snprintf(said, sizeof(said), "%.*s", (int)seen->len,
		 (const char *)seen->bytes);
	if (sscanf(said, "%63s %63s", product, version) != 2)
		return false;
	*identity =
		(struct inventory_identity){ .service = known_service(product),
					     .product = product,
					     .version = version,
					     .by_rule = true };
	return true;
}

static void open_inventory(struct fixture *f, bool identified, size_t memory)
{
	const struct inventory_options options = {
		.create = true,
		.memory = memory,
		.changed = keep_told,
		.changed_context = &f->told,
		.identify = identified ? identify : NULL,
	};

	f->inventory = inventory_open(f->path, &options, f->error);
	assert_non_null(f->inventory);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/inventory-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/x.db", f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct fixture *f = *state;
	char name[80];

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", f->path, ends[i]);
		unlink(name);
	}
	rmdir(f->folder);
	free(f);
	return 0;
}

static void close_inventory(struct fixture *f)
{
	uint64_t lost;

	assert_int_equal(inventory_close(f->inventory, START, &lost, f->error),
			 0);
	assert_int_equal(lost, 0);
}

static void put_bytes(struct fixture *f, const void *said, size_t len,
		      uint64_t time, uint16_t port)
{
	/* No byte behind it may be read. */
	uint8_t *bytes = malloc(len);
	const struct observation seen = {
		.time = time,
		.server = { 4, { 192, 0, 2, 10 } },
		.client = { 4, { 192, 0, 2, 99 } },
		.server_port = port,
		.client_port = 40000,
		.bytes = bytes,
		.len = len,
		.complete = true,
	};

	memcpy(bytes, said, len);
	inventory_put(f->inventory, &seen);
	free(bytes);
}

static void put_on(struct fixture *f, const char *said, uint64_t time,
		   uint16_t port)
{
	put_bytes(f, said, strlen(said), time, port);
}

static void put(struct fixture *f, const char *said, uint64_t time)
{
	put_on(f, said, time, 22);
}

static int64_t ask(struct fixture *f, const char *sql)
{
	sqlite3_stmt *row;
	sqlite3 *db;
	int64_t value;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

/* So many forms make a service ever different, if it says all within a week. */
#define FORMS 64

/* Each is said by four connections. */
static void upgrade(struct fixture *f, int from, int to, uint64_t pause)
{
	char said[64];

	for (int i = from; i < to; i++) {
		const uint64_t time = START + (uint64_t)i * pause;

		snprintf(said, sizeof(said), "Foo 1.%d ready\n", i);
		put(f, said, time);
		for (int n = 0; n < 3; n++)
			put(f, said, time + SECOND + (uint64_t)n * pause / 3);
		assert_int_equal(f->told.count, i + 1);
		assert_int_equal(f->told.number, 0);
		assert_string_equal(f->told.after, said);
		if (i % 3)
			inventory_flush(f->inventory, time + 2 * SECOND);
	}
}

/* A clock that was years ahead is set right: what is said now is current. */
static void test_a_clock_that_is_set_back(void **state)
{
	static const char current[] =
		"SELECT stable LIKE 'Foo 2%' FROM service JOIN banner"
		" ON banner.id = banner_id";
	struct fixture *f = *state;

	for (int live = 0; live < 2; live++) {
		const struct inventory_options options = {
			.create = true,
			.is_live = live,
			.identify = identify,
		};

		f->inventory = inventory_open(f->path, &options, f->error);
		assert_non_null(f->inventory);
		put(f, "Foo 1 ready\n", START + 4000 * DAY);
		/* Late by what a greeting is waited for, and after the clock.
		 */
		put(f, "Foo 2 ready\n", START + 4000 * DAY - 30 * SECOND);
		inventory_flush(f->inventory, START);
		assert_int_equal(ask(f, current), 0);
		put(f, "Foo 2 ready\n", START);
		assert_int_equal(
			inventory_close(f->inventory, START, NULL, f->error),
			0);
		assert_int_equal(ask(f, current), live);
	}
}

static void test_upgrades_over_ten_years(void **state)
{
	const uint64_t pause = 18 * DAY;
	struct fixture *f = *state;

	open_inventory(f, true, 0);
	upgrade(f, 0, 110, pause);
	/* The same where the forms in memory were read from the file. */
	close_inventory(f);
	open_inventory(f, true, 0);
	upgrade(f, 110, 200, pause);
	assert_int_equal(f->told.kind, CHANGE_VERSION);
	/* A form that was forgotten comes back: a change, and no second row. */
	put(f, "Foo 1.3 ready\n", START + 200 * pause);
	assert_int_equal(f->told.count, 201);
	assert_string_equal(f->told.before, "Foo 1.199 ready\n");
	close_inventory(f);
	assert_int_equal(ask(f, "SELECT ever_different FROM service"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM banner"), 200);
	assert_int_equal(ask(f, "SELECT count(*) FROM banner WHERE count = 5"),
			 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM change WHERE kind = "
				"'version'"),
			 200);
}

/* Within a week, the file does not grow without a bound. */
static void test_many_forms_within_days(void **state)
{
	struct fixture *f = *state;
	char said[64];

	open_inventory(f, true, 0);
	upgrade(f, 0, FORMS - 1, DAY / 10);
	for (int i = FORMS - 1; i < 3 * FORMS; i++) {
		snprintf(said, sizeof(said), "Foo 1.%d ready\n", i);
		put(f, said, START + (uint64_t)i * DAY / 10);
		inventory_flush(f->inventory, START + 7 * DAY);
	}
	assert_int_equal(f->told.count, FORMS);
	assert_int_equal(f->told.number, FORMS);
	close_inventory(f);
	assert_int_equal(ask(f, "SELECT ever_different FROM service"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM banner"), FORMS);
}

/* --- the interface ----------------------------------------------------- */

static void test_changes_are_told_as_they_happen(void **state)
{
	struct fixture *f = *state;

	open_inventory(f, false, 0);
	put(f, "hello one\n", START);
	assert_int_equal(f->told.count, 1);
	assert_int_equal(f->told.kind, CHANGE_NEW);
	assert_string_equal(f->told.after, "hello one\n");
	put(f, "hello one\n", START + SECOND);
	assert_int_equal(f->told.count, 1);
	put(f, "wholly different thing\n", START + 2 * SECOND);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.kind, CHANGE_BANNER);
	assert_string_equal(f->told.before, "hello one\n");
	/* The same after what was in memory is in the file alone. */
	close_inventory(f);
	open_inventory(f, false, 0);
	put(f, "hello one\n", START + 3 * SECOND);
	put(f, "a third one altogether, no less\n", START + 4 * SECOND);
	assert_int_equal(f->told.count, 3);
	assert_string_equal(f->told.before, "hello one\n");
	close_inventory(f);
	assert_int_equal(ask(f, "SELECT connections FROM service"), 5);
}

static void test_kinds_by_identification(void **state)
{
	struct fixture *f = *state;

	open_inventory(f, true, 0);
	put(f, "Foo 7 ready\n", START);
	put(f, "Foo 8 ready\n", START + SECOND);
	assert_int_equal(f->told.kind, CHANGE_VERSION);
	inventory_flush(f->inventory, START);
	put(f, "Bar 8 ready\n", START + 2 * SECOND);
	assert_int_equal(f->told.kind, CHANGE_PRODUCT);
	assert_string_equal(f->told.product, "Bar");
	put(f, "Bar 8 finished\n", START + 3 * SECOND);
	assert_int_equal(f->told.kind, CHANGE_BANNER);
	close_inventory(f);
	assert_int_equal(
		ask(f, "SELECT count(*) FROM banner WHERE product = 'Foo'"), 2);
}

static void test_many_new_ones_are_told_once(void **state)
{
	struct fixture *f = *state;

	open_inventory(f, false, 0);
	for (uint16_t i = 0; i < 100; i++)
		put_on(f, "hello\n", START + i, (uint16_t)(100 + i));
	assert_int_equal(f->told.count, 5);
	inventory_flush(f->inventory, START + 100);
	inventory_flush(f->inventory, START + 61 * SECOND);
	assert_int_equal(f->told.count, 6);
	assert_int_equal(f->told.number, 100);
	close_inventory(f);
	assert_int_equal(ask(f, "SELECT number FROM change"), 100);
}

static void test_some_new_ones_are_told_each(void **state)
{
	struct fixture *f = *state;

	open_inventory(f, false, 0);
	for (uint16_t i = 0; i < 20; i++)
		put_on(f, "hello\n", START + i, (uint16_t)(100 + i));
	inventory_flush(f->inventory, START + 61 * SECOND);
	assert_int_equal(f->told.count, 20);
	assert_int_equal(f->told.number, 0);
	close_inventory(f);
}

/* What does not fit is read from the file again. */
static void test_little_memory(void **state)
{
	struct fixture *f = *state;

	open_inventory(f, false, 300000);
	for (int round = 0; round < 3; round++) {
		for (uint16_t i = 1; i < 3000; i++) {
			put_on(f, "hello there\n", START + i, i);
			if (i % 300 == 0)
				assert_int_equal(
					inventory_flush(f->inventory, START),
					0);
		}
	}
	assert_int_equal(inventory_services(f->inventory), 2999);
	close_inventory(f);
	assert_int_equal(ask(f, "SELECT sum(connections) FROM service"),
			 3 * 2999);
	assert_int_equal(ask(f, "SELECT count(*) FROM banner"), 2999);
}

/* Changes that cannot be written wait; those beyond the room are counted. */
static void test_what_waits_and_what_is_lost(void **state)
{
	struct fixture *f = *state;
	uint64_t lost;
	sqlite3 *other;

	open_inventory(f, false, 300000);
	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
		SQLITE_OK);
	for (uint16_t i = 1; i < 3000; i++)
		put_on(f, "hello there\n", START + i, i);
	assert_int_equal(inventory_flush(f->inventory, START), -EAGAIN);
	assert_non_null(strstr(inventory_error(f->inventory), "x.db: another"));
	lost = inventory_counts(f->inventory)->lost;
	assert_true(lost > 0);
	assert_int_equal(inventory_counts(f->inventory)->unkept[UNKEPT_FULL],
			 lost);
	assert_int_equal(lost + inventory_waiting(f->inventory), 2999);
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(other);
	assert_int_equal(inventory_close(f->inventory, START, NULL, f->error),
			 0);
	assert_int_equal(ask(f, "SELECT sum(connections) FROM service"),
			 2999 - (int64_t)lost);
}

/* A greeting that was cut is identified once it is whole. */
static void test_a_greeting_is_identified_when_it_is_whole(void **state)
{
	struct fixture *f = *state;

	open_inventory(f, true, 0);
	put(f, "Foo", START);
	inventory_flush(f->inventory, START);
	assert_int_equal(ask(f, "SELECT product IS NULL FROM banner"), 1);
	put(f, "Foo 7 ready\n", START + 1);
	close_inventory(f);
	assert_int_equal(f->told.count, 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM banner WHERE whole AND "
				"product = 'Foo' AND version = '7'"),
			 1);
}

/*
 * On a port of an FTP server, a greeting that a rule identifies makes a service
 * when its form comes the second time; an unidentified one never does.
 */
static void test_known_on_a_port_of_an_ftp_server(void **state)
{
	struct fixture *f = *state;

	open_inventory(f, true, 0);
	put_on(f, "220 ProFTPD\r\n", START, 21);
	put_on(f, "listing\n", START + 1, 40000);
	put_on(f, "listing\n", START + 2, 40000);
	put_on(f, "Foo 7 ready\n", START + 3, 8080);
	assert_int_equal(f->told.count, 1);
	put_on(f, "Foo 8 ready\n", START + 4, 8080);
	assert_int_equal(f->told.count, 1);
	put_on(f, "Foo 8 ready\n", START + 5, 8080);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(inventory_counts(f->inventory)->ftp_data, 4);
	close_inventory(f);
	assert_int_equal(ask(f, "SELECT count(*) FROM service"), 2);
}

/* Deleted by another process while nothing waits: the next record makes it new.
 */
static void test_forgotten_meanwhile(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other;

	open_inventory(f, true, 0);
	put(f, "Foo 7 ready\n", START);
	assert_int_equal(inventory_flush(f->inventory, START), 0);
	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
				      "DELETE FROM change; DELETE FROM banner;"
				      "DELETE FROM service",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(inventory_flush(f->inventory, START + 1), 0);
	put(f, "Foo 7 ready\n", START + 2);
	put(f, "Foo 7 ready\n", START + 3);
	close_inventory(f);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.kind, CHANGE_NEW);
	assert_int_equal(ask(f, "SELECT connections FROM service"), 2);
	assert_int_equal(ask(f, "SELECT count(*) FROM banner WHERE first_raw = "
				"CAST('Foo 7 ready\n' AS BLOB)"),
			 1);
}

static void test_a_hostile_server(void **state)
{
	struct fixture *f = *state;
	char said[200];

	open_inventory(f, false, 0);
	srand(7);
	for (int i = 0; i < 20000; i++) {
		for (size_t j = 0; j < sizeof(said) - 1; j++)
			said[j] = (char)(33 + rand() % 90);
		said[sizeof(said) - 1] = 0;
		put(f, said, START + (uint64_t)i);
		if (i % 1000 == 0)
			inventory_flush(f->inventory, START);
	}
	close_inventory(f);
	assert_true(ask(f, "SELECT count(*) FROM banner") <= 8);
	assert_true(ask(f, "SELECT count(*) FROM change") <= 2);
	assert_int_equal(ask(f, "SELECT sum(count) FROM banner"), 20000);
}

/* The same numbers in each run. */
static void fill(uint8_t *to, size_t len, uint64_t *state)
{
	for (size_t i = 0; i < len; i++) {
		*state = *state * 6364136223846793005ULL +
			 1442695040888963407ULL;
		to[i] = (uint8_t)(*state >> 56);
	}
}

/* Twelve greetings: now and then two agree in a byte by chance. */
#define RANDOM_SERVERS 40
#define RANDOM_GREETINGS 12

static void put_random(struct fixture *f, bool restarts)
{
	uint8_t said[700];
	uint64_t state = 1;

	open_inventory(f, false, 0);
	for (int n = 0; n < RANDOM_GREETINGS; n++) {
		const uint64_t time = START + (uint64_t)n * 60 * SECOND;

		for (uint16_t i = 0; i < RANDOM_SERVERS; i++) {
			const size_t len = i % 4 == 0 ? 12 :
					   i % 4 == 1 ? 40 :
					   i % 4 == 2 ? 132 :
							sizeof(said);

			fill(said, len, &state);
			put_bytes(f, said, len, time, (uint16_t)(1000 + i));
		}
		if (restarts) {
			close_inventory(f);
			open_inventory(f, false, 0);
		}
	}
	close_inventory(f);
}

/* Random bytes of one length are ever different: one change, none after it. */
static void check_random(struct fixture *f)
{
	assert_int_equal(ask(f, "SELECT sum(ever_different) FROM service"),
			 RANDOM_SERVERS);
	assert_int_equal(ask(f, "SELECT count(*) FROM change WHERE"
				" kind = 'banner' AND number = 8"),
			 RANDOM_SERVERS);
	assert_int_equal(ask(f, "SELECT count(*) FROM change"),
			 2 * RANDOM_SERVERS);
}

static void test_random_bytes(void **state)
{
	put_random(*state, false);
	check_random(*state);
}

static void test_random_bytes_across_restarts(void **state)
{
	put_random(*state, true);
	check_random(*state);
}

/* One byte that is always the same, as in NSCA's greeting, is a form. */
static void test_one_fixed_byte(void **state)
{
	struct fixture *f = *state;
	uint8_t said[132];
	uint64_t seed = 2;

	open_inventory(f, false, 0);
	for (int n = 0; n < 100; n++) {
		fill(said, sizeof(said), &seed);
		said[128] = 0x6a;
		put_bytes(f, said, sizeof(said), START + (uint64_t)n * SECOND,
			  5667);
	}
	close_inventory(f);
	assert_int_equal(ask(f, "SELECT sum(ever_different) FROM service"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM change"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM banner WHERE stable ="
				" '\\{bytes:128}j\\{bytes:3}'"),
			 1);
}

/* --- the command's readers and writers --------------------------------- */

/* Every byte comes back, by JSON's own reader and the log's escapes. */
static void test_escapes_are_read_back(void **state)
{
	uint8_t bytes[256], back[256];
	char escaped[ESCAPED_JSON_MAX(256)], line[ESCAPED_JSON_MAX(256) + 300];
	struct log_record *record = malloc(sizeof(*record));
	struct log_reader *reader = log_reader_open();

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	escape_json(escaped, bytes, sizeof(bytes));
	for (const char *at = escaped; *at; at++)
		assert_true(*at >= 0x20 && *at <= 0x7e);
	snprintf(line, sizeof(line),
		 "{\"ts\":1790000000.123456,\"client\":\"192.0.2.1\","
		 "\"client_port\":4,\"server\":\"2001:db8::1\","
		 "\"server_port\":65535,\"banner\":\"%s\",\"truncated\":true}",
		 escaped);
	assert_int_equal(log_read(reader, line, strlen(line), record),
			 LOG_RECORD);
	assert_int_equal(record->seen.len, 256);
	memcpy(back, record->seen.bytes, 256);
	assert_memory_equal(back, bytes, 256);
	assert_int_equal(record->seen.time, 1790000000123456ULL);
	assert_false(record->seen.complete);
	assert_int_equal(record->seen.server.family, 6);
	/* A port is a whole number. */
	strcpy(strstr(line, "65535"),
	       "22.50,\"banner\":\"\",\"truncated\":true}");
	assert_int_equal(log_read(reader, line, strlen(line), record),
			 LOG_BROKEN);
	memcpy(strstr(line, "22.50"), "22.00", 5);
	assert_int_equal(log_read(reader, line, strlen(line), record),
			 LOG_RECORD);
	/* Any beginning of it is no record. */
	for (size_t len = 0; len < strlen(line); len++)
		assert_int_equal(log_read(reader, line, len, record),
				 LOG_BROKEN);
	log_reader_close(reader);
	free(record);
}

static void test_times_and_spans(void **state)
{
	const int64_t now = 1790000000LL * 1000000;
	int64_t when;

	(void)state;
	assert_true(when_parse("2026-09-21T14:13:20Z", now, &when));
	assert_int_equal(when, now);
	assert_true(when_parse("2026-09-21T16:13:20.5+02:00", now, &when));
	assert_int_equal(when, now + 500000);
	assert_true(when_parse("2 days ago", now, &when));
	assert_int_equal(when, now - 2 * (int64_t)DAY);
	assert_true(when_parse("12h", now, &when));
	assert_int_equal(when, now - (int64_t)DAY / 2);
	assert_true(when_parse("A day ago", now, &when));
	assert_int_equal(when, now - (int64_t)DAY);
	assert_true(when_parse("Last Week", now, &when));
	assert_int_equal(when, now - 7 * (int64_t)DAY);
	assert_false(when_parse("last week ago", now, &when));
	assert_false(span_parse("last week", &when));
	assert_true(span_parse("7d", &when));
	assert_int_equal(when, 7 * (int64_t)DAY);
	assert_false(span_parse("7d ago", &when));
	assert_false(span_parse("-7d", &when));
	assert_false(when_parse("2026-02-30T", now, &when));
	assert_true(when_parse("2028-02-29", now, &when));
	assert_false(when_parse("2026-02-29", now, &when));
	assert_false(when_parse("2026-09-21T14:13:20+24:00", now, &when));
	assert_false(when_parse("999999999y", now, &when));
}

/* --- texts that are kept once --------------------------------------------- */

/* More texts than there are chains at first: the number of chains grows. */
static void test_texts_are_kept_once(void **state)
{
	enum { TEXTS = 20000 };
	static struct text *kept[TEXTS];
	struct texts texts;
	uint32_t chains;
	size_t memory;
	char name[32];

	(void)state;
	assert_int_equal(texts_open(&texts), 0);
	chains = texts.chains;
	memory = texts.memory;
	for (int i = 0; i < TEXTS; i++) {
		snprintf(name, sizeof(name), "text %d", i);
		kept[i] = text_get(&texts, name, strlen(name));
		assert_string_equal(kept[i]->bytes, name);
	}
	assert_int_equal(texts.count, TEXTS);
	assert_true(texts.chains > chains);
	for (int i = 0; i < TEXTS; i++) {
		snprintf(name, sizeof(name), "text %d", i);
		assert_ptr_equal(text_get(&texts, name, strlen(name)), kept[i]);
		assert_int_equal(kept[i]->users, 2);
	}
	assert_int_equal(texts.count, TEXTS);
	for (int i = 0; i < 2 * TEXTS; i++)
		text_put(&texts, kept[i / 2]);
	assert_int_equal(texts.count, 0);
	assert_int_equal(texts.memory - memory,
			 (texts.chains - chains) * sizeof(void *));
	texts_close(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_changes_are_told_as_they_happen),
		TEST(test_kinds_by_identification),
		TEST(test_many_new_ones_are_told_once),
		TEST(test_some_new_ones_are_told_each),
		TEST(test_little_memory),
		TEST(test_what_waits_and_what_is_lost),
		TEST(test_a_greeting_is_identified_when_it_is_whole),
		TEST(test_known_on_a_port_of_an_ftp_server),
		TEST(test_forgotten_meanwhile),
		TEST(test_a_hostile_server),
		TEST(test_random_bytes),
		TEST(test_random_bytes_across_restarts),
		TEST(test_one_fixed_byte),
		TEST(test_a_clock_that_is_set_back),
		TEST(test_upgrades_over_ten_years),
		TEST(test_many_forms_within_days),
		cmocka_unit_test(test_texts_are_kept_once),
		cmocka_unit_test(test_escapes_are_read_back),
		cmocka_unit_test(test_times_and_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
