/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a packet costs in the kernel: BPF_PROG_TEST_RUN with repeat, beside an
 * empty program of the same type, in interleaved rounds. Every packet goes
 * through the same tail call, to the empty program or to the probe's; the
 * difference is the probe's. Prints medians and spreads; what came of the
 * packets is checked, or nothing is printed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../user/message.h"
#include "../user/programs.h"
#include "bannerprobe.skel.h"
#include "bench.h"
#include "bench.skel.h"
#include "kernel_table.h"
#include "packet.h"
#include "record.h"

#define ROUNDS 9
#define PIECE 20000 /* packets: 5,000 records at most */
#define CPUS_MAX 1024
#define MAX_FLOWS 65536
#define XDP_HAS_FRAGS (1U << 5)

struct scenario {
	const char *name;
	int goal; /* ns over the empty program */
	enum vary vary;
	__u32 connections;
	__u32 repeat; /* packets a round */
	int together; /* packets that the goal is for */
	void (*prepare)(const struct scenario *scenario);
	struct test_packet packet;
	__u16 ethertype; /* 0: as the packet has it */
	__u8 protocol;	 /* likewise */
	enum counter counts; /* must have grown by `growth` a round */
	__u64 growth;
};

static struct bannerprobe_bpf *probe;
static struct bench_bpf *bench;
static struct ring_buffer *ring;

static void fail(const char *what)
{
	message("benchmark: %s", what);
	exit(1);
}

static int drop_record(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

/* --- states of the table ----------------------------------------------- */

static void empty_table(const struct scenario *scenario)
{
	(void)scenario;
	kernel_table_clear(probe);
}

static void run(struct bpf_program *program, struct bytes *bytes, __u32 repeat,
		__u32 *duration)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes->data,
		    .data_size_in = (__u32)bytes->len, .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		fail(strerror(errno));
	*duration = options.duration;
}

static void hand_to(struct bpf_program *xdp, struct bpf_program *tc)
{
	__u32 zero = 0, fd = (__u32)bpf_program__fd(xdp);
	int error = bpf_map_update_elem(bpf_map__fd(bench->maps.next_xdp), &zero,
					&fd, BPF_ANY);

	fd = (__u32)bpf_program__fd(tc);
	if (error || bpf_map_update_elem(bpf_map__fd(bench->maps.next_tc), &zero,
					 &fd, BPF_ANY))
		fail("the tail call cannot be set");
}

static void set_variation(enum vary vary, __u32 connections, __u64 from)
{
	bench->bss->mode = vary;
	bench->bss->connections = connections;
	bench->bss->counter = from;
}

/* Whole connections through the probe: they stay in the table, decided. */
static void fill_decided(__u32 count)
{
	struct test_packet packet = { .payload_len = BENCH_BANNER,
				      .payload = "0123456789012345678901234567890123456789" };
	struct bytes bytes;
	__u32 duration;

	packet_build(&bytes, &packet);
	hand_to(probe->progs.bannerprobe_xdp, probe->progs.bannerprobe_rx);
	set_variation(VARY_CONNECTION, 0, 0);
	for (__u32 done = 0; done < 4 * count; done += PIECE) {
		run(bench->progs.vary_xdp, &bytes, PIECE, &duration);
		ring_buffer__consume(ring);
	}
}

static void decided_table(const struct scenario *scenario)
{
	empty_table(scenario);
	fill_decided(scenario->connections);
}

/* Full of connections that never spoke, as in a flood; none is asked for. */
static void flooded_table(const struct scenario *scenario)
{
	struct test_packet packet = {};
	struct bytes bytes;
	__u32 duration;

	packet_build(&bytes, &packet);
	empty_table(scenario);
	hand_to(probe->progs.bannerprobe_xdp, probe->progs.bannerprobe_rx);
	set_variation(VARY_SYN_FLOOD, 0, 0x800000);
	run(bench->progs.vary_xdp, &bytes, 4 * MAX_FLOWS, &duration);
}

/* --- measuring --------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One counter, without a look at the table: that would empty the caches. */
static __u64 counter(enum counter which)
{
	__u32 key = which;
	__u64 values[CPUS_MAX], sum = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1 || cpus > CPUS_MAX ||
	    bpf_map_lookup_elem(bpf_map__fd(probe->maps.counters), &key, values))
		fail("the counters cannot be read");
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

static void check_growth(const struct scenario *scenario, __u64 before)
{
	__u64 growth = counter(scenario->counts) - before;

	if (scenario->counts && growth != scenario->growth) {
		message("benchmark: %s: %llu counted, not %llu", scenario->name,
			growth, scenario->growth);
		exit(1);
	}
	if (counter(COUNT_LOST_RING))
		fail("records were lost: the ring buffer is too small");
}

/* In pieces whose records the ring buffer has room for. ns a packet. */
static double run_round(const struct scenario *scenario,
			struct bpf_program *program, struct bytes *bytes,
			__u64 from)
{
	bool records = scenario->counts == COUNT_BANNER;
	__u32 piece = records ? PIECE : scenario->repeat;
	__u32 duration, pieces = scenario->repeat / piece;
	double sum = 0;

	set_variation(scenario->vary, scenario->connections, from);
	for (__u32 i = 0; i < pieces; i++) {
		run(program, bytes, piece, &duration);
		ring_buffer__consume(ring);
		sum += duration;
	}
	return sum / pieces;
}

static double one_round(const struct scenario *scenario, bool xdp,
			struct bytes *bytes, __u64 from)
{
	struct bpf_program *vary =
		xdp ? bench->progs.vary_xdp : bench->progs.vary_tc;
	double empty, full;
	__u64 before;

	hand_to(bench->progs.empty_xdp, bench->progs.empty_tc);
	empty = run_round(scenario, vary, bytes, from);
	before = counter(scenario->counts);
	hand_to(probe->progs.bannerprobe_xdp, probe->progs.bannerprobe_rx);
	full = run_round(scenario, vary, bytes, from);
	check_growth(scenario, before);
	return (full - empty) * scenario->together;
}

static void measure(const struct scenario *scenario, bool xdp)
{
	double over[ROUNDS];
	struct bytes bytes;

	packet_build(&bytes, &scenario->packet);
	if (scenario->ethertype) {
		bytes.data[12] = (__u8)(scenario->ethertype >> 8);
		bytes.data[13] = (__u8)scenario->ethertype;
	}
	if (scenario->protocol)
		bytes.data[23] = scenario->protocol;
	scenario->prepare(scenario);
	for (int i = 0; i < ROUNDS; i++)
		over[i] = one_round(scenario, xdp, &bytes,
				    0x100000 + (__u64)i * scenario->repeat);
	qsort(over, ROUNDS, sizeof(*over), compare);
	printf("| %s | %s | %.0f | %.0f to %.0f | %d |\n", scenario->name,
	       xdp ? "XDP" : "tc", over[ROUNDS / 2], over[0], over[ROUNDS - 1],
	       scenario->goal);
	fflush(stdout);
}

#define PACKET                                                                  \
	.packet = { .from_server = true,                                        \
		    .client_port = 40000,                                       \
		    .server_port = 25,                                          \
		    .flags = TCP_ACK,                                           \
		    .seq = 9000,                                                \
		    .ack = 1001,                                                \
		    .payload = "0123456789012345678901234567890123456789",     \
		    .payload_len = BENCH_BANNER }

static const struct scenario scenarios[] = {
	{ .name = "not IP", .goal = 4, .repeat = 1000000, .together = 1,
	  .prepare = empty_table, PACKET, .ethertype = 0x0806 },
	{ .name = "not TCP", .goal = 4, .repeat = 1000000, .together = 1,
	  .prepare = empty_table, PACKET, .protocol = 17 },
	{ .name = "data, unknown, table empty, warm", .goal = 6,
	  .vary = VARY_ADDRESS, .connections = 1, .repeat = 1000000,
	  .together = 1, .prepare = empty_table, PACKET },
	{ .name = "data, decided, warm", .goal = 6, .vary = VARY_ADDRESS,
	  .connections = 1, .repeat = 1000000, .together = 1,
	  .prepare = decided_table, PACKET },
	{ .name = "data, unknown, table full, warm", .goal = 6,
	  .vary = VARY_ADDRESS, .connections = 1, .repeat = 1000000,
	  .together = 1, .prepare = flooded_table, PACKET },
	{ .name = "data of 10,000 unknown, table empty", .goal = 15,
	  .vary = VARY_ADDRESS, .connections = 10000, .repeat = 1000000,
	  .together = 1, .prepare = empty_table, PACKET },
	{ .name = "data of 10,000 decided", .goal = 15, .vary = VARY_ADDRESS,
	  .connections = 10000, .repeat = 1000000, .together = 1,
	  .prepare = decided_table, PACKET },
	{ .name = "data of 10,000 unknown, table full", .goal = 15,
	  .vary = VARY_ADDRESS, .connections = 10000, .repeat = 1000000,
	  .together = 1, .prepare = flooded_table, PACKET },
	{ .name = "a whole connection, four packets", .goal = 700,
	  .vary = VARY_CONNECTION, .repeat = 160000, .together = 4,
	  .prepare = empty_table, PACKET, .counts = COUNT_BANNER,
	  .growth = 40000 },
	{ .name = "a whole connection, table full", .goal = 700,
	  .vary = VARY_CONNECTION, .repeat = 160000, .together = 4,
	  .prepare = flooded_table, PACKET, .counts = COUNT_BANNER,
	  .growth = 40000 },
	{ .name = "a SYN of a flood, table full", .goal = 300,
	  .vary = VARY_SYN_FLOOD, .repeat = 200000, .together = 1,
	  .prepare = flooded_table, PACKET, .counts = COUNT_CONNECTIONS,
	  .growth = 200000 },
};

/* bench_kernel [TEXT]: all scenarios, or those whose name has TEXT in it. */
int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "";

	message_libbpf(getenv("VERBOSE"));
	probe = programs_load(PROGRAMS_ALL, 256, MAX_FLOWS);
	bench = bench_bpf__open();
	if (!probe || !bench)
		fail("the programs cannot be loaded");
	/* A tail call goes only between programs that both take fragments. */
	if (probe->rodata->xdp_has_load_bytes) {
		bpf_program__set_flags(bench->progs.empty_xdp, XDP_HAS_FRAGS);
		bpf_program__set_flags(bench->progs.vary_xdp, XDP_HAS_FRAGS);
	}
	if (bench_bpf__load(bench))
		fail("the benchmark's programs cannot be loaded");
	ring = ring_buffer__new(bpf_map__fd(probe->maps.records), drop_record,
				NULL, NULL);
	if (!ring)
		fail("the ring buffer cannot be opened");

	printf("| packet | hook | ns over an empty program | spread | goal |\n"
	       "| --- | --- | ---: | --- | ---: |\n");
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		if (!strstr(scenarios[i].name, wanted))
			continue;
		measure(&scenarios[i], true);
		measure(&scenarios[i], false);
	}
	return 0;
}
