/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fuzzes the capture reader: an input is a file, pcap or pcapng. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/capture.h"
#include "../../user/message.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file;
static struct output output;

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* In place of user/message.c: made up, and not printed a million times. */
void message(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("capture", 0);
	require(file >= 0);
	require(!output_open(&output, FORMAT_JSON, "/dev/null"));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	char *names[] = { path, NULL };
	struct options options = { .length = 64,
				   .max_flows = 64,
				   .names = names,
				   .count = 1 };
	enum exit_code code;

	require(!ftruncate(file, 0));
	require(pwrite(file, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	code = capture_run(&options, &output);
	require(code == EXIT_DONE || code == EXIT_FAILED);
	require(!output.lost && !output.error);
	return 0;
}
