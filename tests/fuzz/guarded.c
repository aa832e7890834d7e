/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "guarded.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define BEFORE 64 /* bytes before a copy that ASan guards */

/* One past the last byte that may be read. The page behind may not. */
static __u8 *end_new(void)
{
	const size_t size = PAGE + GUARDED_MAX;
	__u8 *begin = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (begin == MAP_FAILED || mprotect(begin + size, PAGE, PROT_NONE))
		abort();
	return begin + size;
}

__u8 *guarded_copy(unsigned int place, const void *data, size_t len)
{
	static __u8 *ends[GUARDED_PLACES];
	__u8 *copy;

	if (place >= GUARDED_PLACES || len > GUARDED_MAX)
		abort();
	if (!ends[place])
		ends[place] = end_new();
	copy = ends[place] - len;
	ASAN_UNPOISON_MEMORY_REGION(copy - BEFORE, BEFORE + len);
	if (len)
		memcpy(copy, data, len);
	ASAN_POISON_MEMORY_REGION(copy - BEFORE, BEFORE);
	return copy;
}
