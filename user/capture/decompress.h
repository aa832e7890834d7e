/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* gzip and zstd, with as many members or frames as there are in a row. */
#ifndef BANNERPROBE_DECOMPRESS_H
#define BANNERPROBE_DECOMPRESS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

#define COMPRESSION_MAGIC_MAX 4 /* bytes that tell */

enum compression compression_of(const __u8 *bytes, size_t len);

struct decompressor {
	bool complete;	     /* all that was given ends where a member ends */
	const char *problem; /* what is wrong with it, or NULL */
};

/* `bytes`: the first of what is compressed. NULL without memory. */
struct decompressor *decompressor_new(enum compression compression,
				      const __u8 *bytes, size_t len);
void decompressor_free(struct decompressor *decompressor);

/* Writes up to `size` bytes. 0: more compressed bytes are needed, or problem.
 */
size_t decompressor_run(struct decompressor *decompressor, __u8 *to,
			size_t size);

/* Room for compressed bytes, once all that there were are used up. */
size_t decompressor_room(struct decompressor *decompressor, __u8 **room);

/* So many bytes have been put there. */
void decompressor_add(struct decompressor *decompressor, size_t len);

#endif
