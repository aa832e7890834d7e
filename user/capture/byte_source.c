/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "byte_source.h"

#include "decompress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (1U << 18)
#define ROOM_AT_FIRST (CHUNK + (1U << 14)) /* enough for most packets */

static int open_path(const char *path, bool is_found)
{
	int fd;

	if (!is_found && !strcmp(path, "-"))
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	/* O_NONBLOCK: `wait` waits for a FIFO's writer, not open(). */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
				(is_found ? O_NOFOLLOW : 0));
	return fd;
}

int source_open(struct byte_source *source, const char *path, bool is_found,
		bool (*wait)(int fd, void *context), void *context)
{
	struct stat status;
	int error = 0;

	*source = (struct byte_source){ .wait = wait, .context = context };
	source->fd = open_path(path, is_found);
	if (source->fd < 0)
		return -errno;
	if (fstat(source->fd, &status))
		error = -errno;
	else if (is_found && !S_ISREG(status.st_mode))
		error = -EINVAL; /* it was a regular file when it was found */
	if (!error) {
		source->is_regular = S_ISREG(status.st_mode);
		source->size = (__u64)status.st_size;
		source->buffer = malloc(ROOM_AT_FIRST);
		source->room = ROOM_AT_FIRST;
		source->at = source->end = source->buffer;
		error = source->buffer ? 0 : -ENOMEM;
	}
	if (error)
		source_close(source);
	return error;
}

void source_close(struct byte_source *source)
{
	decompressor_free(source->decompressor);
	free(source->buffer);
	close(source->fd);
	*source = (struct byte_source){ .fd = -1 };
}

static size_t stop(struct byte_source *source, enum source_state state,
		   const char *problem)
{
	source->state = state;
	source->problem = problem;
	return 0;
}

/* Waits until bytes may be there. False: the reading has to end. */
static bool may_read(struct byte_source *source)
{
	return !source->wait || source->wait(source->fd, source->context);
}

/* Reads the bytes that the file has at hand; 0: the end, or a failure. */
static size_t read_file_bytes(struct byte_source *source, __u8 *to, size_t size)
{
	ssize_t got;

	do {
		if (!may_read(source))
			return stop(source, SOURCE_STOPPED, NULL);
		got = read(source->fd, to, size);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0)
		return stop(source, SOURCE_FAILED, strerror(errno));
	if (!got)
		return stop(source, SOURCE_ENDED, NULL);
	source->bytes_read += (__u64)got;
	return (size_t)got;
}

static size_t read_decompressed(struct byte_source *source, __u8 *to,
				size_t size)
{
	struct decompressor *decompressor = source->decompressor;
	size_t got;

	/*
	 * A few compressed bytes may become gigabytes, so the stop is checked
	 * here.
	 */
	if (source->wait && !source->wait(-1, source->context))
		return stop(source, SOURCE_STOPPED, NULL);
	while (!(got = decompressor_run(decompressor, to, size))) {
		__u8 *room;
		size_t len = decompressor_room(decompressor, &room);

		if (decompressor->problem)
			return stop(source, SOURCE_FAILED,
				    decompressor->problem);
		len = read_file_bytes(source, room, len);
		if (len)
			decompressor_add(decompressor, len);
		else if (source->state == SOURCE_ENDED &&
			 !decompressor->complete)
			return stop(source, SOURCE_FAILED,
				    "the compressed data end too early");
		else
			return 0;
	}
	return got;
}

/* Moves what is at hand to the beginning of the room; makes room for the rest.
 */
static bool make_room(struct byte_source *source, size_t size)
{
	const size_t left = (size_t)(source->end - source->at);
	__u8 *buffer;

	source_let_go(source);
	source->passed += (__u64)(source->at - source->buffer);
	memmove(source->buffer, source->at, left);
	if (size + CHUNK > source->room) {
		buffer = realloc(source->buffer, SOURCE_PIECE_MAX + CHUNK);
		if (!buffer)
			return stop(source, SOURCE_FAILED, strerror(ENOMEM));
		source->buffer = buffer;
		source->room = SOURCE_PIECE_MAX + CHUNK;
	}
	source->at = source->buffer;
	source->end = source->at + left;
	return true;
}

const __u8 *source_fetch(struct byte_source *source, size_t size)
{
	size_t left = (size_t)(source->end - source->at);

	if (size > SOURCE_PIECE_MAX || !make_room(source, size))
		return NULL;
	while (left < size && source->state == SOURCE_READS)
		left += source->decompressor ?
				read_decompressed(source, source->buffer + left,
						  CHUNK) :
				read_file_bytes(source, source->buffer + left,
						CHUNK);
	source->end = source->buffer + left;
	return left >= size ? source->at : NULL;
}

bool source_skip(struct byte_source *source, __u64 size)
{
	for (;;) {
		size_t at_hand = (size_t)(source->end - source->at);

		if (at_hand >= size) {
			source->at += size;
			return true;
		}
		size -= at_hand;
		source->at = source->end;
		if (!source_fetch(source, 1))
			return false;
	}
}

bool source_begin(struct byte_source *source)
{
	enum compression compression = COMPRESSION_NONE;
	size_t len;

	/* A short file has fewer bytes; packet_reader.c reports that. */
	source_fetch(source, COMPRESSION_MAGIC_MAX);
	len = (size_t)(source->end - source->at);
	if (len)
		compression = compression_of(source->at, len);
	if (!compression)
		return len;
	source->decompressor = decompressor_new(compression, source->at, len);
	source->at = source->end = source->buffer;
	if (!source->decompressor)
		return stop(source, SOURCE_FAILED, strerror(ENOMEM));
	if (source->state == SOURCE_ENDED) /* a short file may end here */
		source->state = SOURCE_READS;
	return source_fetch(source, 1);
}
