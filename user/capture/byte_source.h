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

/* The most bytes that source_bytes() returns in one piece. */
#define SOURCE_PIECE_MAX (1U << 19)

enum source_state {
	SOURCE_READS,
	SOURCE_ENDED,
	SOURCE_FAILED,	/* `problem` says why */
	SOURCE_STOPPED, /* `wait` has returned false */
};

struct byte_source {
	const __u8 *at;	 /* the first byte at hand that is not yet taken */
	const __u8 *end; /* one past the last byte at hand */
	__u8 *buffer;
	size_t room;  /* bytes of the buffer */
	__u64 passed; /* bytes of the content before the buffer's first */
	int fd;
	bool is_regular;
	__u64 size;			   /* of a regular file */
	__u64 bytes_read;		   /* of the file, compressed or not */
	struct decompressor *decompressor; /* NULL: not compressed */
	enum source_state state;
	const char *problem;
	bool (*wait)(int fd, void *context);
	/* Called before bytes that source_bytes() returned become invalid; or
	 * NULL. */
	void (*let_go)(void *context);
	void *context;
};

/*
 * Opens a file, or standard input ("-"). Negative errno on failure. `wait`, if
 * it is not NULL, is called with the descriptor before bytes are read. It
 * returns true when bytes may be there, for a regular file at once, and false
 * if the reading has to end. With -1 it only checks that. `is_found`: the file
 * was found in a directory; then no link is followed, and only a regular file
 * is opened.
 */
int source_open(struct byte_source *source, const char *path, bool is_found,
		bool (*wait)(int fd, void *context), void *context);
void source_close(struct byte_source *source);

/*
 * Examines the first bytes. If the content is compressed, it is decompressed
 * from now on. False if nothing can be read: source->state and source->problem
 * have the reason.
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

/* Announces that bytes that source_bytes() returned become invalid. */
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
