/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "byte_source.h"

#include "decompress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(SLICE >= SOURCE_PIECE_MAX, "a slice is enough for a piece");

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

	*source = (struct byte_source){ .whole = UINT64_MAX,
					.wait = wait,
					.context = context };
	source->fd = open_path(path, is_found);
	if (source->fd < 0)
		return -errno;
	if (fstat(source->fd, &status))
		error = -errno;
	else if (is_found && !S_ISREG(status.st_mode))
		error = -EINVAL; /* it was a regular file when it was found */
	if (!error) {
		source->is_regular = S_ISREG(status.st_mode);
		/* Standard input may begin within its file. */
		source->may_map = source->is_regular &&
				  (is_found || strcmp(path, "-") != 0);
		source->size = (__u64)status.st_size;
		source->buffer = malloc(ROOM_AT_FIRST);
		source->room = ROOM_AT_FIRST;
		source->at = source->end = source->begin = source->buffer;
		error = source->buffer ? 0 : -ENOMEM;
	}
	if (error)
		source_close(source);
	return error;
}

void source_close(struct byte_source *source)
{
	file_window_close(&source->window);
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

static bool grow_buffer(struct byte_source *source)
{
	const size_t room = SOURCE_PIECE_MAX + CHUNK;
	__u8 *buffer = realloc(source->buffer, room);

	if (!buffer)
		return stop(source, SOURCE_FAILED, strerror(ENOMEM));
	source->buffer = buffer;
	source->room = room;
	return true;
}

/* Moves what is at hand to the beginning of the room; makes room for the rest.
 */
static bool make_room(struct byte_source *source, size_t size)
{
	const size_t left = (size_t)(source->end - source->at);

	source_let_go(source);
	source->passed = source_offset(source);
	memmove(source->buffer, source->at, left);
	if (size + CHUNK > source->room && !grow_buffer(source))
		return false;
	source->at = source->begin = source->buffer;
	source->end = source->at + left;
	return true;
}

/* The next `size` bytes, by reading. */
static const __u8 *fetch_read(struct byte_source *source, size_t size)
{
	size_t left = (size_t)(source->end - source->at);

	if (!make_room(source, size))
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

/* --- a file that is mapped ------------------------------------------------ */

/* The file's size now; `otherwise`: it is not told. */
static __u64 size_now(const struct byte_source *source, __u64 otherwise)
{
	struct stat status;

	return fstat(source->fd, &status) ? otherwise : (__u64)status.st_size;
}

bool source_became_shorter(const struct byte_source *source)
{
	return source->is_regular && !source->decompressor &&
	       size_now(source, source->size) < source->size;
}

bool source_has(struct byte_source *source, __u64 offset)
{
	__u64 whole;

	if (!source->is_mapped)
		return true;
	whole = size_now(source, UINT64_MAX);
	if (bus_guard_has_zeros() &&
	    file_window_intact(&source->window) < whole)
		whole = file_window_intact(&source->window);
	if (offset > whole && source->whole > whole)
		source->whole = whole;
	return offset <= source->whole && offset <= whole;
}

/* Bytes were not there. `let_go` needs to know it, for those it still holds. */
static const __u8 *lose(struct byte_source *source)
{
	stop(source, SOURCE_FAILED,
	     source_became_shorter(source) ? BECAME_SHORTER : strerror(EIO));
	source_let_go(source);
	return NULL;
}

bool source_is_lost(struct byte_source *source)
{
	if (!source->is_mapped ||
	    source_has(source,
		       source->passed + (__u64)(source->end - source->begin)))
		return false;
	lose(source);
	return true;
}

/* Makes the next slice of the window available. */
static void take_slice(struct byte_source *source)
{
	const struct file_window *window = &source->window;
	const size_t from = (size_t)(source->end - source->begin);
	const size_t left = window->len - from;

	source->end += left < SLICE ? left : SLICE;
	source->bytes_read = window->at + (__u64)(source->end - source->begin);
}

static void copy_head(struct byte_source *source)
{
	const size_t left = (size_t)(source->end - source->at);

	source->head_len = left < SOURCE_HEAD ? left : SOURCE_HEAD;
	memcpy(source->head, source->at, source->head_len);
	/* From now on the copy is read, and not the window. */
	FORGET_MEMORY();
}

/* Moves the window to the source's position. False: it cannot be mapped. */
static bool move_window(struct byte_source *source, __u64 size)
{
	const __u64 offset = source_offset(source);
	struct file_window *window = &source->window;
	const bool is_first = !source->is_mapped;

	if (!file_window_move(window, source->fd, offset, size))
		return false;
	source->is_mapped = true;
	source->passed = window->at;
	source->begin = window->bytes;
	source->at = source->end = source->begin + (offset - window->at);
	source->touched = source->begin;
	take_slice(source);
	if (is_first) /* what source_head() returned was in the buffer */
		copy_head(source);
	return true;
}

/* Goes on by reading. False: that is not possible either. */
static bool leave_window(struct byte_source *source)
{
	const __u64 offset = source_offset(source);

	source->may_map = false;
	if (!source->is_mapped)
		return true;
	source->is_mapped = false;
	file_window_close(&source->window);
	source->passed = offset;
	source->at = source->end = source->begin = source->buffer;
	if (lseek(source->fd, (off_t)offset, SEEK_SET) >= 0)
		return true;
	return stop(source, SOURCE_FAILED, strerror(errno));
}

/* The next `size` bytes, of which the window's slice has fewer. */
static const __u8 *fetch_mapped(struct byte_source *source, size_t size)
{
	const __u64 offset = source_offset(source);
	const bool has_more =
		source->is_mapped &&
		(size_t)(source->end - source->begin) < source->window.len;
	__u64 whole;

	if (!has_more)
		source_let_go(source);
	if (!may_read(source)) {
		stop(source, SOURCE_STOPPED, NULL);
		return NULL;
	}
	if (has_more)
		take_slice(source);
	if ((size_t)(source->end - source->at) >= size)
		return source->at;
	source_let_go(source);
	whole = size_now(source, 0);
	if (whole > offset && !move_window(source, whole))
		return leave_window(source) ? fetch_read(source, size) : NULL;
	if ((size_t)(source->end - source->at) >= size)
		return source->at;
	if (whole <= offset)
		source->end = source->at;
	stop(source, SOURCE_ENDED, NULL);
	return NULL;
}

/* Whether more of the file can be mapped than is at hand. */
static bool is_mappable(const struct byte_source *source)
{
	return source->may_map && source->state == SOURCE_READS &&
	       size_now(source, 0) >
		       source->passed + (__u64)(source->end - source->begin);
}

const __u8 *source_fetch_view(struct byte_source *source, size_t size)
{
	const __u64 offset = source_offset(source);
	const bool is_at_hand = (size_t)(source->end - source->at) >= size;

	if (size > SOURCE_PIECE_MAX)
		return NULL;
	if (!source->is_mapped && !is_mappable(source))
		return fetch_read(source, size);
	if (source->state == SOURCE_FAILED)
		return NULL;
	if (!source_has(source, is_at_hand ? offset + size : offset))
		return lose(source);
	if (is_at_hand)
		return source->at;
	return source->state == SOURCE_READS ? fetch_mapped(source, size) :
					       NULL;
}

const __u8 *source_bytes(struct byte_source *source, size_t size)
{
	const __u8 *bytes = source_view(source, size);

	if (!bytes || !source->is_mapped)
		return bytes;
	if (size > source->room && !grow_buffer(source))
		return NULL;
	memcpy(source->buffer, bytes, size);
	/* From now on the copy is read, and not the window. */
	FORGET_MEMORY();
	return source_has(source, source_offset(source) + size) ?
		       source->buffer :
		       lose(source);
}

const __u8 *source_fetch_head(struct byte_source *source, size_t size)
{
	const __u64 offset = source_offset(source);
	const bool has_all = size_now(source, 0) >= offset + SOURCE_HEAD;
	const __u8 *bytes = source_view(source, has_all ? SOURCE_HEAD : size);

	if (!bytes || !source->is_mapped)
		return bytes;
	copy_head(source);
	return source_has(source, offset + size) ? source->head : lose(source);
}

/* --- both ------------------------------------------------------------------
 */

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
		if (!source_fetch_view(source, 1))
			return false;
	}
}

bool source_begin(struct byte_source *source)
{
	enum compression compression = COMPRESSION_NONE;
	size_t len;

	/* A short file has fewer bytes; packet_reader.c reports that. */
	fetch_read(source, COMPRESSION_MAGIC_MAX);
	len = (size_t)(source->end - source->at);
	if (len)
		compression = compression_of(source->at, len);
	source->compression = compression;
	source->may_map &= !compression;
	if (!compression)
		return len;
	source->decompressor = decompressor_new(compression, source->at, len);
	source->at = source->end = source->begin = source->buffer;
	if (!source->decompressor)
		return stop(source, SOURCE_FAILED, strerror(ENOMEM));
	if (source->state == SOURCE_ENDED) /* a short file may end here */
		source->state = SOURCE_READS;
	return source_fetch_view(source, 1);
}
