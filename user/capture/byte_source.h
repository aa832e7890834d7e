/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bytes of a file, a pipe or standard input, in order. Content that begins
 * like gzip or zstd is decompressed.
 *
 * They are read in chunks that stay in a CPU's cache, not mapped. That is as
 * fast, and a file that is cut during the reading ends early and causes no
 * SIGBUS.
 */
#ifndef BANNERPROBE_BYTE_SOURCE_H
#define BANNERPROBE_BYTE_SOURCE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* The most bytes that can be had in one piece. */
#define SOURCE_PIECE_MAX (1U << 19)

enum source_state {
	SOURCE_READS,
	SOURCE_ENDED,
	SOURCE_FAILED,	/* `problem` says why */
	SOURCE_STOPPED, /* `wait` has said so */
};

struct byte_source {
	const __u8 *at;	 /* what is at hand and not yet taken, */
	const __u8 *end; /* and one past its last byte */
	__u8 *buffer;
	size_t room;  /* bytes of it */
	__u64 passed; /* bytes before the buffer's first */
	int fd;
	bool is_regular;
	__u64 size;			   /* of a regular file */
	__u64 bytes_read;		   /* of the file, compressed or not */
	struct decompressor *decompressor; /* NULL: not compressed */
	enum source_state state;
	const char *problem;
	bool (*wait)(int fd, void *context);
	/* Called before bytes that were handed out become invalid; or NULL. */
	void (*let_go)(void *context);
	void *context;
};

/*
 * Opens a file, or standard input ("-"). `wait` is called before bytes are
 * read: it returns when bytes may be there, for a regular file at once, or
 * false if the reading is to end; with -1 it does not wait. NULL: it is not
 * called. `is_found`: the file was found in a directory; then no link is
 * followed, and only a regular file is opened. Negative errno.
 */
int source_open(struct byte_source *source, const char *path, bool is_found,
		bool (*wait)(int fd, void *context), void *context);
void source_close(struct byte_source *source);

/*
 * Examines the first bytes, and decompresses from now on if they say so. False
 * if nothing can be read; source->state and source->problem give the reason.
 */
bool source_begin(struct byte_source *source);

/* Reads until `size` bytes are at hand; NULL if fewer are left. */
const __u8 *source_fetch(struct byte_source *source, size_t size);

/* Takes any number of bytes; false if fewer are left. */
bool source_skip(struct byte_source *source, __u64 size);

/*
 * The next `size` bytes, at most SOURCE_PIECE_MAX, in one piece, valid until
 * the next call; NULL if fewer are left.
 */
static inline const __u8 *source_bytes(struct byte_source *source, size_t size)
{
	if ((size_t)(source->end - source->at) >= size)
		return source->at;
	return source_fetch(source, size);
}

/* The bytes that were handed out are no longer needed. */
static inline void source_let_go(const struct byte_source *source)
{
	if (source->let_go)
		source->let_go(source->context);
}

/* Takes bytes that are at hand. */
static inline void source_take(struct byte_source *source, size_t size)
{
	source->at += size;
}

/* Bytes taken so far, counted after decompression. */
static inline __u64 source_offset(const struct byte_source *source)
{
	return source->passed + (__u64)(source->at - source->buffer);
}

#endif
