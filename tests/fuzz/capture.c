/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fuzzes the capture reader: an input is a file, pcap or pcapng. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", 0);
	struct output output;
	char path[64];
	char *names[] = { path, NULL };
	struct options options = { .length = 64,
				   .max_flows = 64,
				   .names = names,
				   .count = 1 };
	enum exit_code code;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    output_open(&output, FORMAT_JSON, "/dev/null"))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	code = capture_run(&options, &output);
	if (code != EXIT_DONE && code != EXIT_FAILED)
		abort();
	if (!output_close(&output))
		abort();
	close(fd);
	return 0;
}
