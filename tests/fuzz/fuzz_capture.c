/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the capture reader. An input is a file. Its size chooses the options,
 * whether it is compressed first, whether it is mapped, and what becomes of it
 * then, and whether it is read from a pipe, and in pieces of what size.
 *
 * Some are read twice: all at once, too. The result has to be the same; and
 * where the file changes, no banner may have bytes that are not in it.
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
#include "capture/decompress.h"
#include "capture/packet_reader.h"
#include "unit/wrap.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* --- what is compared ---------------------------------------------------- */

#define KEPT_MAX 32

/* What came of a file: all of it, and its banners. */
struct result {
	__u64 hash;
	enum exit_code code;
	size_t count; /* banners, of which the first ones are kept */
	struct kept {
		__u64 connection;
		__u32 len;
		__u8 bytes[BANNER_MAX];
	} banners[KEPT_MAX];
};

static struct result *current; /* of the reading that goes on */

static void add_to_hash(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		current->hash = (current->hash ^ (__u8)text[i]) * 0x100000001b3;
}

static void keep_banner(const struct event *event)
{
	if (current->count < KEPT_MAX) {
		struct kept *kept = &current->banners[current->count];

		kept->connection = event->connection;
		kept->len = event->kept;
		memcpy(kept->bytes, event->bytes, event->kept);
	}
	current->count++;
}

/* Whether the whole file has a banner that begins like this one. */
static bool is_in(const struct kept *one, const struct result *whole)
{
	for (size_t i = 0; i < whole->count; i++) {
		const struct kept *other = &whole->banners[i];

		if (other->connection == one->connection &&
		    other->len >= one->len &&
		    !memcmp(other->bytes, one->bytes, one->len))
			return true;
	}
	return false;
}

static void require_all_in(const struct result *part,
			   const struct result *whole)
{
	if (part->count > KEPT_MAX || whole->count > KEPT_MAX)
		return;
	for (size_t i = 0; i < part->count; i++)
		require(is_in(&part->banners[i], whole));
}

/* --- what takes the place of the program's functions --------------------- */

/* In place of user/system/message.c: made up, and not printed a million times.
 */
void message(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	add_to_hash(text, strlen(text));
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
	const size_t len = format_record(FORMAT_JSON, line, event, source);

	require(len <= LINE_MAX_BYTES);
	add_to_hash(line, len);
	if (event->kind == EVENT_BANNER)
		keep_banner(event);
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

static bool is_copied;

/* What reads the next packet, by the capture's format. */
static enum read_result (*format_next)(struct packet_reader *reader,
				       struct captured_packet *packet);

/*
 * Mostly a packet is copied out of its buffer, in which a read beyond the
 * packet would not be noticed. If it is not, a read after the buffer has other
 * content is noticed.
 */
static enum read_result guarded_next(struct packet_reader *reader,
				     struct captured_packet *packet)
{
	/* As many as may be in use at the same time, and the first bytes. */
	static const unsigned int places = BATCH_MAX + 1;
	static unsigned int next;
	enum read_result result;
	bool is_mapped;

	memory_file_tick();
	result = format_next(reader, packet);
	memory_file_tick();
	is_mapped = result == READ_DONE && packet->head != packet->bytes;

	_Static_assert(BATCH_MAX + 1 < GUARDED_PLACES, "each has a place");
	if (result != READ_DONE || !is_copied)
		return result;
	packet->bytes =
		guarded_copy(next++ % places, packet->bytes, packet->len);
	packet->head = is_mapped ? guarded_copy(places, packet->head,
						packet->head_len) :
				   packet->bytes;
	return result;
}

/* The linker replaces the functions of such names (--wrap). */
enum read_result __real_packet_reader_begin(struct packet_reader *reader);
enum read_result __wrap_packet_reader_begin(struct packet_reader *reader);

enum read_result __wrap_packet_reader_begin(struct packet_reader *reader)
{
	const enum read_result result = __real_packet_reader_begin(reader);

	format_next = reader->next;
	reader->next = guarded_next;
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
static void choose_compression(struct memory_file *file)
{
	static __u8 compressed[COMPRESSED_MAX];
	const size_t size = file->size;
	const unsigned int way = size / 8 % 16;

	if (size > COMPRESSED_MAX / 2 || way == 0 || way >= 4)
		return;
	if (way == 1)
		file->size = ZSTD_compressCCtx(zstd, compressed, COMPRESSED_MAX,
					       file->bytes, size, 1);
	else
		file->size = compress_gzip(compressed, file->bytes, size,
					   (int)way - 1);
	require(!ZSTD_isError(file->size));
	file->bytes = compressed;
}

/* What its size and its last byte choose, without regard to each other. */
static __u32 hash_of(const uint8_t *data, size_t size)
{
	__u32 hash = (__u32)size * 256 + (size ? data[size - 1] : 0);

	hash = (hash ^ hash >> 15) * 0x2c1b3c6d;
	hash = (hash ^ hash >> 12) * 0x297a2d39;
	return hash ^ hash >> 15;
}

static struct memory_file choose_file(const uint8_t *data, size_t size,
				      __u32 hash)
{
	static const enum file_change changes[8] = {
		FILE_STAYS,   FILE_STAYS, FILE_STAYS, FILE_SHRINKS,
		FILE_SHRINKS, FILE_GROWS, FILE_FAILS, FILE_COMES_BACK
	};
	struct memory_file file = { .bytes = data,
				    .size = size,
				    .piece = size & 2 ? 1 + size % 61 : 1 << 20,
				    .is_pipe = size % 5 == 0,
				    .is_unmappable = size % 9 == 0,
				    .change = changes[hash % 8],
				    .changes_at = 1 + hash / 8 % 16 };

	choose_compression(&file);
	file.rest = file.size * (hash / 1024 % 64) / 64;
	return file;
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

static void read_file(const struct memory_file *file, size_t size,
		      struct result *into)
{
	const char *names[] = { MEMORY_FILE, NULL };
	struct options options = {
		.length = 64, .max_flows = 64, .names = names, .count = 1
	};
	struct sink sink = { .operations = &operations };
	struct pipeline pipeline = {};
	struct capture_jobs jobs;

	current = into;
	into->hash = 0xcbf29ce484222325;
	into->count = 0;
	choose_options(&options, size);
	memory_file_set(file);
	pipeline_add(&pipeline, &sink);
	if (capture_jobs_start(&jobs, &options) < 0)
		abort();
	into->code = captures_run(&options, &pipeline, &jobs);
	capture_jobs_free(&jobs);
	require(into->code == EXIT_DONE || into->code == EXIT_FAILED);
}

/*
 * A pipe has a clock of its own. How much of damaged zstd is decompressed, zstd
 * decides by the pieces; and what is compressed twice is not opened.
 */
static bool is_comparable(const struct memory_file *file, const uint8_t *data,
			  size_t size)
{
	return !file->is_pipe && compression_of(data, size) == COMPRESSION_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result first, whole;
	const struct memory_file plain = { .bytes = data,
					   .size = size,
					   .piece = 1 << 20,
					   .is_unmappable = true };
	const __u32 hash = hash_of(data, size);
	const struct memory_file file = choose_file(data, size, hash);

	is_copied = hash / 128 % 2;
	read_file(&file, size, &first);
	if (hash / 256 % 4 || !is_comparable(&file, data, size))
		return 0;
	is_copied = true;
	read_file(&plain, size, &whole);
	if (file.change == FILE_STAYS)
		require(first.hash == whole.hash && first.code == whole.code);
	else
		require_all_in(&first, &whole);
	return 0;
}
