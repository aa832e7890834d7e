/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures how many records a second one core formats and writes to a file:
 * bench_format DIRECTORY. Before a figure is printed, it checks that all
 * records were written, and that none needed an allocation.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sinks/line_sink.h"
#include "median.h"

#define ROUNDS 5
#define RECORDS 2000000

static const char banner[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n";

static unsigned long allocations;

/* Replaces malloc(), to count every allocation. */
void *__libc_malloc(size_t size);
void *malloc(size_t size);
void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

static double seconds(void)
{
	struct timespec now;

	/* CPU time: another process on the core does not count. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_format: %s\n", what);
	exit(1);
}

static void write_records(struct sink *sink, struct event *record)
{
	const struct source source = { .name = "eth0",
				       .clock_offset = 1795434834048122000ULL };

	for (__u32 i = 0; i < RECORDS; i++) {
		record->time += 1001;
		record->client[0] = i;
		record->client_port = (__u16)i;
		sink->operations->put(sink, record, &source);
	}
	sink->operations->flush(sink);
}

/* Records a second. */
static double one_round(enum format format, const char *path,
			struct event *record)
{
	struct file_helper helper = FILE_HELPER_NONE;
	struct line_sink log;
	struct sink *sink = &log.sink;
	unsigned long before;
	double start, end;

	if (line_sink_prepare(&log, format, path, &helper) ||
	    sink->operations->open(sink))
		fail("the file cannot be opened");
	before = allocations;
	start = seconds();
	write_records(sink, record);
	end = seconds();
	if (allocations - before > 8) /* what the C library does once */
		fail("memory was allocated for records");
	if (sink->counts.written != RECORDS || sink->counts.lost)
		fail("records are missing");
	sink->operations->close(sink);
	file_helper_stop(&helper);
	unlink(path);
	return RECORDS / (end - start);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "text", "json", "zeek" };
	static const int goals[] = { 10, 6, 8 };
	struct event *record = calloc(1, sizeof(*record) + sizeof(banner));
	double rates[ROUNDS], middle;
	cpu_set_t one;
	char path[4096];

	if (argc != 2 || !record)
		fail("usage: bench_format DIRECTORY");
	snprintf(path, sizeof(path), "%s/bench_format.%d", argv[1], getpid());
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	*record = (struct event){ .len = sizeof(banner) - 1,
				  .kept = sizeof(banner) - 1,
				  .server = { 0x010200c0 },
				  .server_port = 22,
				  .family = 4,
				  .seen = SEEN_SYN | SEEN_SYNACK | SEEN_ACK,
				  .direction = DIRECTION_OUT };
	memcpy(record->bytes, banner, sizeof(banner) - 1);

	printf("| format | million records a second | spread | goal |\n"
	       "| --- | ---: | --- | ---: |\n");
	for (int format = 0; format < 3; format++) {
		for (int i = 0; i < ROUNDS; i++)
			rates[i] = one_round(format, path, record) / 1e6;
		middle = median(rates, ROUNDS);
		printf("| %s | %.2f | %.2f to %.2f | %d |\n", names[format],
		       middle, rates[0], rates[ROUNDS - 1], goals[format]);
	}
	free(record);
	return 0;
}
