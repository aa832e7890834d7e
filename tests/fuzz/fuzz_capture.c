/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the capture reader. An input is a file. Its size decides whether it is
 * compressed, and how small the pieces are in which it is read, as from a pipe.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "pipeline/from_captures.h"
#include "pipeline/packet_batch.h"
#include "sinks/format.h"
#include "system/message.h"
#include "capture/packet_reader.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file;

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
 * The linker replaces the functions of these names (--wrap). A packet is copied
 * out of its buffer, in which ASan would not notice a read beyond the packet.
 */
enum read_result __real_packet_reader_next(struct packet_reader *reader,
					   struct captured_packet *packet);
enum read_result __wrap_packet_reader_next(struct packet_reader *reader,
					   struct captured_packet *packet);

enum read_result __wrap_packet_reader_next(struct packet_reader *reader,
					   struct captured_packet *packet)
{
	static __u8 *copies[BATCH_MAX + 1]; /* of those that may be in use */
	static unsigned int next;
	enum read_result result = __real_packet_reader_next(reader, packet);
	__u8 **copy = &copies[next++ % (BATCH_MAX + 1)];

	free(*copy);
	*copy = NULL;
	if (result != READ_DONE)
		return result;
	*copy = malloc(packet->len);
	require(*copy || !packet->len);
	if (packet->len)
		memcpy(*copy, packet->bytes, packet->len);
	packet->bytes = *copy;
	return result;
}

ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size);

static size_t piece; /* the most bytes that are read at once */

ssize_t __wrap_read(int fd, void *to, size_t size)
{
	return __real_read(fd, to, size < piece ? size : piece);
}

#define COMPRESSED_MAX (1 << 20)

/* In one member, or in two: the half of the input in each. */
static size_t compress_gzip(__u8 *to, const uint8_t *data, size_t size,
			    int members)
{
	z_stream stream = {};
	size_t done = 0;

	require(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8,
			     Z_DEFAULT_STRATEGY) == Z_OK);
	for (int i = 0; i < members; i++) {
		const size_t from = size * i / members;

		stream.next_in = (z_const Bytef *)data + from;
		stream.avail_in = (uInt)(size * (i + 1) / members - from);
		stream.next_out = to + done;
		stream.avail_out = (uInt)(COMPRESSED_MAX - done);
		require(deflate(&stream, Z_FINISH) == Z_STREAM_END);
		done = COMPRESSED_MAX - stream.avail_out;
		require(deflateReset(&stream) == Z_OK);
	}
	deflateEnd(&stream);
	return done;
}

static void write_file(const uint8_t *data, size_t size, unsigned int way)
{
	static __u8 compressed[COMPRESSED_MAX];

	if (size > COMPRESSED_MAX / 2)
		way = 0;
	if (way == 1) {
		size = ZSTD_compress(compressed, COMPRESSED_MAX, data, size, 1);
		require(!ZSTD_isError(size));
	} else if (way > 1) {
		size = compress_gzip(compressed, data, size, (int)way - 1);
	}
	require(!ftruncate(file, 0));
	require(pwrite(file, way ? compressed : data, size, 0) ==
		(ssize_t)size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("capture", 0);
	require(file >= 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	const char *names[] = { path, NULL };
	struct options options = {
		.length = 64, .max_flows = 64, .names = names, .count = 1
	};
	struct sink sink = { .operations = &operations };
	struct pipeline pipeline = {};
	struct capture_jobs jobs;
	enum exit_code code;

	if (size & 1) { /* all that may be asked of the tracker */
		options.gather_ms = 1;
		options.track.gather = options.length;
		options.track.times = options.track.rtt = true;
	}
	piece = size & 2 ? 1 + size % 61 : 1 << 20;
	options.sequence = size & 4;
	/* Mostly as it is; by zstd; by gzip, in one member and in two. */
	write_file(data, size, size / 8 % 8 < 4 ? size / 8 % 8 : 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	pipeline_add(&pipeline, &sink);
	if (capture_jobs_start(&jobs, &options) < 0)
		abort();
	code = captures_run(&options, &pipeline, &jobs);
	capture_jobs_free(&jobs);
	require(code == EXIT_DONE || code == EXIT_FAILED);
	return 0;
}
