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

/* What becomes of a file while it is read. Of a mapped one, a fault is seen. */
enum file_change {
	FILE_STAYS,
	FILE_SHRINKS,	 /* by half */
	FILE_COMES_BACK, /* it shrinks, and has its size again at the next time
			  */
	FILE_GROWS,	 /* it is shorter until then */
	FILE_FAILS,	 /* what is mapped cannot be read */
};

struct memory_file {
	const void *bytes;
	size_t size;
	size_t piece; /* the most bytes that are read at once */
	bool is_pipe; /* else a regular file */
	bool is_unmappable;
	enum file_change change;
	size_t rest; /* bytes that it has when it is shorter, or can be read */
	/* When: at the so-many-th question for its size, or tick. */
	unsigned int changes_at;
};

/* The file that is opened from now on. Its bytes are not copied. */
void memory_file_set(const struct memory_file *file);

/* The file may change here. */
void memory_file_tick(void);

#endif
