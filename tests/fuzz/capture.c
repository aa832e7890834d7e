/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fuzzes the capture reader: an input is a file, pcap or pcapng. */
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/capture.h"
#include "../../user/message.h"
#include "../../user/privileges.h"

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

void message_status(const char *format, ...)
{
	(void)format;
}

void message_clear_status(void)
{
}

/* In place of user/privileges.c: no process for files is started. */
int privileges_keep(enum role role)
{
	(void)role;
	return 0;
}

int privileges_confine(enum role role)
{
	(void)role;
	return 0;
}

int __real_pcap_next_ex(pcap_t *pcap, struct pcap_pkthdr **header,
			const u_char **data);
int __wrap_pcap_next_ex(pcap_t *pcap, struct pcap_pkthdr **header,
			const u_char **data);

/*
 * The linker puts it in libpcap's place (--wrap): libpcap's buffer is larger
 * than a packet, and ASan would not see a byte too far.
 */
int __wrap_pcap_next_ex(pcap_t *pcap, struct pcap_pkthdr **header,
			const u_char **data)
{
	static u_char *packet;
	int result = __real_pcap_next_ex(pcap, header, data);

	free(packet);
	packet = NULL;
	if (result != 1)
		return result;
	packet = malloc((*header)->caplen);
	require(packet);
	*data = memcpy(packet, *data, (*header)->caplen);
	return result;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("capture", 0);
	require(file >= 0);
	require(!output_open(&output, FORMAT_JSON, "/dev/null"));
	require(!output_begin(&output));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	const char *names[] = { path, NULL };
	struct options options = {
		.length = 64, .max_flows = 64, .names = names, .count = 1
	};
	enum exit_code code;

	if (size & 1) { /* all that may be asked of the tracker */
		options.gather_ms = 1;
		options.track.gather = options.length;
		options.track.times = options.track.rtt = true;
	}
	require(!ftruncate(file, 0));
	require(pwrite(file, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	code = capture_run(&options, &output);
	require(code == EXIT_DONE || code == EXIT_FAILED);
	require(!output.lost && !output.error);
	return 0;
}
