/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures how the costs grow: with the number of connections seen, and with
 * the size of the table. Counts the banners that were missed, and prints
 * columns for gnuplot.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/message.h"
#include "engine/packet_engine.h"
#include "attach/programs.h"
#include "bannerprobe.skel.h"
#include "kernel/drive.h"
#include "kernel/kernel_table.h"
#include "median.h"

/* Connections; a ring buffer has room for their records. */
#define PIECE 1000
#define ROUNDS 5
#define SEEN_MOST 10000000
#define FLOWS_LEAST (1 << 10)
#define FLOWS_DEFAULT (1 << 15)
#define FLOWS_MOST (1 << 22)

static struct bannerprobe_bpf *probe;
static struct rings *rings;
static __u64 logged;

static const struct test_packet packet = DRIVE_SERVER_DATA;

static bool count_record(void *context, const struct event *event, size_t size)
{
	(void)context;
	(void)event;
	(void)size;
	logged++;
	return true;
}

static void load(__u32 max_flows)
{
	logged = 0;
	probe = programs_load(PROGRAMS_ETHERNET, 256, max_flows, NULL, NULL);
	if (probe && drive_open(probe))
		rings = kernel_rings(probe, count_record, NULL);
	if (!rings)
		exit(1);
}

static void unload(void)
{
	rings_close(rings);
	rings = NULL;
	drive_close();
	bannerprobe_bpf__destroy(probe);
}

/* ns a packet over an empty program: the median of some rounds. */
static double cost(enum vary vary, __u64 from, __u32 count)
{
	double over[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		__u64 start = from + (__u64)i * count;
		double empty = drive(ROAD_TC, false, &packet, vary, 10000,
				     start, count);

		over[i] = drive(ROAD_TC, true, &packet, vary, 10000, start,
				count) -
			  empty;
		rings_consume(rings);
	}
	return median(over, ROUNDS);
}

/* Connections from one number to another, both whole pieces. */
static void let_pass(__u64 from, __u64 to)
{
	for (__u64 n = from; n < to; n += PIECE) {
		drive(ROAD_TC, true, &packet, VARY_CONNECTION, 0, 4 * n,
		      4 * PIECE);
		rings_consume(rings);
	}
}

/* Columns: connections seen, ns of data, ns of a connection, banners missed. */
static void with_connections(void)
{
	__u64 seen = 0;

	load(FLOWS_DEFAULT);
	printf("# connections_seen data_ns connection_ns missed\n");
	for (__u64 to = PIECE; to <= SEEN_MOST;
	     to = to == PIECE ? 100000 : 10 * to) {
		double data, connection;

		for (; seen < to; seen += PIECE)
			let_pass(seen, seen + PIECE);
		connection = 4 * cost(VARY_CONNECTION, 4 * seen, 4 * PIECE);
		seen += ROUNDS * PIECE;
		data = cost(VARY_ADDRESS, 0, 400000);
		printf("%llu %.1f %.0f %llu\n", seen, data, connection,
		       seen - logged);
		fflush(stdout);
	}
	unload();
}

static double memory_mib(void)
{
	double bytes = 0;
	struct bpf_map *map;

	bpf_object__for_each_map(map, probe->obj)
	{
		char path[64], line[128];
		unsigned long long size;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
			 bpf_map__fd(map));
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file)) {
			if (sscanf(line, "memlock: %llu", &size) == 1)
				bytes += (double)size;
		}
		if (file)
			fclose(file);
	}
	return bytes / (1 << 20);
}

/*
 * Columns: connections that the table has room for, ns of data (table full of
 * decided ones), ns of a connection, ns of a SYN in a flood, ns of data in that
 * flood, MiB of kernel memory, banners missed.
 */
static void with_table(void)
{
	printf("\n\n# max_flows data_ns connection_ns syn_ns flooded_data_ns "
	       "mib missed\n");
	for (__u32 flows = FLOWS_LEAST; flows <= FLOWS_MOST; flows *= 4) {
		double data, connection, syn, flooded;
		__u64 seen;

		load(flows);
		seen = (flows + PIECE - 1) / PIECE * PIECE;
		let_pass(0, seen);
		data = cost(VARY_ADDRESS, 0, 400000);
		connection = 4 * cost(VARY_CONNECTION, 4 * seen, 4 * PIECE);
		seen += ROUNDS * PIECE;
		syn = cost(VARY_SYN_FLOOD, 0, 2 * flows);
		flooded = cost(VARY_ADDRESS, 0, 400000);
		printf("%u %.1f %.0f %.0f %.1f %.1f %llu\n", flows, data,
		       connection, syn, flooded, memory_mib(), seen - logged);
		fflush(stdout);
		unload();
	}
}

int main(void)
{
	message_libbpf(getenv("VERBOSE"));
	with_connections();
	with_table();
	return 0;
}
