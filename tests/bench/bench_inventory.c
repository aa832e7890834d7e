/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures an inventory on one core: new services, records of known services
 * and forms, memory. Each line is a figure; the files are written to FOLDER.
 */
#include "inventory/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

/* Every service has a host name of its own. */
static void put(struct inventory *inventory, uint32_t service, uint64_t time,
		uint32_t salt, bool salted)
{
	char said[128];
	struct observation seen = {
		.time = time,
		.server = { 4,
			    { 10, (uint8_t)(service >> 16),
			      (uint8_t)(service >> 8), (uint8_t)service } },
		.client = { 4, { 192, 0, 2, 1 } },
		.server_port = 25,
		.client_port = (uint16_t)(1024 + salt % 60000),
		.bytes = (const uint8_t *)said,
		.complete = true,
	};

	seen.len = (size_t)(salted ? sprintf(said,
					     "220 host%u.example.org ESMTP id "
					     "%08x ready\r\n",
					     service, salt * 2654435761u) :
				     sprintf(said,
					     "220 host%u.example.org ESMTP "
					     "Postfix\r\n",
					     service));
	inventory_put(inventory, &seen);
}

/* A flush each second of the records' clock, as the probe has it. */
static void measure(const char *name, struct inventory *inventory,
		    uint32_t services, uint64_t records, uint64_t per_second,
		    bool salted)
{
	const double wall = now(CLOCK_MONOTONIC),
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
	spent = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	waited = now(CLOCK_MONOTONIC) - wall;
	printf("%-44s %9.0f a second of CPU, %9.0f a second, %4ld MiB\n", name,
	       (double)records / spent, (double)records / waited,
	       resident_mib());
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : "/tmp";
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
	return 0;
}
