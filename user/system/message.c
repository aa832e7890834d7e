/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "message.h"

#include "descriptors.h"
#include "stopping.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLAIM_MS 1 /* between two checks of another process's claim */

static struct message_shared own;
static struct message_shared *shared = &own;

void message_share(struct message_shared *memory)
{
	shared = memory ? memory : &own;
}

/*
 * Reserves standard error for one message. A write of up to PIPE_BUF bytes to a
 * pipe is atomic, but another process's line could divide a longer message. The
 * process that claimed it may have been killed, or taken over by the bytes that
 * it reads: so a process waits in vain once, and never again. False: it is
 * still another process's.
 */
static bool claim(long long end)
{
	static bool waited_in_vain;

	while (__atomic_exchange_n(&shared->is_claimed, true,
				   __ATOMIC_ACQUIRE)) {
		waited_in_vain |= wait_left(WAIT_MESSAGES, end) <= 0;
		if (waited_in_vain)
			return false;
		poll(NULL, 0, CLAIM_MS);
	}
	return true;
}

static void release(void)
{
	__atomic_store_n(&shared->is_claimed, false, __ATOMIC_RELEASE);
}

/*
 * Writes to standard error, through a nonblocking descriptor. The first write
 * that finds no room waits for a moment (WAIT_MESSAGES). After that, output is
 * dropped at once until there is room again.
 */
static ssize_t write_message(void *cookie, const char *text, size_t len)
{
	static bool deaf;
	const int fd = *(const int *)cookie;
	const long long end = deaf ? 0 : wait_end(WAIT_MESSAGES);
	const bool claimed = claim(end);
	size_t done = 0;

	while (done < len) {
		size_t some = len - done < PIPE_BUF ? len - done : PIPE_BUF;
		ssize_t written;

		deaf = !wait_ready(fd, POLLOUT, WAIT_MESSAGES, end);
		if (deaf)
			break;
		written = descriptor_write(fd, text + done, some);
		if (written > 0)
			done += (size_t)written;
		else if (written < 0 && errno != EINTR && errno != EAGAIN)
			break;
	}
	if (claimed)
		release();
	return (ssize_t)len;
}

void message_open(void)
{
	static const cookie_io_functions_t functions = {
		.write = write_message
	};
	static int fd;
	FILE *file;

	fd = descriptor_unblocked(STDERR_FILENO);
	file = fopencookie(&fd, "w", functions);
	if (!file)
		return; /* the descriptor stays as it is */
	setvbuf(file, NULL, _IONBF, 0);
	stderr = file;
}

/*
 * Escapes the whole message: names of files and interfaces may contain escape
 * sequences for the terminal, or newlines.
 */
static void write_escaped(FILE *line, const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0) {
		fputs("out of memory", line);
		return;
	}
	for (const char *at = text; *at; at++) {
		if (*at >= ' ' && *at <= '~')
			fputc(*at, line);
		else
			fprintf(line, "\\x%02x", (unsigned char)*at);
	}
	free(text);
}

/* In one write, so that output of other processes does not come in between. */
static void print(const char *before, const char *format, va_list arguments,
		  const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *line = open_memstream(&text, &size);

	if (!line)
		return;
	fputs(before, line);
	write_escaped(line, format, arguments);
	fputs(after, line);
	if (!fclose(line))
		fwrite(text, 1, size, stderr);
	free(text);
}

void message_status(const char *format, ...)
{
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	/*
	 * ECMA-48: erase to the end of the line. DECAWM off: a long line is
	 * cut, because only the last row of a wrapped line could be erased
	 * later.
	 */
	print("\r\033[K\033[?7l", format, arguments, "\033[?7h");
	va_end(arguments);
	shared->has_status = true;
}

void message_clear_status(void)
{
	if (shared->has_status)
		fputs("\r\033[K", stderr);
	shared->has_status = false;
}

void message(const char *format, ...)
{
	va_list arguments;

	message_clear_status();
	va_start(arguments, format);
	print("bannerprobe: ", format, arguments, "\n");
	va_end(arguments);
}

static int print_libbpf(enum libbpf_print_level level, const char *format,
			va_list arguments)
{
	(void)level;
	return vfprintf(stderr, format, arguments);
}

void message_libbpf(bool verbose)
{
	libbpf_set_print(verbose ? print_libbpf : NULL);
}
