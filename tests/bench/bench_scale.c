/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a packet costs when several CPUs have packets at the same time:
 * BPF_PROG_TEST_RUN by T pinned threads, each with connections of its own. What
 * an empty program costs in the same round is subtracted. The time is that of
 * each thread's CPU, so other work disturbs it less; the share of the round
 * that the threads ran for is printed last, because threads that wait do not
 * meet. What came of the packets is checked, or nothing is printed.
 *
 *   bench_scale [-t THREADS] [-r ROUNDS] [TEXT]
 *
 * TEXT: only the rows whose name has it in it. No shared library is needed in
 * build/static/bench_scale, which can be copied to another machine.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "system/message.h"
#include "options/options.h"
#include "attach/programs.h"
#include "attach/ring_maps.h"
#include "bannerprobe.skel.h"
#include "kernel/drive.h"
#include "kernel/kernel_table.h"
#include "median.h"

#define ROUNDS 7
#define ROUNDS_MAX 101
#define STEPS_MAX 10	  /* numbers of threads: 1, 2, 4, ... */
#define RING_RECORDS 1000 /* less than a ring buffer has room for */
#define PIECES 4 /* in which these are written; each begins with a look */

struct scenario {
	const char *name;
	bool has_reference; /* the reference program runs in the same rounds */
	__u32 flows;	    /* connections that the table has room for */
	enum vary vary;
	__u32 count;	      /* packets of a thread in a round */
	unsigned int packets; /* that the figure is for */
	enum counter counts;  /* must have grown by one for so many packets */
	bool is_flooded;      /* the table is full before */
	/*
	 * A thread that loses its CPU within a handshake finds it evicted when
	 * others have had as many connections as a small table has room for.
	 */
	__u64 may_miss;
};

/* What a thread does in a round. */
struct work {
	struct lane_run run;
	const struct scenario *scenario;
	enum target target;
	int cpu;
	unsigned int threads;
	double ran;  /* s of its CPU in the kernel's test runs */
	double took; /* s of the clock meanwhile */
	bool failed;
};

/* ns and the share of the time that the threads ran for. */
struct cost {
	double ns;
	double ran;
};

static struct bannerprobe_bpf *probe;
static struct rings *rings;
static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static atomic_ulong announced, drained; /* records */
static int cpus[CPU_SETSIZE];
static struct bytes packet;

static void fail(const char *what)
{
	message("bench_scale: %s", what);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- the ring buffer ------------------------------------------------------ */

static bool drop_record(void *context, const struct event *event, size_t size)
{
	(void)context;
	(void)event;
	(void)size;
	drained++;
	return true;
}

static void drain(void)
{
	if (pthread_mutex_trylock(&ring_lock)) {
		sched_yield();
		return;
	}
	rings_consume(rings);
	pthread_mutex_unlock(&ring_lock);
}

/* Records that the ring buffers of so many threads have room for. */
static unsigned long room_for(unsigned int threads)
{
	int maps[RINGS_MAX];
	const unsigned int count = ring_maps(probe, maps);

	return RING_RECORDS * (threads < count ? threads : count);
}

/* Waits until the ring buffers have room for a piece of each thread. */
static void announce(unsigned long records, unsigned int threads)
{
	const unsigned long room = room_for(threads);

	while (announced - drained > room - room / PIECES)
		drain();
	announced += records;
}

/* --- threads -------------------------------------------------------------- */

/* Where the priority may not be had, other work disturbs. */
static void take_cpu(int cpu)
{
	const struct sched_param priority = { .sched_priority = 1 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		fail("a thread cannot be pinned");
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
}

static bool has_records(const struct work *work)
{
	return work->scenario->counts == COUNT_BANNER &&
	       work->target == TO_PROBE;
}

static void run_piece(struct work *work)
{
	const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	const double clock = seconds(CLOCK_MONOTONIC);

	work->failed |= drive_lane(&work->run) < 0;
	work->ran += seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	work->took += seconds(CLOCK_MONOTONIC) - clock;
}

static void *run_thread(void *context)
{
	struct work *work = context;
	const __u64 from = work->run.from;
	const __u32 all = work->run.count;
	const unsigned int packets = work->scenario->packets;
	const __u32 piece = (__u32)room_for(work->threads) / PIECES /
			    work->threads * packets;
	const bool records = work->scenario->counts == COUNT_BANNER;

	take_cpu(work->cpu);
	pthread_barrier_wait(&start);
	for (__u32 done = 0; done < all; done += work->run.count) {
		work->run.from = from + done;
		work->run.count = all - done;
		if (records && work->run.count > piece)
			work->run.count = piece;
		if (has_records(work))
			announce(work->run.count / packets, work->threads);
		run_piece(work);
	}
	return NULL;
}

/* All threads at once. The cost of what the scenario's figure is for. */
static struct cost run_threads(struct work *works, unsigned int threads)
{
	pthread_t ids[CPU_SETSIZE];
	double ran = 0, took = 0, packets = 0;

	pthread_barrier_init(&start, NULL, threads);
	for (unsigned int i = 0; i < threads; i++) {
		if (pthread_create(&ids[i], NULL, run_thread, &works[i]))
			fail("a thread cannot be started");
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		if (works[i].failed)
			fail("a test run failed, or a packet did not pass");
		ran += works[i].ran;
		took += works[i].took;
		packets += works[0].scenario->count;
	}
	pthread_barrier_destroy(&start);
	return (struct cost){
		.ns = ran * 1e9 / packets * works[0].scenario->packets,
		.ran = ran / took,
	};
}

/* --- rounds --------------------------------------------------------------- */

static void check_growth(const struct scenario *scenario, unsigned int threads,
			 __u64 before)
{
	const __u64 growth = programs_counter(probe, scenario->counts) - before;
	const __u64 expected =
		scenario->counts ?
			(__u64)threads * scenario->count / scenario->packets :
			growth;

	rings_consume(rings);
	if (scenario->counts == COUNT_BANNER)
		announced -= expected - growth;
	if (growth > expected || growth + scenario->may_miss < expected) {
		message("bench_scale: %s: %llu counted, not %llu",
			scenario->name, growth, expected);
		exit(1);
	}
	if (announced != drained || programs_counter(probe, COUNT_LOST_RING))
		fail("records were lost");
}

static struct cost run_target(const struct scenario *scenario, enum road road,
			      unsigned int threads, enum target target,
			      __u64 from)
{
	struct work works[CPU_SETSIZE] = {};

	for (unsigned int i = 0; i < threads; i++)
		works[i] = (struct work){
			.run = { .road = road,
				 .lane = (__u8)i,
				 .bytes = &packet,
				 .vary = scenario->vary,
				 .connections = 1,
				 .from = from,
				 .count = scenario->count },
			.scenario = scenario,
			.target = target,
			.cpu = cpus[i],
			.threads = threads,
		};
	if (!drive_set_target(road, target))
		fail("a program cannot be chosen");
	return run_threads(works, threads);
}

/* What a target costs in each round, with each number of threads. */
struct series {
	double ns[STEPS_MAX][ROUNDS_MAX];
	double ran[ROUNDS_MAX];
};

/* Numbers of threads, and rounds. */
struct extent {
	int steps;
	unsigned int most;
	int rounds;
};

static unsigned int threads_of(const struct extent *extent, int step)
{
	return 1U << step < extent->most ? 1U << step : extent->most;
}

/* Over an empty program. */
static void run_round(const struct scenario *scenario, enum road road,
		      const struct extent *extent, int round,
		      struct series series[2])
{
	static __u64 from = 0x100000;

	for (int step = 0; step < extent->steps; step++) {
		const unsigned int threads = threads_of(extent, step);
		const __u64 before = programs_counter(probe, scenario->counts);
		struct cost empty, cost;

		cost = run_target(scenario, road, threads, TO_PROBE, from);
		check_growth(scenario, threads, before);
		empty = run_target(scenario, road, threads, TO_EMPTY, from);
		series[0].ns[step][round] = cost.ns - empty.ns;
		series[0].ran[round] = cost.ran;
		if (scenario->has_reference) {
			cost = run_target(scenario, road, threads, TO_REFERENCE,
					  from);
			series[1].ns[step][round] = cost.ns - empty.ns;
			series[1].ran[round] = cost.ran;
		}
		from += scenario->count;
	}
}

static void print_row(const char *name, enum road road, struct series *series,
		      const struct extent *extent, int places)
{
	const size_t rounds = (size_t)extent->rounds;
	double growth[ROUNDS_MAX];

	printf("| %s | %s |", name, road == ROAD_XDP ? "XDP" : "tc");
	for (size_t i = 0; i < rounds; i++)
		growth[i] = series->ns[extent->steps - 1][i] / series->ns[0][i];
	for (int step = 0; step < extent->steps; step++) {
		double *ns = series->ns[step];
		double middle = median(ns, rounds);

		printf(" %.*f (%.*f to %.*f) |", places, middle, places, ns[0],
		       places, ns[rounds - 1]);
	}
	printf(" %.2f | %.2f |\n", median(growth, rounds),
	       median(series->ran, rounds));
	fflush(stdout);
}

/* Numbers of threads in turns, so that a ratio is that of neighbours in time.
 */
static void measure(const struct scenario *scenario, enum road road,
		    const struct extent *extent)
{
	static struct series series[2], over;

	for (int round = 0; round < extent->rounds; round++)
		run_round(scenario, road, extent, round, series);
	over = series[0];
	for (int step = 0; step < extent->steps; step++) {
		for (int round = 0; round < extent->rounds; round++)
			over.ns[step][round] /= series[1].ns[step][round];
	}
	print_row(scenario->name, road, &series[0], extent, 1);
	if (scenario->has_reference) {
		print_row("reference: headers, one look-up in an LRU map", road,
			  &series[1], extent, 1);
		print_row("data over reference", road, &over, extent, 2);
	}
}

/* --- the table ------------------------------------------------------------ */

static void fill_table(const struct scenario *scenario)
{
	struct lane_run run = { .road = ROAD_XDP,
				.bytes = &packet,
				.vary = VARY_SYN_FLOOD,
				.count = 4 * scenario->flows };

	if (!drive_set_target(ROAD_XDP, TO_PROBE) || drive_lane(&run) < 0)
		fail("the table cannot be filled");
}

static void load(const struct scenario *scenario)
{
	probe = programs_load(PROGRAMS_ALL, 256, scenario->flows, NULL, NULL);
	if (!probe || !drive_open(probe) || !drive_attach())
		fail("the programs cannot be loaded");
	rings = kernel_rings(probe, drop_record, NULL);
	if (!rings)
		fail("the ring buffers cannot be opened");
	if (scenario->is_flooded)
		fill_table(scenario);
}

static void unload(void)
{
	rings_close(rings);
	drive_close();
	bannerprobe_bpf__destroy(probe);
}

#define CONNECTIONS(room)                                                      \
	.flows = room, .vary = VARY_CONNECTION, .count = 40000, .packets = 4,  \
	.counts = COUNT_BANNER
#define FLOOD(room)                                                            \
	.flows = room, .vary = VARY_SYN_FLOOD, .count = 50000, .packets = 1,   \
	.counts = COUNT_CONNECTIONS, .is_flooded = true

static const struct scenario scenarios[] = {
	{ .name = "a whole connection, table of 32,768", CONNECTIONS(32768) },
	{ .name = "a whole connection, table of 1,048,576",
	  CONNECTIONS(1048576) },
	/* Two CPUs meet here as often as sixteen meet in one of 32,768. */
	{ .name = "a whole connection, table of 2,048",
	  CONNECTIONS(2048),
	  .may_miss = 10 },
	{ .name = "a SYN of a flood, table full", FLOOD(32768) },
	{ .name = "a SYN of a flood, table of 2,048 full", FLOOD(2048) },
	{ .name = "data of no interest, warm",
	  .flows = 32768,
	  .vary = VARY_ADDRESS,
	  .count = 1000000,
	  .packets = 1,
	  .has_reference = true },
};

static void prepare_packet(void)
{
	const struct test_packet built = DRIVE_SERVER_DATA;

	packet_build(&packet, &built);
}

/* How many CPUs this process may use; their numbers are kept. */
static unsigned int find_cpus(void)
{
	unsigned int count = 0;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		fail("which CPUs there are is not known");
	for (int cpu = 0; cpu < CPU_SETSIZE && count < DRIVE_LANES; cpu++) {
		if (CPU_ISSET(cpu, &allowed))
			cpus[count++] = cpu;
	}
	return count;
}

static void print_header(const struct extent *extent)
{
	printf("| ns over an empty program | hook |");
	for (int step = 0; step < extent->steps; step++)
		printf(" T = %u |", threads_of(extent, step));
	printf(" last over first | ran |\n| --- | --- |");
	for (int step = 0; step < extent->steps; step++)
		printf(" ---: |");
	printf(" ---: | ---: |\n");
}

/* The name that rows must have in them. */
static const char *read_arguments(int argc, char **argv, struct extent *extent)
{
	int option, value;

	while ((option = getopt(argc, argv, "t:r:")) != -1) {
		value = optarg ? atoi(optarg) : 0;
		if (option == 't' && value > 0 && value <= (int)extent->most)
			extent->most = (unsigned int)value;
		else if (option == 'r' && value > 0 && value <= ROUNDS_MAX)
			extent->rounds = value;
		else
			fail("usage: bench_scale [-t THREADS] [-r ROUNDS] "
			     "[TEXT]");
	}
	while (1U << extent->steps++ < extent->most)
		;
	return optind < argc ? argv[optind] : "";
}

int main(int argc, char **argv)
{
	struct extent extent = { .most = find_cpus(), .rounds = ROUNDS };
	const char *wanted = read_arguments(argc, argv, &extent);

	message_libbpf(getenv("VERBOSE"));
	/* drive_attach() needs a loopback that no packet passes. */
	if (unshare(CLONE_NEWNET))
		fail("a network namespace cannot be made: run it as root");
	prepare_packet();
	print_header(&extent);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		if (!strstr(scenarios[i].name, wanted))
			continue;
		load(&scenarios[i]);
		measure(&scenarios[i], ROAD_TC, &extent);
		measure(&scenarios[i], ROAD_XDP, &extent);
		unload();
	}
	return 0;
}
