/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "file_window.h"

#include "sizes.h"

#include "system/bus_guard.h"

#include <sys/mman.h>
#include <unistd.h>

bool file_window_move(struct file_window *window, int fd, __u64 offset,
		      __u64 size)
{
	const __u64 page = offset - offset % (__u64)sysconf(_SC_PAGESIZE);
	const size_t len =
		size - page < WINDOW ? (size_t)(size - page) : WINDOW;
	void *bytes;

	file_window_close(window);
	bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (bytes == MAP_FAILED)
		return false;
	*window = (struct file_window){ bytes, len, page };
	/* So the kernel reads ahead as much as it does for read(). */
	madvise(bytes, len, MADV_SEQUENTIAL);
	if (bus_guard_watch(bytes, len))
		return true;
	file_window_close(window);
	return false;
}

void file_window_close(struct file_window *window)
{
	if (!window->len)
		return;
	bus_guard_release();
	munmap((void *)window->bytes, window->len);
	*window = (struct file_window){};
}

__u64 file_window_intact(const struct file_window *window)
{
	return window->at + bus_guard_intact();
}
