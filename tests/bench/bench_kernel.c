/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures the cost of a packet in the kernel: BPF_PROG_TEST_RUN with `repeat`,
 * and an empty program of the same type, in interleaved rounds. Every packet
 * goes through the same tail call, to the empty program or to the probe's; the
 * difference is the probe's cost. Prints medians and spreads, if the counters
 * show that the packets had the expected result.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/message.h"
#include "options/options.h"
#include "attach/programs.h"
#include "engine/server_list.h"
#include "bannerprobe.skel.h"
#include "kernel/drive.h"
#include "kernel/kernel_table.h"
#include "median.h"
#include "event.h"
#include "unit/wrap.h"

#define ROUNDS 9 /* at most; an odd number */
#define SILENT_HANDSHAKES 60000
#define PIECE 4000	     /* packets: 1,000 records at most */
#define PIECE_OF_EVENTS 1000 /* packets: 600 records at most */

struct scenario {
	const char *name;
	int goal; /* ns over the empty program; 0: none */
	enum vary vary;
	__u32 connections;
	__u32 repeat; /* packets a round */
	int together; /* packets that the goal is for */
	void (*prepare)(const struct scenario *scenario);
	struct test_packet packet;
	__u16 ethertype;     /* 0: as the packet has it */
	__u8 protocol;	     /* likewise */
	enum counter counts; /* must have grown by `growth` a round */
	__u64 growth;
	const char *port, *net; /* as --port and --net; NULL: not given */
	const struct track_options *track; /* NULL: as text asks */
	enum wrap wrap; /* the packet is in a tunnel, and tunnels are opened */
};

static const struct track_options json = { .times = true, .rtt = true };
static const struct track_options all_events = { .events = EVENTS_ALL };
static const struct track_options owners = { .sockets = true };
/* What --inventory asks for, and the same without the requests. */
static const struct track_options inventory = {
	.events = EVENTS_BANNER | EVENT_BIT(EVENT_RESPONSE) |
		  EVENT_BIT(EVENT_REQUEST),
	.times = true,
	.gather = 2048,
};
static const struct track_options no_requests = {
	.events = EVENTS_BANNER | EVENT_BIT(EVENT_RESPONSE),
	.times = true,
	.gather = 2048,
};

static int rounds = ROUNDS;
static struct bannerprobe_bpf *probe;
static struct rings *rings;

static void fail(const char *what)
{
	message("benchmark: %s", what);
	exit(1);
}

static bool drop_record(void *context, const struct event *event, size_t size)
{
	(void)context;
	(void)event;
	(void)size;
	return true;
}

/* --- states of the table ----------------------------------------------- */

static void empty_table(const struct scenario *scenario)
{
	(void)scenario;
	kernel_table_clear(probe);
}

/* ns a packet. */
static double run(enum road road, bool to_probe, const struct bytes *bytes,
		  enum vary vary, __u32 connections, __u64 from, __u32 count)
{
	double duration = drive_bytes(road, to_probe, bytes, vary, connections,
				      from, count);

	if (duration < 0)
		fail(strerror(errno));
	return duration;
}

static const char text[] = "0123456789012345678901234567890123456789";

/* Whole connections through the probe: they stay in the table, decided. */
static void decided_table(const struct scenario *scenario)
{
	struct test_packet packet = { .payload_len = DRIVE_BANNER,
				      .payload = text };
	struct bytes bytes;

	packet_build(&bytes, &packet);
	empty_table(scenario);
	for (__u32 done = 0; done < 4 * scenario->connections; done += PIECE) {
		run(ROAD_XDP, true, &bytes, VARY_CONNECTION, 0, done, PIECE);
		rings_consume(rings);
	}
}

/* The same of connections whose client asked, and whose server answered. */
static void answered_table(const struct scenario *scenario)
{
	struct test_packet packet = { .payload_len = DRIVE_BANNER,
				      .payload = text };
	struct bytes bytes;

	packet_build(&bytes, &packet);
	empty_table(scenario);
	for (__u32 done = 0; done < 5 * scenario->connections;
	     done += PIECE_OF_EVENTS) {
		run(ROAD_XDP, true, &bytes, VARY_ASKED, 0, done,
		    PIECE_OF_EVENTS);
		rings_consume(rings);
	}
}

/* A table full of silent half-open connections, as in a flood. */
static void flooded_table(const struct scenario *scenario)
{
	struct test_packet packet = {};
	struct bytes bytes;

	packet_build(&bytes, &packet);
	empty_table(scenario);
	run(ROAD_XDP, true, &bytes, VARY_SYN_FLOOD, 0, 0, 4 * DEFAULT_FLOWS);
}

/* A table full of handshakes with silent servers: each is pending. */
static void silent_table(const struct scenario *scenario)
{
	struct test_packet packet = {};
	struct bytes bytes;

	packet_build(&bytes, &packet);
	empty_table(scenario);
	run(ROAD_XDP, true, &bytes, VARY_HANDSHAKE, 0, 3 * 0x800000,
	    3 * SILENT_HANDSHAKES);
}

/* --- measuring --------------------------------------------------------- */

/* One counter. The table is not read, because that would empty the caches. */
static __u64 counter(enum counter which)
{
	return programs_counter(probe, which);
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

/* In pieces that fit into the ring buffer with their records. ns a packet. */
static double run_round(const struct scenario *scenario, enum road road,
			bool to_probe, const struct bytes *bytes, __u64 from)
{
	const bool events = scenario->track && scenario->track->events;
	const bool records = scenario->counts == COUNT_BANNER ||
			     (events && scenario->counts);
	const __u32 piece = !records ? scenario->repeat :
			    events   ? PIECE_OF_EVENTS :
				       PIECE;
	double sum = 0;

	for (__u32 done = 0; done < scenario->repeat; done += piece) {
		sum += run(road, to_probe, bytes, scenario->vary,
			   scenario->connections, from + done, piece);
		rings_consume(rings);
	}
	return sum * piece / scenario->repeat;
}

static double one_round(const struct scenario *scenario, enum road road,
			const struct bytes *bytes, __u64 from)
{
	double empty = run_round(scenario, road, false, bytes, from);
	__u64 before = counter(scenario->counts);
	double full = run_round(scenario, road, true, bytes, from);

	check_growth(scenario, before);
	return (full - empty) * scenario->together;
}

static void load(const struct scenario *scenario)
{
	const char *port = scenario->port, *net = scenario->net;
	struct track_options decap = {};
	struct server_list wanted = {};

	if ((port && !server_list_add_ports(&wanted, port)) ||
	    (net && !server_list_add_net(&wanted, net, SET_NET)))
		fail("a scenario asks for no port or net");
	if (scenario->wrap)
		wrap_track(&decap);
	probe = programs_load(PROGRAMS_ALL, 256, DEFAULT_FLOWS,
			      scenario->wrap ? &decap : scenario->track,
			      &wanted);
	server_list_free(&wanted);
	if (!probe || !drive_open(probe))
		fail("the programs cannot be loaded");
	rings = kernel_rings(probe, drop_record, NULL);
	if (!rings)
		fail("the ring buffers cannot be opened");
}

static void unload(void)
{
	rings_close(rings);
	drive_close();
	bannerprobe_bpf__destroy(probe);
}

static void make_packet(const struct scenario *scenario, struct bytes *bytes)
{
	packet_build(bytes, &scenario->packet);
	wrap(bytes, scenario->wrap);
	if (scenario->ethertype) {
		bytes->data[12] = (__u8)(scenario->ethertype >> 8);
		bytes->data[13] = (__u8)scenario->ethertype;
	}
	if (scenario->protocol)
		bytes->data[23] = scenario->protocol;
}

static void measure(const struct scenario *scenario, enum road road)
{
	double over[ROUNDS], middle;
	struct bytes bytes;

	make_packet(scenario, &bytes);
	scenario->prepare(scenario);
	for (int i = 0; i < rounds; i++)
		over[i] = one_round(scenario, road, &bytes,
				    0x100000 + (__u64)i * scenario->repeat);
	middle = median(over, rounds);
	printf("| %s | %s | %.0f | %.0f to %.0f |", scenario->name,
	       road == ROAD_XDP ? "XDP" : "tc", middle, over[0],
	       over[rounds - 1]);
	printf(scenario->goal ? " %d |\n" : " |\n", scenario->goal);
	fflush(stdout);
}

/* --- one against another ------------------------------------------------ */

/* What two scenarios cost together with all beneath, in turns. */
struct pair {
	const char *name;
	const char *goal;
	struct scenario scenarios[2];
};

/* Programs that are loaded. */
struct loaded {
	struct bannerprobe_bpf *probe;
	struct rings *rings;
	struct bytes bytes;
};

static void turn_to(const struct loaded *loaded)
{
	probe = loaded->probe;
	rings = loaded->rings;
	drive_to(probe);
}

/* ns of all packets that belong together, without the empty program's. */
static double cost(const struct pair *pair, const struct loaded *loaded,
		   int which, enum road road, int round)
{
	const struct scenario *scenario = &pair->scenarios[which];

	turn_to(&loaded[which]);
	return one_round(scenario, road, &loaded[which].bytes,
			 0x100000 + (__u64)round * scenario->repeat);
}

static void measure_pair(const struct pair *pair, struct loaded *loaded,
			 enum road road)
{
	double ratios[ROUNDS], ns[2][ROUNDS], middle;

	for (int i = 0; i < rounds; i++) {
		ns[0][i] = cost(pair, loaded, 0, road, i);
		ns[1][i] = cost(pair, loaded, 1, road, i);
		ratios[i] = ns[0][i] / ns[1][i];
	}
	middle = median(ratios, rounds);
	printf("| %s | %s | %.0f | %.0f | %.2f | %.2f to %.2f | %s |\n",
	       pair->name, road == ROAD_XDP ? "XDP" : "tc",
	       median(ns[0], rounds), median(ns[1], rounds), middle, ratios[0],
	       ratios[rounds - 1], pair->goal);
	fflush(stdout);
}

static void run_pair(const struct pair *pair)
{
	struct loaded loaded[2];

	for (int i = 0; i < 2; i++) {
		const struct scenario *scenario = &pair->scenarios[i];

		if (i)
			drive_close();
		load(scenario);
		make_packet(scenario, &loaded[i].bytes);
		loaded[i].probe = probe;
		loaded[i].rings = rings;
	}
	for (enum road road = ROAD_XDP; road <= ROAD_TC; road++) {
		for (int i = 0; i < 2; i++) {
			turn_to(&loaded[i]);
			pair->scenarios[i].prepare(&pair->scenarios[i]);
		}
		measure_pair(pair, loaded, road);
	}
	drive_close();
	for (int i = 0; i < 2; i++) {
		rings_close(loaded[i].rings);
		bannerprobe_bpf__destroy(loaded[i].probe);
	}
}

#define PACKET .packet = DRIVE_SERVER_DATA
/* The same packet each time. */
#define SAME(table) .repeat = 1000000, .together = 1, .prepare = table, PACKET
/* Data of so many connections. */
#define DATA(table, number)                                                    \
	.vary = VARY_ADDRESS, .connections = number, SAME(table)
/* Connections whose server speaks first: four packets each. */
#define CONNECTIONS(table)                                                     \
	.vary = VARY_CONNECTION, .repeat = 160000, .together = 4,              \
	.prepare = table, PACKET, .counts = COUNT_BANNER, .growth = 40000
/* SYNs that a counter counts. */
#define SYNS(table, counter)                                                   \
	.vary = VARY_SYN_FLOOD, .repeat = 200000, .together = 1,               \
	.prepare = table, PACKET, .counts = counter, .growth = 200000

/* clang-format off */
static const struct scenario scenarios[] = {
	{ .name = "not IP",
	  .goal = 4, SAME(empty_table), .ethertype = 0x0806 },
	{ .name = "not TCP",
	  .goal = 4, SAME(empty_table), .protocol = 17 },
	{ .name = "data, unknown, table empty, warm",
	  .goal = 6, DATA(empty_table, 1) },
	{ .name = "data, decided, warm",
	  .goal = 6, DATA(decided_table, 1) },
	{ .name = "data, unknown, table full, warm",
	  .goal = 6, DATA(flooded_table, 1) },
	{ .name = "data of 10,000 unknown, table empty",
	  .goal = 15, DATA(empty_table, 10000) },
	{ .name = "data of 10,000 decided",
	  .goal = 15, DATA(decided_table, 10000) },
	{ .name = "data of 10,000 unknown, table full",
	  .goal = 15, DATA(flooded_table, 10000) },
	{ .name = "data of a million unknown, table empty",
	  DATA(empty_table, 1000003) },
	{ .name = "data of a million unknown, 60,000 servers silent",
	  DATA(silent_table, 1000003) },
	{ .name = "a whole connection, four packets",
	  .goal = 700, CONNECTIONS(empty_table) },
	{ .name = "a whole connection, its times for json",
	  CONNECTIONS(empty_table), .track = &json },
	{ .name = "a whole connection, table full",
	  .goal = 700, CONNECTIONS(flooded_table) },
	{ .name = "a SYN of a flood, table full",
	  .goal = 300, SYNS(flooded_table, COUNT_CONNECTIONS) },
	{ .name = "data of 10,000 unknown, with --port and --net",
	  .goal = 15, DATA(empty_table, 10000), .port = "25", .net = "192.0.2.0/24" },
	{ .name = "a whole connection, with --port and --net",
	  CONNECTIONS(empty_table), .port = "25", .net = "192.0.2.0/24" },
	{ .name = "a SYN that --port passes over",
	  SYNS(empty_table, COUNT_PASSED_OVER), .port = "22" },
	{ .name = "a SYN that --net passes over",
	  SYNS(empty_table, COUNT_PASSED_OVER), .net = "198.51.100.0/24" },
	{ .name = "--decap: not IP",
	  .goal = 4, SAME(empty_table), .ethertype = 0x0806, .wrap = WRAP_VXLAN },
	{ .name = "--decap: UDP that is no tunnel",
	  .goal = 6, SAME(empty_table), .protocol = 17, .wrap = WRAP_IPIP },
	{ .name = "--decap: data in VXLAN",
	  .goal = 30, SAME(empty_table), .wrap = WRAP_VXLAN },
	{ .name = "--decap: data in Geneve",
	  .goal = 30, SAME(empty_table), .wrap = WRAP_GENEVE },
	{ .name = "--decap: data in GRE",
	  .goal = 30, SAME(empty_table), .wrap = WRAP_GRE },
	{ .name = "--decap: data in ERSPAN III",
	  .goal = 30, SAME(empty_table), .wrap = WRAP_ERSPAN_3 },
	{ .name = "--decap: data in IP in IP",
	  .goal = 30, SAME(empty_table), .wrap = WRAP_IPIP },
	{ .name = "--decap: data in MPLS",
	  .goal = 30, SAME(empty_table), .wrap = WRAP_MPLS },
	{ .name = "--decap: data in PPPoE",
	  .goal = 30, SAME(empty_table), .wrap = WRAP_PPPOE },
};
/* clang-format on */

#define WHOLE(how, packets, which, asked)                                      \
	{                                                                      \
		.vary = how, .repeat = 40000 * (packets), .together = packets, \
		.prepare = empty_table, PACKET, .counts = which,               \
		.growth = 40000, .track = asked                                \
	}
#define BULK(asked)                                                            \
	{                                                                      \
		.vary = VARY_ADDRESS, .connections = 10000, .repeat = 1000000, \
		.together = 1, .prepare = answered_table, PACKET,              \
		.track = asked                                                 \
	}
#define IDLE(asked)                                                            \
	{                                                                      \
		.repeat = 1000000, .together = 1, .prepare = empty_table,      \
		PACKET, .protocol = 17, .track = asked                         \
	}

static const struct pair pairs[] = {
	{ "a whole connection, its client first, all events; "
	  "its server first, banners only",
	  "1.3",
	  { WHOLE(VARY_ASKED, 5, COUNT_CLIENT_FIRST, &all_events),
	    WHOLE(VARY_CONNECTION, 4, COUNT_BANNER, NULL) } },
	{ "a whole connection, its server first, its client silent: all "
	  "events; "
	  "banners only",
	  "",
	  { WHOLE(VARY_CONNECTION, 4, COUNT_BANNER, &all_events),
	    WHOLE(VARY_CONNECTION, 4, COUNT_BANNER, NULL) } },
	{ "a whole connection, its client first, as --inventory asks: with "
	  "requests; without",
	  "",
	  { WHOLE(VARY_ASKED, 5, COUNT_CLIENT_FIRST, &inventory),
	    WHOLE(VARY_ASKED, 5, COUNT_CLIENT_FIRST, &no_requests) } },
	{ "data of 10,000 decided: all events; banners only",
	  "",
	  { BULK(&all_events), BULK(NULL) } },
	{ "not TCP: all events; banners only",
	  "",
	  { IDLE(&all_events), IDLE(NULL) } },
	{ "not TCP: --owner; without", "", { IDLE(&owners), IDLE(NULL) } },
	{ "data of 10,000 decided: --owner; without",
	  "",
	  { BULK(&owners), BULK(NULL) } },
	{ "a whole connection, packets without a socket: --owner; without",
	  "",
	  { WHOLE(VARY_CONNECTION, 4, COUNT_BANNER, &owners),
	    WHOLE(VARY_CONNECTION, 4, COUNT_BANNER, NULL) } },
};

static void print_pairs(const char *wanted)
{
	printf("\n| one; another | hook | ns | ns of the other | ratio | "
	       "spread "
	       "| goal |\n"
	       "| --- | --- | ---: | ---: | ---: | --- | ---: |\n");
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (strstr(pairs[i].name, wanted))
			run_pair(&pairs[i]);
}

/*
 * bench_kernel [-r ROUNDS] [TEXT]: all scenarios, or those whose name has TEXT
 * in it.
 */
int main(int argc, char **argv)
{
	const bool has_rounds = argc > 2 && !strcmp(argv[1], "-r");
	const int first = has_rounds ? 3 : 1;
	const char *wanted = argc > first ? argv[first] : "";

	if (has_rounds)
		rounds = atoi(argv[2]);
	if (rounds < 1 || rounds > ROUNDS)
		fail("1 to 9 rounds are possible");
	message_libbpf(getenv("VERBOSE"));
	printf("| packet | hook | ns over an empty program | spread | goal |\n"
	       "| --- | --- | ---: | --- | ---: |\n");
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		if (!strstr(scenarios[i].name, wanted))
			continue;
		load(&scenarios[i]);
		measure(&scenarios[i], ROAD_XDP);
		measure(&scenarios[i], ROAD_TC);
		unload();
	}
	print_pairs(wanted);
	return 0;
}
