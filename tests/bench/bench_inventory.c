/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures an inventory on one core: new services, records of known services
 * and forms, memory, and hostile servers with a random greeting each time. Each
 * line is a figure; the files are written to FOLDER. With RECORDS: so many
 * random greetings, and nothing else.
 *
 *	bench_inventory [FOLDER [RECORDS]]
 */
#include "inventory/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define US_PER_SECOND 1000000ULL
#define START (1790000000ULL * US_PER_SECOND)

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long resident_mib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss / 1024;
}

static struct inventory *begin(const char *folder, char path[4096])
{
	const struct inventory_options options = { .create = true };
	char error[INVENTORY_ERROR];
	struct inventory *inventory;

	snprintf(path, 4096, "%s/bench_inventory.db", folder);
	for (int i = 0; i < 3; i++) {
		static const char *const ends[] = { "", "-wal", "-shm" };
		char name[4200];

		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	inventory = inventory_open(path, &options, error);
	if (!inventory) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	return inventory;
}

static void end(struct inventory *inventory)
{
	char error[INVENTORY_ERROR];
	uint64_t lost;

	if (inventory_close(inventory, START, &lost, error) || lost) {
		fprintf(stderr, "lost %llu: %s\n", (unsigned long long)lost,
			error);
		exit(1);
	}
}

/* Every service has a host name of its own. Returns the length. */
static size_t greet(char said[128], uint32_t service, uint32_t salt,
		    bool salted)
{
	return (size_t)(salted ? sprintf(said,
					 "220 host%u.example.org ESMTP id "
					 "%08x ready\r\n",
					 service, salt * 2654435761u) :
				 sprintf(said,
					 "220 host%u.example.org ESMTP "
					 "Postfix\r\n",
					 service));
}

static void put(struct inventory *inventory, uint32_t service, uint64_t time,
		uint32_t salt, bool salted)
{
	char said[128];
	const struct observation seen = {
		.time = time,
		.server = { 4,
			    { 10, (uint8_t)(service >> 16),
			      (uint8_t)(service >> 8), (uint8_t)service } },
		.client = { 4, { 192, 0, 2, 1 } },
		.server_port = 25,
		.client_port = (uint16_t)(1024 + salt % 60000),
		.bytes = (const uint8_t *)said,
		.len = greet(said, service, salt, salted),
		.complete = true,
	};

	inventory_put(inventory, &seen);
}

/* What it takes to make the greetings, which is not the inventory's. */
static double greeting_seconds(uint32_t services, uint64_t records, bool salted)
{
	const double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	char said[128];

	for (uint64_t i = 0; i < records; i++)
		greet(said, (uint32_t)(i % services), (uint32_t)i, salted);
	return now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

/* A flush each second of the records' clock, as the probe has it. */
static void measure(const char *name, struct inventory *inventory,
		    uint32_t services, uint64_t records, uint64_t per_second,
		    bool salted)
{
	const double making = greeting_seconds(services, records, salted),
		     wall = now(CLOCK_MONOTONIC),
		     cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	double spent, waited;

	for (uint64_t i = 0; i < records; i++) {
		put(inventory, (uint32_t)(i % services),
		    START + i * US_PER_SECOND / per_second, (uint32_t)i,
		    salted);
		if (i % per_second == per_second - 1 &&
		    inventory_flush(inventory, START)) {
			fprintf(stderr, "%s\n", inventory_error(inventory));
			exit(1);
		}
	}
	spent = now(CLOCK_PROCESS_CPUTIME_ID) - cpu - making;
	waited = now(CLOCK_MONOTONIC) - wall - making;
	printf("%-44s %9.0f a second of CPU, %9.0f a second, %4ld MiB\n", name,
	       (double)records / spent, (double)records / waited,
	       resident_mib());
	fflush(stdout);
}

/* --- a random greeting each time --------------------------------------- */

#define RANDOM_BYTES 2048

/* Bytes or, `as_text`, printable characters and a line end. */
static void fill(uint8_t to[RANDOM_BYTES], bool as_text)
{
	static uint64_t state = 1;

	for (size_t i = 0; i < RANDOM_BYTES; i += sizeof(state)) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(to + i, &state, sizeof(state));
	}
	for (size_t i = 0; as_text && i < RANDOM_BYTES; i++)
		to[i] = (uint8_t)(33 + to[i] % 94);
	if (as_text)
		to[RANDOM_BYTES - 1] = '\n';
}

static void put_random(struct inventory *inventory, uint32_t server,
		       uint64_t time, bool as_text)
{
	uint8_t said[RANDOM_BYTES];
	const struct observation seen = {
		.time = time,
		.server = { 4,
			    { 10, 0, (uint8_t)(server >> 8),
			      (uint8_t)server } },
		.client = { 4, { 192, 0, 2, 1 } },
		.server_port = 4242,
		.client_port = 40000,
		.bytes = said,
		.len = sizeof(said),
		.complete = true,
	};

	fill(said, as_text);
	inventory_put(inventory, &seen);
}

static void measure_random(const char *folder, const char *name,
			   uint32_t servers, uint64_t records, bool as_text)
{
	char path[4096];
	struct inventory *inventory = begin(folder, path);
	const double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	struct stat file = {};
	uint64_t forms, changes;

	for (uint64_t i = 0; i < records; i++) {
		put_random(inventory, (uint32_t)(i % servers),
			   START + i * US_PER_SECOND / 1000, as_text);
		if (i % 1000 == 999)
			inventory_flush(inventory, START);
	}
	inventory_flush(inventory, START);
	forms = inventory_counts(inventory)->forms;
	changes = inventory_changes(inventory);
	end(inventory);
	stat(path, &file);
	printf("%-44s %9.1f us of CPU a record, %llu records, %u services, "
	       "%llu forms, %llu changes, %lld KiB\n",
	       name,
	       (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)records * 1e6,
	       (unsigned long long)records, servers, (unsigned long long)forms,
	       (unsigned long long)changes, (long long)file.st_size / 1024);
	fflush(stdout);
}

#define RANDOM_RECORDS 100000

static void measure_known(const char *folder)
{
	char path[4096];
	struct inventory *inventory = begin(folder, path);

	measure("new services", inventory, 100000, 100000, 20000, false);
	measure("known services, the same bytes", inventory, 100000, 5000000,
		500000, false);
	end(inventory);
	inventory = begin(folder, path);
	measure("new services", inventory, 100000, 100000, 20000, true);
	measure("known services, another id each time", inventory, 100000,
		3000000, 500000, true);
	end(inventory);
	inventory = begin(folder, path);
	measure("a million services", inventory, 1000000, 2000000, 100000,
		false);
	end(inventory);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "/tmp";
	const uint64_t records =
		argc > 2 ? strtoull(argv[2], NULL, 10) : RANDOM_RECORDS;

	if (argc < 3)
		measure_known(folder);
	measure_random(folder, "random bytes each time", 1, records, false);
	measure_random(folder, "random text each time", 1, records, true);
	measure_random(folder, "random bytes of 1,000 servers", 1000,
		       records / 10, false);
	return 0;
}
