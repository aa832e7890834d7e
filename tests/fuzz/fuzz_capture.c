/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the capture reader. An input is a file. Its size chooses the options,
 * whether it is compressed first, whether it is mapped, and becomes shorter
 * then, and whether it is read from a pipe, and in pieces of what size.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "guarded.h"
#include "memory_file.h"

#include "pipeline/from_captures.h"
#include "pipeline/packet_batch.h"
#include "pipeline/seen_twice.h"
#include "sinks/format.h"
#include "system/message.h"
#include "capture/packet_reader.h"
#include "unit/wrap.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* In place of user/system/message.c: made up, and not printed a million times.
 */
void message(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
}

void message_status(const char *format, ...)
{
	(void)format;
}

void message_open(void)
{
}

void message_clear_status(void)
{
}

/* A sink that formats each event, as the log does, and writes nothing. */

static int open_sink(struct sink *sink)
{
	(void)sink;
	return 0;
}

static void put(struct sink *sink, const struct event *event,
		const struct source *source)
{
	static char line[LINE_MAX_BYTES];

	require(format_record(FORMAT_JSON, line, event, source) <=
		LINE_MAX_BYTES);
	sink->counts.written++;
}

static bool flush(struct sink *sink)
{
	(void)sink;
	return true;
}

static void reopen(struct sink *sink)
{
	(void)sink;
}

static const struct sink_operations operations = {
	.name = "fuzz",
	.open = open_sink,
	.put = put,
	.flush = flush,
	.reopen = reopen,
	.close = flush,
};

/*
 * The linker replaces the function of this name (--wrap). A packet is copied
 * out of its buffer, in which a read beyond the packet would not be noticed.
 */
enum read_result __real_packet_reader_next(struct packet_reader *reader,
					   struct captured_packet *packet);
enum read_result __wrap_packet_reader_next(struct packet_reader *reader,
					   struct captured_packet *packet);

enum read_result __wrap_packet_reader_next(struct packet_reader *reader,
					   struct captured_packet *packet)
{
	/* As many as may be in use at the same time, and the first bytes. */
	static const unsigned int places = BATCH_MAX + 1;
	static unsigned int next;
	enum read_result result = __real_packet_reader_next(reader, packet);
	const bool is_mapped =
		result == READ_DONE && packet->head != packet->bytes;

	_Static_assert(BATCH_MAX + 1 < GUARDED_PLACES, "each has a place");
	if (result != READ_DONE)
		return result;
	packet->bytes =
		guarded_copy(next++ % places, packet->bytes, packet->len);
	packet->head = is_mapped ? guarded_copy(places, packet->head,
						packet->head_len) :
				   packet->bytes;
	return result;
}

/* Half a megabyte that is made once and cleared where it was used. */
struct seen_twice *__real_seen_twice_new(void);
struct seen_twice *__wrap_seen_twice_new(void);
void __wrap_seen_twice_free(struct seen_twice *seen);

struct seen_twice *__wrap_seen_twice_new(void)
{
	static struct seen_twice *seen;

	if (!seen)
		seen = __real_seen_twice_new();
	else
		seen_twice_clear(seen);
	return seen;
}

void __wrap_seen_twice_free(struct seen_twice *seen)
{
	(void)seen;
}

#define MEMORY_KEPT (1 << 26)
#define COMPRESSED_MAX (1 << 20)

static z_stream gzip;
static ZSTD_CCtx *zstd;

/* In one member, or in two: the half of the input in each. */
static size_t compress_gzip(__u8 *to, const uint8_t *data, size_t size,
			    int members)
{
	size_t done = 0;

	for (int i = 0; i < members; i++) {
		const size_t from = size * i / members;

		gzip.next_in = (z_const Bytef *)data + from;
		gzip.avail_in = (uInt)(size * (i + 1) / members - from);
		gzip.next_out = to + done;
		gzip.avail_out = (uInt)(COMPRESSED_MAX - done);
		require(deflate(&gzip, Z_FINISH) == Z_STREAM_END);
		done = COMPRESSED_MAX - gzip.avail_out;
		require(deflateReset(&gzip) == Z_OK);
	}
	return done;
}

/* Mostly as it is; by zstd; by gzip, in one member and in two. */
static void choose_file(const uint8_t *data, size_t size)
{
	static __u8 compressed[COMPRESSED_MAX];
	struct memory_file file = { .bytes = data,
				    .size = size,
				    .piece = size & 2 ? 1 + size % 61 : 1 << 20,
				    .is_pipe = size % 5 == 0,
				    .is_unmappable = size % 9 == 0,
				    .shrinks = size % 7 < 3 ? size % 41 : 0 };
	unsigned int way = size / 8 % 8;

	if (size <= COMPRESSED_MAX / 2 && way > 0 && way < 4) {
		file.bytes = compressed;
		if (way == 1)
			file.size = ZSTD_compressCCtx(zstd, compressed,
						      COMPRESSED_MAX, data,
						      size, 1);
		else
			file.size = compress_gzip(compressed, data, size,
						  (int)way - 1);
		require(!ZSTD_isError(file.size));
	}
	memory_file_set(&file);
}

static void choose_options(struct options *options, size_t size)
{
	if (size & 1) { /* all that may be asked of the tracker */
		options->gather_ms = 1;
		options->track.gather = options->length;
		options->track.times = options->track.rtt = true;
	}
	if (size % 11 == 0)
		options->unfinished_ms = options->gather_ms * 5;
	options->gather_ssh = size % 13 < 2;
	options->sequence = size & 4;
	if (size % 3 == 0)
		wrap_track(&options->track);
	if (size % 7 == 0)
		options->events = options->track.events = EVENTS_ALL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* What is fast: zlib only stores, with a small window. */
	require(deflateInit2(&gzip, 0, Z_DEFLATED, 9 + 16, 1,
			     Z_DEFAULT_STRATEGY) == Z_OK);
	zstd = ZSTD_createCCtx();
	/* Memory that was freed stays with the process. */
	mallopt(M_MMAP_THRESHOLD, MEMORY_KEPT);
	mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
	require(zstd);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *names[] = { MEMORY_FILE, NULL };
	struct options options = {
		.length = 64, .max_flows = 64, .names = names, .count = 1
	};
	struct sink sink = { .operations = &operations };
	struct pipeline pipeline = {};
	struct capture_jobs jobs;
	enum exit_code code;

	choose_options(&options, size);
	choose_file(data, size);
	pipeline_add(&pipeline, &sink);
	if (capture_jobs_start(&jobs, &options) < 0)
		abort();
	code = captures_run(&options, &pipeline, &jobs);
	capture_jobs_free(&jobs);
	require(code == EXIT_DONE || code == EXIT_FAILED);
	return 0;
}
