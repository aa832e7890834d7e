/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Decompresses gzip and zstd, any number of members or frames in a row. */
#ifndef BANNERPROBE_DECOMPRESS_H
#define BANNERPROBE_DECOMPRESS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

#define COMPRESSION_MAGIC_MAX 4 /* bytes that identify a compression */

enum compression compression_of(const __u8 *bytes, size_t len);

struct decompressor {
	bool complete;	     /* the input so far ends where a member ends */
	const char *problem; /* what is wrong with the input, or NULL */
};

/* `bytes`: the first bytes of the input, of one read. NULL without memory. */
struct decompressor *decompressor_new(enum compression compression,
				      const __u8 *bytes, size_t len);
void decompressor_free(struct decompressor *decompressor);

/* Writes up to `size` bytes. 0: more compressed bytes are needed, or problem.
 */
size_t decompressor_run(struct decompressor *decompressor, __u8 *to,
			size_t size);

/* Returns room for more input, once all input before is used up. */
size_t decompressor_room(struct decompressor *decompressor, __u8 **room);

/* Notes that so many bytes have been written to that room. */
void decompressor_add(struct decompressor *decompressor, size_t len);

#endif
