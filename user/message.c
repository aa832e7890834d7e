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

/* In one go: what others write to the same place does not come in between. */
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
	 * ECMA-48: erase to the line's end; DECAWM: what is longer is cut,
	 * since of a line that was wrapped only the last row could be erased.
	 */
	print("\r\033[K\033[?7l", format, arguments, "\033[?7h");
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
