/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "message.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool has_status;

/*
 * What a message holds that others have named, a file or an interface, must
 * not be taken for an order by the terminal; nor may it begin a line.
 */
static void print_escaped(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0) {
		fputs("out of memory", stderr);
		return;
	}
	for (const char *at = text; *at; at++) {
		if (*at >= ' ' && *at <= '~')
			fputc(*at, stderr);
		else
			fprintf(stderr, "\\x%02x", (unsigned char)*at);
	}
	free(text);
}

void message_status(const char *format, ...)
{
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	flockfile(stderr);
	/*
	 * ECMA-48: erase to the line's end; DECAWM: what is longer is cut,
	 * since of a line that was wrapped only the last row could be erased.
	 */
	fputs("\r\033[K\033[?7l", stderr);
	print_escaped(format, arguments);
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
	print_escaped(format, arguments);
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
