/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "message.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool has_status;

void message_status(const char *format, ...)
{
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	flockfile(stderr);
	/*
	 * ECMA-48: erase to the line's end; DECAWM: what is longer is cut, since
	 * of a line that was wrapped only the last row could be erased.
	 */
	fputs("\r\033[K\033[?7l", stderr);
	vfprintf(stderr, format, arguments);
	fputs("\033[?7h", stderr);
	funlockfile(stderr);
	va_end(arguments);
	has_status = true;
}

void message_clear_status(void)
{
	if (has_status)
		fputs("\r\033[K", stderr);
	has_status = false;
}

void message(const char *format, ...)
{
	va_list arguments;

	message_clear_status();
	va_start(arguments, format);
	flockfile(stderr);
	fputs("bannerprobe: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	funlockfile(stderr);
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
