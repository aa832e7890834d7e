/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes what reads a line of the json log, for an inventory. An input is a
 * line. What is read is within its bounds, and the same when it is read again
 * after another line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "inventory/command/logline.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct log_reader *reader;

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	reader = log_reader_open();
	require(reader);
	return 0;
}

static void require_ended(const char *text, size_t room)
{
	require(memchr(text, 0, room));
}

static void check(const struct log_record *record)
{
	const struct observation *seen = &record->seen;

	require(seen->time <= 4000000000000000);
	require(seen->server.family == 4 || seen->server.family == 6);
	require(seen->client.family == 4 || seen->client.family == 6);
	require(seen->bytes == record->bytes && seen->len <= LOG_BANNER_MAX);
	require(seen->event != OBSERVED_OPEN || !seen->len);
	require_ended(record->sensor, sizeof(record->sensor));
	require_ended(record->tunnel, sizeof(record->tunnel));
	require_ended(record->unit, sizeof(record->unit));
	require_ended(record->container, sizeof(record->container));
	require_ended(record->process, sizeof(record->process));
}

static void require_same(const struct log_record *one,
			 const struct log_record *other)
{
	const struct observation *a = &one->seen, *b = &other->seen;

	require(a->time == b->time && a->len == b->len &&
		a->event == b->event && a->complete == b->complete);
	require(!memcmp(one->bytes, other->bytes, a->len));
	require(!memcmp(&a->server, &b->server, sizeof(a->server)));
	require(!strcmp(one->tunnel, other->tunnel));
	require(!strcmp(one->sensor, other->sensor));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log_record record, again;
	const char *line = (const char *)guarded_copy(0, data, size);
	const enum log_line what = log_read(reader, line, size, &record);

	if (what != LOG_RECORD)
		return 0;
	check(&record);
	log_read(reader, line, size / 2, &again);
	require(log_read(reader, line, size, &again) == what);
	require_same(&record, &again);
	return 0;
}
