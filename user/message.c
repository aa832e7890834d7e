/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "message.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

void message(const char *format, ...)
{
	va_list arguments;

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
