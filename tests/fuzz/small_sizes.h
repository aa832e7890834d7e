/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * In place of what user/capture/sizes.h has: a file of some hundred bytes is
 * read in several chunks, and mapped by several windows. CFLAGS include it.
 */
#ifndef BANNERPROBE_TESTS_FUZZ_SMALL_SIZES_H
#define BANNERPROBE_TESTS_FUZZ_SMALL_SIZES_H

#define CAPTURED_MAX 232
#define SOURCE_PIECE_MAX 256U /* and its header */
#define CHUNK 64U
#define ROOM_AT_FIRST (CHUNK + 64U)
#define SLICE 288U /* a piece, wherever in a page it begins */
#define WINDOW 320U
#define TOUCHED 64

#endif
