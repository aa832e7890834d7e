/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "decompress.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "sizes.h"

/* One read, after one that was too short to tell the compression. */
#define ROOM (CHUNK + COMPRESSION_MAGIC_MAX)
#define GZIP_WINDOW (15 + 16) /* zlib.h: the largest, and gzip's header */

/* `common` is first, so a pointer to it is a pointer to the whole. */
struct state {
	struct decompressor common;
	z_stream gzip;
	ZSTD_DStream *zstd; /* NULL: gzip */
	const __u8 *in;
	size_t in_len;
	bool is_full; /* there was no room for all that can be written */
	__u8 room[ROOM];
};

static struct state *state_of(struct decompressor *decompressor)
{
	return (struct state *)decompressor;
}

enum compression compression_of(const __u8 *bytes, size_t len)
{
	if (len >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
		return COMPRESSION_GZIP;
	if (len < 4)
		return COMPRESSION_NONE;
	if (!memcmp(bytes, "\x28\xb5\x2f\xfd", 4))
		return COMPRESSION_ZSTD;
	/* zstd: a skippable frame may come first. */
	if ((bytes[0] & 0xf0) == 0x50 && !memcmp(bytes + 1, "\x2a\x4d\x18", 3))
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

struct decompressor *decompressor_new(enum compression compression,
				      const __u8 *bytes, size_t len)
{
	struct state *state = malloc(sizeof(*state));
	bool open = false;

	if (!state || len > ROOM) {
		free(state);
		return NULL;
	}
	memset(state, 0, offsetof(struct state, room));
	memcpy(state->room, bytes, len);
	state->in = state->room;
	state->in_len = len;
	if (compression == COMPRESSION_GZIP)
		open = inflateInit2(&state->gzip, GZIP_WINDOW) == Z_OK;
	else
		open = (state->zstd = ZSTD_createDStream());
	if (open)
		return &state->common;
	free(state);
	return NULL;
}

void decompressor_free(struct decompressor *decompressor)
{
	if (!decompressor)
		return;
	if (state_of(decompressor)->zstd)
		ZSTD_freeDStream(state_of(decompressor)->zstd);
	else
		inflateEnd(&state_of(decompressor)->gzip);
	free(state_of(decompressor));
}

/* Zeros between gzip's members are the padding of a tape's block. */
static void skip_zeros(struct state *state)
{
	while (state->in_len && !*state->in) {
		state->in++;
		state->in_len--;
	}
}

static size_t run_gzip(struct state *state, __u8 *to, size_t size)
{
	const bool is_between = state->common.complete;
	z_stream *gzip = &state->gzip;
	int result;

	gzip->next_in = (z_const Bytef *)state->in;
	gzip->avail_in = (uInt)state->in_len;
	gzip->next_out = to;
	gzip->avail_out = (uInt)size;
	result = inflate(gzip, Z_NO_FLUSH);
	state->in = gzip->next_in;
	state->in_len = gzip->avail_in;
	state->common.complete = result == Z_STREAM_END;
	if (result == Z_STREAM_END)
		inflateReset(gzip);
	else if (result != Z_OK && result != Z_BUF_ERROR)
		state->common.problem =
			result == Z_MEM_ERROR ? "out of memory" :
			is_between ? "something that is not compressed follows "
				     "the compressed data" :
				     "the compressed data are damaged";
	return size - gzip->avail_out;
}

static size_t run_zstd(struct state *state, __u8 *to, size_t size)
{
	ZSTD_inBuffer in = { state->in, state->in_len, 0 };
	ZSTD_outBuffer out = { to, size, 0 };
	const bool is_between = state->common.complete;
	size_t result = ZSTD_decompressStream(state->zstd, &out, &in);

	state->in += in.pos;
	state->in_len -= in.pos;
	state->common.complete = !result;
	if (!ZSTD_isError(result))
		return out.pos;
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		state->common.problem =
			"it is compressed with a window of more than 128 MiB: "
			"zstd -dc --long=31 FILE | bannerprobe -r -";
		break;
	case ZSTD_error_memory_allocation:
		state->common.problem = "out of memory";
		break;
	default:
		state->common.problem =
			is_between ? "something that is not compressed follows "
				     "the compressed data" :
				     "the compressed data are damaged";
	}
	return out.pos;
}

size_t decompressor_run(struct decompressor *decompressor, __u8 *to,
			size_t size)
{
	struct state *state = state_of(decompressor);
	size_t done = 0;

	while (!done && !decompressor->problem) {
		if (decompressor->complete)
			skip_zeros(state);
		if (!state->in_len &&
		    (decompressor->complete || !state->is_full))
			break;
		done = state->zstd ? run_zstd(state, to, size) :
				     run_gzip(state, to, size);
		state->is_full = done == size;
	}
	return done;
}

size_t decompressor_room(struct decompressor *decompressor, __u8 **room)
{
	*room = state_of(decompressor)->room;
	return ROOM;
}

void decompressor_add(struct decompressor *decompressor, size_t len)
{
	struct state *state = state_of(decompressor);

	state->in = state->room;
	state->in_len = len;
}
