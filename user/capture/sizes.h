/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How much of a file is at hand at a time. */
#ifndef BANNERPROBE_SIZES_H
#define BANNERPROBE_SIZES_H

#ifndef SOURCE_PIECE_MAX /* a fuzzer has less of all, for its small files */

/* Bytes of a packet: no program captures more. */
#define CAPTURED_MAX 262144

/* The most bytes that source_view() returns in one piece. */
#define SOURCE_PIECE_MAX (1U << 19)

#define CHUNK (1U << 18)
#define ROOM_AT_FIRST (CHUNK + (1U << 14)) /* enough for most packets */

/* Of a window, between two looks at signals. */
#define SLICE (1U << 20)

/*
 * More costs memory that is counted as this process's, and saves no time; with
 * 1 MiB the changes of the mapping take a tenth of the time of reading.
 */
#define WINDOW (1U << 22)

#define TOUCHED 65536 /* what the kernel maps by one fault, if it is cached */

#endif
#endif
