/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "memory_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTOR (1 << 24) /* no real one is so large */

/* What the linker calls the replaced functions, and those in their place. */
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, ...);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_stat(const char *path, struct stat *status);
int __wrap_stat(const char *path, struct stat *status);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size);
void *__real_mmap(void *at, size_t len, int protection, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd,
		  off_t offset);
int __real_munmap(void *mapping, size_t len);
int __wrap_munmap(void *mapping, size_t len);
int __real_madvise(void *mapping, size_t len, int advice);
int __wrap_madvise(void *mapping, size_t len, int advice);
off_t __real_lseek(int fd, off_t offset, int whence);
off_t __wrap_lseek(int fd, off_t offset, int whence);
int __wrap_poll(struct pollfd *polled, nfds_t count, int milliseconds);
int __real_scandir(const char *path, struct dirent ***entries,
		   int (*takes)(const struct dirent *entry),
		   int (*compare)(const struct dirent **one,
				  const struct dirent **other));
int __wrap_scandir(const char *path, struct dirent ***entries,
		   int (*takes)(const struct dirent *entry),
		   int (*compare)(const struct dirent **one,
				  const struct dirent **other));

static struct memory_file file;
static size_t at;	/* bytes that have been read */
static bool is_waiting; /* the pipe has nothing at the moment */

/* The part of the file that is mapped: a copy with no byte behind it. */
static char *window;
static size_t window_at, window_len;

void memory_file_set(const struct memory_file *set)
{
	file = *set;
}

static bool is_ours(const char *path)
{
	return !strcmp(path, MEMORY_FILE);
}

static int describe(struct stat *status)
{
	*status =
		(struct stat){ .st_mode = file.is_pipe ? S_IFIFO : S_IFREG,
			       .st_size = file.is_pipe ? 0 : (off_t)file.size };
	return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	if (is_ours(path)) {
		at = 0;
		is_waiting = false;
		return DESCRIPTOR;
	}
	va_start(arguments, flags);
	if (flags & O_CREAT)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return __real_open(path, flags, mode);
}

int __wrap_close(int fd)
{
	return fd == DESCRIPTOR ? 0 : __real_close(fd);
}

int __wrap_stat(const char *path, struct stat *status)
{
	return is_ours(path) ? describe(status) : __real_stat(path, status);
}

/* What a mapping shows is zero then, at least in the new last page. */
static void shrink(void)
{
	file.size /= 2;
	if (file.size < window_at + window_len)
		memset(file.size > window_at ?
			       window + (file.size - window_at) :
			       window,
		       0,
		       file.size > window_at ?
			       window_at + window_len - file.size :
			       window_len);
}

int __wrap_fstat(int fd, struct stat *status)
{
	if (fd != DESCRIPTOR)
		return __real_fstat(fd, status);
	if (window && file.shrinks && !--file.shrinks)
		shrink();
	return describe(status);
}

/* Once at most; a window is not longer than the file is at that time. */
void *__wrap_mmap(void *address, size_t len, int protection, int flags, int fd,
		  off_t offset)
{
	if (fd != DESCRIPTOR)
		return __real_mmap(address, len, protection, flags, fd, offset);
	if (file.is_unmappable || window) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	window = malloc(len);
	if (!window)
		abort();
	window_at = (size_t)offset;
	window_len = len;
	return memcpy(window, (const char *)file.bytes + offset, len);
}

int __wrap_munmap(void *mapping, size_t len)
{
	if (mapping != window || !window)
		return __real_munmap(mapping, len);
	free(window);
	window = NULL;
	return 0;
}

int __wrap_madvise(void *mapping, size_t len, int advice)
{
	return mapping == window && window ?
		       0 :
		       __real_madvise(mapping, len, advice);
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	if (fd != DESCRIPTOR)
		return __real_lseek(fd, offset, whence);
	at = (size_t)offset;
	return offset;
}

ssize_t __wrap_read(int fd, void *to, size_t size)
{
	if (fd != DESCRIPTOR)
		return __real_read(fd, to, size);
	/* A pipe has nothing, every other time. */
	is_waiting = file.is_pipe && !is_waiting;
	if (is_waiting) {
		errno = at & 1 ? EAGAIN : EINTR;
		return -1;
	}
	if (size > file.piece)
		size = file.piece;
	if (at > file.size)
		return 0;
	if (size > file.size - at)
		size = file.size - at;
	if (size)
		memcpy(to, (const char *)file.bytes + at, size);
	at += size;
	return (ssize_t)size;
}

/* Nothing else happens in a fuzzer: no signal, no timer. */
int __wrap_poll(struct pollfd *polled, nfds_t count, int milliseconds)
{
	int ready = 0;

	(void)milliseconds;
	for (nfds_t i = 0; i < count; i++) {
		polled[i].revents =
			polled[i].fd == DESCRIPTOR ? polled[i].events : 0;
		ready += polled[i].revents != 0;
	}
	return ready;
}

int __wrap_scandir(const char *path, struct dirent ***entries,
		   int (*takes)(const struct dirent *entry),
		   int (*compare)(const struct dirent **one,
				  const struct dirent **other))
{
	if (!is_ours(path))
		return __real_scandir(path, entries, takes, compare);
	errno = ENOTDIR;
	return -1;
}
