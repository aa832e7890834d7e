/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "memory_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTOR (1 << 24) /* no real one is so large */
#define PAGE 32		     /* small as the files are */
#define WINDOW_MAX (1U << 22)
#define GUARD 4096 /* bytes around the window that may not be read */

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
long __real_sysconf(int name);
long __wrap_sysconf(int name);
int __real_sigaction(int number, const struct sigaction *action,
		     struct sigaction *before);
int __wrap_sigaction(int number, const struct sigaction *action,
		     struct sigaction *before);
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
static size_t now; /* bytes that it has */
static size_t at;  /* bytes that have been read */
static bool is_open;
static bool is_waiting; /* the pipe has nothing at the moment */

/*
 * The part of the file that is mapped: a copy with no byte behind it. The next
 * one has the same place.
 */
static char *window; /* NULL: none is mapped */
static size_t window_at, window_len;
static void (*on_bus_error)(int number, siginfo_t *info, void *context);

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
	*status = (struct stat){ .st_mode = file.is_pipe ? S_IFIFO : S_IFREG,
				 .st_size = file.is_pipe ? 0 : (off_t)now };
	return 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	if (is_ours(path)) {
		now = file.change == FILE_GROWS ? file.rest : file.size;
		at = 0;
		is_open = true;
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
	if (fd != DESCRIPTOR)
		return __real_close(fd);
	is_open = false;
	return 0;
}

int __wrap_stat(const char *path, struct stat *status)
{
	return is_ours(path) ? describe(status) : __real_stat(path, status);
}

/* The program reads a page that is not there, and goes on. */
static void fault(size_t offset)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_ADRERR };

	info.si_addr = window + offset;
	if (!on_bus_error)
		abort();
	on_bus_error(SIGBUS, &info, NULL);
}

/* The rest of the last page becomes zeros. Behind it there is none. */
static void shrink(size_t size)
{
	size_t left = 0, pages;

	now = size;
	if (!window || now >= window_at + window_len)
		return;
	if (now > window_at)
		left = now - window_at;
	pages = (left + PAGE - 1) / PAGE * PAGE;
	memset(window + left, 0, window_len - left);
	if (pages < window_len)
		fault(pages);
}

static void change(void)
{
	switch (file.change) {
	case FILE_STAYS:
		break;
	case FILE_COMES_BACK:
		file.change = FILE_GROWS;
		file.changes_at = 1;
		/* By whole pages: the rest of one would be the file's then. */
		shrink(file.rest / PAGE * PAGE);
		break;
	case FILE_SHRINKS:
		shrink(file.rest);
		break;
	case FILE_GROWS:
		now = file.size;
		break;
	case FILE_FAILS:
		if (window && file.rest >= window_at &&
		    file.rest < window_at + window_len)
			fault(file.rest - window_at);
		break;
	}
}

void memory_file_tick(void)
{
	if (file.changes_at && !--file.changes_at)
		change();
}

int __wrap_fstat(int fd, struct stat *status)
{
	if (fd != DESCRIPTOR)
		return __real_fstat(fd, status);
	memory_file_tick();
	return describe(status);
}

static char *window_end(void)
{
	static char *end;
	char *begin;

	if (end)
		return end;
	begin = __real_mmap(NULL, GUARD + WINDOW_MAX + GUARD,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (begin == MAP_FAILED ||
	    mprotect(begin + GUARD + WINDOW_MAX, GUARD, PROT_NONE))
		abort();
	end = begin + GUARD + WINDOW_MAX;
	return end;
}

/* What the program maps in place of pages is zeros. */
static void *map_zeros(char *address, size_t len)
{
	if (address + len != window + window_len)
		abort();
	return memset(address, 0, len);
}

void *__wrap_mmap(void *address, size_t len, int protection, int flags, int fd,
		  off_t offset)
{
	const size_t from = (size_t)offset;

	if (window && (char *)address >= window &&
	    (char *)address < window + window_len)
		return map_zeros(address, len);
	if (fd != DESCRIPTOR)
		return __real_mmap(address, len, protection, flags, fd, offset);
	if (file.is_unmappable) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	if (window || from % PAGE || len > WINDOW_MAX || from + len > now)
		abort();
	window = window_end() - len;
	window_at = from;
	window_len = len;
	ASAN_UNPOISON_MEMORY_REGION(window, len);
	ASAN_POISON_MEMORY_REGION(window - GUARD, GUARD);
	return memcpy(window, (const char *)file.bytes + from, len);
}

/* What is read of it afterwards is not the file's. */
int __wrap_munmap(void *mapping, size_t len)
{
	if (mapping != window || !window)
		return __real_munmap(mapping, len);
	if (len != window_len)
		abort();
	memset(window, 0xa5, len);
	ASAN_POISON_MEMORY_REGION(window, len);
	window = NULL;
	return 0;
}

long __wrap_sysconf(int name)
{
	return name == _SC_PAGESIZE && is_open ? PAGE : __real_sysconf(name);
}

/* The handler for a mapping is called here; libFuzzer has one, too. */
int __wrap_sigaction(int number, const struct sigaction *action,
		     struct sigaction *before)
{
	if (number != SIGBUS || !is_open)
		return __real_sigaction(number, action, before);
	on_bus_error = action->sa_sigaction;
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
	if (at > now)
		return 0;
	if (size > now - at)
		size = now - at;
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
