/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bytes of a file, a pipe or standard input, in order. Content that begins
 * like gzip or zstd is decompressed.
 *
 * A regular file that is not compressed is mapped behind its first chunk, where
 * it can be: most bytes of a capture are not looked at, so they need not be
 * copied. All else is read. Either way a file that becomes longer meanwhile is
 * read to its new end, and of one that becomes shorter no byte is made up.
 */
#ifndef BANNERPROBE_BYTE_SOURCE_H
#define BANNERPROBE_BYTE_SOURCE_H

#include "decompress.h"
#include "file_window.h"
#include "sizes.h"

#include "platform.h"
#include "system/bus_guard.h"
#include "system/cache_line.h"

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Bytes that source_head() copies: the header of a packet or block, and mostly
 * the packet's own headers.
 */
#define SOURCE_HEAD 96

enum source_state {
	SOURCE_READS,
	SOURCE_ENDED,
	SOURCE_FAILED,	/* `problem` says why */
	SOURCE_STOPPED, /* `wait` has returned false */
};

struct byte_source {
	const __u8 *at;	   /* the first byte at hand that is not yet taken */
	const __u8 *end;   /* one past the last byte at hand */
	const __u8 *begin; /* the first byte at hand: of buffer or window */
	__u64 passed;	   /* bytes of the content before that */
	bool is_mapped;	   /* at hand is what the window has */
	bool may_map;
	__u8 *buffer;
	size_t room; /* bytes of the buffer */
	struct file_window window;
	const __u8 *touched;	/* of the window: mapped by a fault before */
	__u8 head[SOURCE_HEAD]; /* copied from the window */
	size_t head_len;
	int fd;
	bool is_regular;
	__u64 size;	  /* of a regular file, when opened */
	__u64 whole;	  /* what lies beyond was not there */
	__u64 bytes_read; /* of the file, compressed or not */
	enum compression compression;
	struct decompressor *decompressor; /* NULL: not compressed */
	enum source_state state;
	const char *problem;
	bool (*wait)(int fd, void *context);
	/* Called before bytes that source_view() returned become invalid; or
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

/* Takes any number of bytes; false if fewer are left. */
bool source_skip(struct byte_source *source, __u64 size);

/* Reads or maps until `size` bytes can be viewed; NULL if fewer are left. */
const __u8 *source_fetch_view(struct byte_source *source, size_t size);

/*
 * The next `size` bytes, at most SOURCE_PIECE_MAX, in one piece, valid until
 * the next call; NULL if fewer are left. Another process may change them at any
 * time, so what is checked has to be copied first; and whether they were there
 * is known from source_has() only.
 */
static inline const __u8 *source_view(struct byte_source *source, size_t size)
{
	if ((size_t)(source->end - source->at) >= size &&
	    !(source->is_mapped && bus_guard_has_zeros()))
		return source->at;
	return source_fetch_view(source, size);
}

/* The same bytes, which nobody changes any more. */
const __u8 *source_bytes(struct byte_source *source, size_t size);

const __u8 *source_fetch_head(struct byte_source *source, size_t size);

/*
 * The same for a header of at most SOURCE_HEAD bytes, of which the last four
 * are rarely zero. Where the file is mapped, what follows it is copied, too.
 */
static inline const __u8 *source_head(struct byte_source *source, size_t size)
{
	__u32 last;

	if (!source->is_mapped)
		return source_view(source, size);
	if (source->end - source->at < SOURCE_HEAD)
		return source_fetch_head(source, size);
	memcpy(source->head, source->at, SOURCE_HEAD);
	source->head_len = SOURCE_HEAD;
	/* From now on the copy is read, and not the window. */
	FORGET_MEMORY();
	memcpy(&last, source->head + size - sizeof(last), sizeof(last));
	return last && !bus_guard_has_zeros() ? source->head :
						source_fetch_head(source, size);
}

/*
 * Prefetches a header that is to be read later, so many bytes from here. Only
 * mapped pages can be prefetched.
 */
static inline void source_prefetch(struct byte_source *source, size_t ahead)
{
	const __u8 *later = source->at + ahead;

	if ((size_t)(source->end - source->at) < ahead + SOURCE_HEAD ||
	    !source->is_mapped)
		return;
	while (later + SOURCE_HEAD > source->touched) {
		*(const volatile __u8 *)source->touched;
		source->touched +=
			TOUCHED - (uintptr_t)source->touched % TOUCHED;
	}
	__builtin_prefetch(later);
	__builtin_prefetch(later + CACHE_LINE);
	__builtin_prefetch(later + SOURCE_HEAD - 1);
}

/*
 * Whether the file has, and had in its window, all bytes before an offset.
 * Zeros may have been read in place of what it has not.
 */
bool source_has(struct byte_source *source, __u64 offset);

#define BECAME_SHORTER "the file became shorter while it was read"

/* Whether the file is shorter than when it was opened. */
bool source_became_shorter(const struct byte_source *source);

/*
 * Whether bytes at hand are not the file's. Then the source has failed; else
 * what is wrong with the content is so in the file.
 */
bool source_is_lost(struct byte_source *source);

/* Announces that bytes that source_view() returned become invalid. */
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

/* Bytes taken so far, counted after decompression: where the next one is. */
static inline __u64 source_offset(const struct byte_source *source)
{
	return source->passed + (__u64)(source->at - source->begin);
}

#endif
