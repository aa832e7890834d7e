/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A file in memory. The linker replaces the functions of the C library (--wrap)
 * by some that take no system call for it, as these took most of the time.
 */
#ifndef BANNERPROBE_TESTS_FUZZ_MEMORY_FILE_H
#define BANNERPROBE_TESTS_FUZZ_MEMORY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define MEMORY_FILE "file in memory" /* its path */

struct memory_file {
	const void *bytes;
	size_t size;
	size_t piece; /* the most bytes that are read at once */
	bool is_pipe; /* else a regular file */
	bool is_unmappable;
	/*
	 * The file becomes shorter, by half, when its size is asked for the
	 * so-many-th time after it was mapped; 0: it does not.
	 */
	unsigned int shrinks;
};

/* The file that is opened from now on. Its bytes are not copied. */
void memory_file_set(const struct memory_file *file);

#endif
