/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The loaded BPF programs, through BPF_PROG_TEST_RUN, beside the engine in user
 * space: after every packet the state of the connection, the counters and the
 * record must be the same. Needs root, and nothing attached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "system/message.h"
#include "capture/link_layer.h"
#include "options/options.h"
#include "capture/packet_reader.h"
#include "attach/programs.h"
#include "engine/server_list.h"
#include "bannerprobe.skel.h"
#include "drive.h"
#include "backends.h"
#include "kernel_table.h"
#include "unit/wrap.h"

#define LENGTH 256
#define PIECE 1000 /* records that a ring buffer has room for */
#define CAPTURES "../shared/captures"

/* Which program takes which direction of a connection. */
struct hooks {
	const char *name;
	struct bpf_program *from_client, *from_server;
	struct bannerprobe_bpf *loaded; /* NULL: bpf */
};

static struct bannerprobe_bpf *bpf;
/* The same programs, loaded with all options of the tracker. */
static struct bannerprobe_bpf *gathering;

/*
 * How many connections are driven: the variable reduces it for a slow machine.
 */
static __u32 million = 2000000;

static void open_backends_of(struct backends *backends,
			     struct bannerprobe_bpf *loaded)
{
	assert_true(backends_open(backends, loaded, LENGTH, DEFAULT_FLOWS));
}

static void open_backends(struct backends *backends)
{
	open_backends_of(backends, bpf);
}

/* Gives one packet to both backends, and compares all results. */
static void deliver(struct backends *backends, const struct delivery *delivery)
{
	const char *difference = backends_feed(backends, delivery);

	if (difference)
		fail_msg("%s", difference);
}

static void feed_both(struct backends *backends,
		      const struct bpf_program *program, const __u8 *data,
		      size_t len, bool raw_ip, __u64 now)
{
	const struct delivery delivery = { .program = program,
					   .data = data,
					   .len = len,
					   .raw_ip = raw_ip,
					   .now = now };

	deliver(backends, &delivery);
}

static void assert_same_counters(struct backends *backends)
{
	const char *difference = backends_compare_counters(backends);

	if (difference)
		fail_msg("%s", difference);
}

/* --- by the clock ------------------------------------------------------- */

/*
 * Where a time decides, the backends may differ on a slow machine: one after
 * the other they read the clock, which can go on by half a second in between,
 * and a copy of a SYN is a retransmission for one of them. So what differs is
 * believed if all was done in less than that, or if it differs each time.
 */
#define TRIES_MOST 10

struct tries {
	__u64 began;
	int count;
};

/* The last difference that was found. */
static char differing[TEXT_MAX];

/* As the programs read it. */
static __u64 clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
}

static bool is_same(const char *difference)
{
	if (difference)
		snprintf(differing, sizeof(differing), "%s", difference);
	return !difference;
}

/* Gives both backends a packet at this time; whether they do the same. */
static bool feed_now(struct backends *backends,
		     const struct bpf_program *program, const __u8 *data,
		     size_t len)
{
	const struct delivery delivery = {
		.program = program, .data = data, .len = len, .now = clock_now()
	};

	return is_same(backends_feed(backends, &delivery));
}

static void try_begin(struct tries *tries)
{
	tries->began = clock_now();
	tries->count++;
}

/* After a difference: whether the clock may have made it. */
static bool try_again(const struct tries *tries)
{
	if (clock_now() - tries->began < RETRANSMISSION_NS ||
	    tries->count == TRIES_MOST)
		fail_msg("%s", differing);
	print_message("# once more, after %llu ms: %s\n",
		      (clock_now() - tries->began) / 1000000, differing);
	return true;
}

/* --- the table of cases ------------------------------------------------ */

/* A client port for each case: no test meets a connection of another test. */
static __u16 next_port(void)
{
	static __u16 port = 1024;

	return port++;
}

/* One case on a connection of its own; whether both backends are the same. */
static bool play_steps(const struct test_case *test, const struct hooks *hooks,
		       struct isns isns, bool ipv6)
{
	const __u16 port = next_port();
	struct test_packet packet;
	struct backends backends;
	struct bytes bytes;
	bool same = true;

	open_backends_of(&backends, hooks->loaded ? hooks->loaded : bpf);
	for (int i = 0; same && i < STEPS_MAX && test->steps[i].used; i++) {
		const struct step *step = &test->steps[i];

		step_packet(&packet, step, isns, port, ipv6);
		packet_build(&bytes, &packet);
		same = feed_now(&backends,
				step->from_server ? hooks->from_server :
						    hooks->from_client,
				bytes.data, bytes.len);
	}
	same = same && is_same(backends_compare_counters(&backends));
	if (same &&
	    !hooks->loaded) /* else with parts of greetings among them */
		assert_string_equal(backends.banners, test->banners);
	backends_close(&backends);
	return same;
}

static void play_case(const struct test_case *test, const struct hooks *hooks,
		      struct isns isns, bool ipv6)
{
	struct tries tries = {};

	do
		try_begin(&tries);
	while (!play_steps(test, hooks, isns, ipv6) && try_again(&tries));
}

static void test_cases_through(void **state)
{
	const struct hooks *hooks = *state;

	for (size_t i = 0; i < test_case_count; i++) {
		if (test_cases[i].own != OWN_NEITHER ||
		    test_cases[i].need != NEED_OWN)
			continue; /* the programs are loaded for one need */
		print_message("# %s\n", test_cases[i].name);
		for (size_t j = 0; j < test_isns_count; j++)
			play_case(&test_cases[i], hooks, test_isns[j], j & 1);
	}
}

/* --- packets that are not plain ---------------------------------------- */

static struct test_packet plain_packet(void)
{
	return (struct test_packet){ .from_server = true,
				     .client_port = next_port(),
				     .server_port = 25,
				     .flags = TCP_SYN | TCP_ACK,
				     .seq = 5000,
				     .ack = 1001,
				     .payload = "220 hello\r\n",
				     .payload_len = 11 };
}

/* SYN-ACKs with a banner, as the parser's edges have them. */
static size_t odd_packets(struct test_packet packets[32])
{
	size_t count = 0;

#define ODD(...)                                                               \
	do {                                                                   \
		packets[count] = plain_packet();                               \
		struct test_packet *p = &packets[count++];                     \
		__VA_ARGS__;                                                   \
	} while (0)
	ODD(p->ip_option_words = 10, p->tcp_option_words = 10);
	ODD(p->padding = 40);
	ODD(p->ip_length_zero = true);
	ODD(p->ip_length_zero = true, p->ipv6 = true);
	ODD(p->ip_length = 1);
	ODD(p->ip_length = -12);
	ODD(p->ip_length = -35);
	ODD(p->ip_length = 1, p->ipv6 = true);
	ODD(p->tcp_data_offset = 4);
	ODD(p->tcp_data_offset = 15);
	ODD(p->ip_header_words = 4);
	ODD(p->ip_header_words = 15);
	ODD(p->vlan[0] = 42);
	ODD(p->vlan[0] = 42, p->vlan[1] = 7, p->ipv6 = true);
	ODD(p->vlan[0] = 42, p->vlan[1] = 7, p->vlan[2] = 8);
	ODD(p->fragment = 0x2000);
	ODD(p->fragment = 0x2001);
	ODD(p->fragment = 0x2000, p->ip_length = -12);
	ODD(p->ipv6 = true, p->extension_count = 3,
	    p->extensions[0] = (struct test_extension){ PROTO_HOPOPTS, 255 },
	    p->extensions[1] = (struct test_extension){ PROTO_AUTH, 4 },
	    p->extensions[2] = (struct test_extension){ PROTO_FRAGMENT, 9 },
	    p->fragment = 1);
	ODD(p->ipv6 = true, p->extension_count = 9, (void)0);
	ODD(p->flags = TCP_SYN | TCP_ACK, p->payload_len = 1);
#undef ODD
	return count;
}

static void test_odd_packets(void **state)
{
	const struct hooks *hooks = *state;
	struct test_packet packets[32];
	size_t count = odd_packets(packets);
	const size_t least = hooks->from_server == bpf->progs.bannerprobe_xdp ?
				     FRAME_MIN :
				     TC_FRAME_MIN;
	struct backends backends;
	struct bytes bytes;

	open_backends(&backends);
	for (size_t i = 0; i < count; i++) {
		packet_build(&bytes, &packets[i]);
		feed_both(&backends, hooks->from_server, bytes.data, bytes.len,
			  false, 1);
		/* And ended at every byte, as a broken driver might. */
		for (size_t len = least; len < bytes.len; len++)
			feed_both(&backends, hooks->from_server, bytes.data,
				  len, false, 1);
	}
	assert_same_counters(&backends);
	backends_close(&backends);
}

/* One byte of a frame, and what it makes of it. */
static const struct {
	bool ipv6;
	__u16 at;
	__u16 value; /* an EtherType, at 12 */
	enum counter counter;
} not_opened[] = {
	{ false, 12, 0x8864, COUNT_NOT_OPENED_PPPOE },
	{ false, 12, 0x8847, COUNT_NOT_OPENED_MPLS },
	{ false, 12, 0x8848, COUNT_NOT_OPENED_MPLS },
	{ false, 12, 38, COUNT_NOT_OPENED_LLC },
	{ false, 14 + 9, 47, COUNT_NOT_OPENED_GRE },
	{ false, 14 + 9, 4, COUNT_NOT_OPENED_IP_IN_IP },
	{ false, 14 + 9, 41, COUNT_NOT_OPENED_IP_IN_IP },
	{ true, 14 + 6, 47, COUNT_NOT_OPENED_GRE },
	{ true, 14 + 6, 41, COUNT_NOT_OPENED_IP_IN_IP },
};

/* What is not opened is counted on the hooks, too. */
static void test_not_opened(void **state)
{
	const struct hooks *hooks = *state;
	struct backends backends;
	struct bytes bytes;

	open_backends(&backends);
	for (size_t i = 0; i < sizeof(not_opened) / sizeof(*not_opened); i++) {
		const __u16 at = not_opened[i].at;
		const struct test_packet packet = { .ipv6 = not_opened[i].ipv6,
						    .client_port = next_port(),
						    .server_port = 25,
						    .flags = TCP_SYN };
		const __u64 before =
			backends.native.counters[not_opened[i].counter];

		packet_build(&bytes, &packet);
		bytes.data[at] =
			(__u8)(not_opened[i].value >> (at == 12 ? 8 : 0));
		if (at == 12)
			bytes.data[13] = (__u8)not_opened[i].value;
		feed_both(&backends, hooks->from_server, bytes.data, bytes.len,
			  false, 1);
		assert_int_equal(
			backends.native.counters[not_opened[i].counter],
			before + 1);
	}
	assert_same_counters(&backends);
	backends_close(&backends);
}

/* The same in two buffers, parted at every byte, each a connection anew. */
static void test_split_packets(void **state)
{
	struct test_packet packets[32];
	size_t count = odd_packets(packets);
	struct backends backends;
	struct bytes bytes;

	(void)state;
	open_backends(&backends);
	if (!backends.can_split) {
		backends_close(&backends);
		skip();
	}
	for (size_t i = 0; i < count; i++) {
		packet_build(&bytes, &packets[i]);
		for (size_t linear = FRAME_MIN; linear < bytes.len; linear++) {
			packets[i].client_port = next_port();
			packet_build(&bytes, &packets[i]);
			deliver(&backends,
				&(struct delivery){
					.program = bpf->progs.bannerprobe_xdp,
					.data = bytes.data,
					.len = bytes.len,
					.linear = linear,
					.now = 1 });
		}
	}
	assert_same_counters(&backends);
	assert_true(backends.native.counters[COUNT_BANNER] > 0);
	backends_close(&backends);
}

/* Opens the backends with programs that open tunnels; to be closed by both. */
static struct bannerprobe_bpf *open_decap(struct backends *backends)
{
	struct track_options track = { .need = NEED_NONE };
	struct bannerprobe_bpf *programs;

	wrap_track(&track);
	programs = programs_load(PROGRAMS_ALL, LENGTH, DEFAULT_FLOWS, &track,
				 NULL);
	assert_non_null(programs);
	assert_true(backends_open(backends, programs, LENGTH, DEFAULT_FLOWS));
	backends->native.settings.track.need = NEED_NONE;
	return programs;
}

/* Puts a packet into tunnels of two kinds in turn, as long as there is room. */
static void build_wrapped(struct bytes *bytes, bool ipv6, int first, int second)
{
	struct test_packet packet = plain_packet();

	packet.ipv6 = ipv6;
	packet_build(bytes, &packet);
	wrap(bytes, (enum wrap)first);
	wrap(bytes, (enum wrap)second);
}

/* Each kind in each, ended at every byte, by XDP and by tc. */
static void test_tunnels(void **state)
{
	struct backends backends;
	struct bannerprobe_bpf *programs = open_decap(&backends);
	struct bytes bytes;

	(void)state;
	for (int i = 0; i < 2 * WRAPS * WRAPS; i++) {
		const struct bpf_program *hooks[] = {
			programs->progs.bannerprobe_xdp,
			programs->progs.bannerprobe_tx
		};

		for (int hook = 0; hook < 2; hook++) {
			build_wrapped(&bytes, i & 1, i / 2 % WRAPS,
				      i / 2 / WRAPS);
			feed_both(&backends, hooks[hook], bytes.data, bytes.len,
				  false, 1);
			for (size_t len = TC_FRAME_MIN; len < bytes.len;
			     len += 3)
				feed_both(&backends, hooks[hook], bytes.data,
					  len, false, 1);
		}
	}
	assert_same_counters(&backends);
	/* All but a few that do not go together, as PPPoE in IP in IP. */
	assert_true(backends.native.counters[COUNT_BANNER] > 3 * WRAPS * WRAPS);
	backends_close(&backends);
	bannerprobe_bpf__destroy(programs);
}

/* In two buffers, parted within the headers of tunnels. */
static void test_split_tunnels(void **state)
{
	struct backends backends;
	struct bannerprobe_bpf *programs = open_decap(&backends);
	struct bytes bytes;

	(void)state;
	for (int i = 0; backends.can_split && i < WRAPS * WRAPS; i++) {
		build_wrapped(&bytes, false, i % WRAPS, i / WRAPS);
		for (size_t linear = FRAME_MIN; linear < bytes.len;
		     linear += 7) {
			build_wrapped(&bytes, false, i % WRAPS, i / WRAPS);
			deliver(&backends,
				&(struct delivery){
					.program =
						programs->progs.bannerprobe_xdp,
					.data = bytes.data,
					.len = bytes.len,
					.linear = linear,
					.now = 1 });
		}
	}
	assert_same_counters(&backends);
	backends_close(&backends);
	bannerprobe_bpf__destroy(programs);
}

static void test_raw_ip(void **state)
{
	struct bpf_program *programs[] = { bpf->progs.bannerprobe_rxi,
					   bpf->progs.bannerprobe_txi };
	struct backends backends;
	struct bytes bytes;

	(void)state;
	open_backends(&backends);
	for (int i = 0; i < 4; i++) {
		struct test_packet packet = plain_packet();

		packet.raw_ip = true;
		packet.ipv6 = i & 1;
		packet_build(&bytes, &packet);
		feed_both(&backends, programs[i / 2], bytes.data, bytes.len,
			  true, 1);
	}
	assert_same_counters(&backends);
	assert_int_equal(backends.native.counters[COUNT_BANNER], 4);
	backends_close(&backends);
}

/* --- counters by interface ----------------------------------------------- */

#define LOOPBACK 1 /* the index that BPF_PROG_TEST_RUN gives a packet */

static void feed_connection(struct backends *backends)
{
	const struct test_packet packet = plain_packet();
	struct bytes bytes;

	packet_build(&bytes, &packet);
	feed_both(backends, bpf->progs.bannerprobe_rx, bytes.data, bytes.len,
		  false, 1);
	feed_both(backends, bpf->progs.bannerprobe_xdp, bytes.data, bytes.len,
		  false, 1);
}

/* An interface has a slot from when it is assigned until it is released. */
static void test_counts_by_interface(void **state)
{
	const __u32 same_place = LOOPBACK + SLOT_PLACES;
	__u64 own[COUNTER_MAX];
	struct backends backends;

	(void)state;
	open_backends(&backends);
	feed_connection(&backends);
	assert_false(programs_interface_counters(bpf, LOOPBACK, own));
	for (int i = 0; i < 2; i++) {
		programs_count_interface(bpf, LOOPBACK);
		programs_count_interface(bpf, same_place);
		feed_connection(&backends);
		assert_true(programs_interface_counters(bpf, LOOPBACK, own));
		assert_int_equal(own[COUNT_CONNECTIONS], 1);
		assert_int_equal(own[COUNT_BANNER], 1);
		assert_false(programs_interface_counters(bpf, same_place, own));
		programs_forget_interface(bpf, same_place);
		programs_forget_interface(bpf, LOOPBACK);
		assert_false(programs_interface_counters(bpf, LOOPBACK, own));
	}
	feed_connection(&backends);
	assert_same_counters(&backends); /* the sum, of four */
	assert_int_equal(backends.native.counters[COUNT_BANNER], 4);
	backends_close(&backends);
}

/* With more interfaces than slots, the later ones have none. */
static void test_slots_run_out(void **state)
{
	__u64 own[COUNTER_MAX];
	__u32 with_slot = 0;

	(void)state;
	for (__u32 i = 0; i < 2 * SLOTS; i++) {
		programs_count_interface(bpf, 100000 + i);
		with_slot += programs_interface_counters(bpf, 100000 + i, own);
	}
	assert_int_equal(with_slot, SLOTS - SLOT_FIRST);
	for (__u32 i = 0; i < 2 * SLOTS; i++)
		programs_forget_interface(bpf, 100000 + i);
}

/* --- the server filter --------------------------------------------------- */

/* Of a server inside and one outside, both backends log the same. */
static void play_wanted(const struct server_list *wanted, const char *banners)
{
	struct bannerprobe_bpf *chosen =
		programs_load(PROGRAMS_ALL, LENGTH, BUCKET_WAYS, NULL, wanted);
	static const struct step steps[] = {
		{ true, false, TCP_SYN, 0, 0, "", 0, DIRECTION_NONE },
		{ true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0, DIRECTION_NONE },
		{ true, true, TCP_ACK, 1, 1, "hello", 0, DIRECTION_NONE },
	};
	struct test_packet packet;
	struct backends backends;
	struct bytes bytes;
	const char *difference = NULL;

	assert_non_null(chosen);
	assert_true(backends_open(&backends, chosen, LENGTH, BUCKET_WAYS));
	backends.native.servers = wanted;
	for (int i = 0; i < 12 && !difference; i++) {
		step_packet(&packet, &steps[i % 3], test_isns[0],
			    (__u16)(100 + i / 3), i / 6);
		if (i / 3 % 2)
			packet.server_port = 26;
		packet_build(&bytes, &packet);
		difference = backends_feed(
			&backends,
			&(struct delivery){
				.program =
					i % 2 ? chosen->progs.bannerprobe_xdp :
						chosen->progs.bannerprobe_tx,
				.data = bytes.data,
				.len = bytes.len,
				.now = 1 });
	}
	if (!difference)
		difference = backends_compare_counters(&backends);
	if (difference)
		fail_msg("%s", difference);
	assert_string_equal(backends.banners, banners);
	backends_close(&backends);
	bannerprobe_bpf__destroy(chosen);
}

static void test_wanted(void **state)
{
	static const char one[] = "hello/5/Shd";
	static const char two[] = "hello/5/Shd hello/5/Shd";
	struct server_list by_port = {}, by_net = {}, by_not_net = {},
			   by_all = {};

	(void)state;
	assert_true(server_list_add_ports(&by_port, "26"));
	assert_true(server_list_add_net(&by_net, "0.0.0.0/0", SET_NET));
	assert_true(server_list_add_net(&by_not_net, "0.0.0.0/0", SET_NOT_NET));
	assert_true(server_list_add_net(&by_all, "::/0", SET_NET));
	assert_true(server_list_add_ports(&by_all, "1-25"));
	play_wanted(&by_port, two);
	play_wanted(&by_net, two);
	play_wanted(&by_not_net, two);
	play_wanted(&by_all, one);
	server_list_free(&by_net);
	server_list_free(&by_not_net);
	server_list_free(&by_all);
}

/* --- forged segments --------------------------------------------------- */

#define FORGED_OF_EACH (million / 2000 + 20) /* a thousand and more */
#define PENDING_CONNECTIONS 20

/* A number that an attacker without knowledge of the true one may choose. */
static __s32 wrong_number(void)
{
	const __u32 near = 1U << 17;

	return (__s32)(near + (__u32)mrand48() % (0U - 2 * near));
}

/* The steps, of each of the pending connections; they begin at `port`. */
static void play_pending(struct backends *backends, const struct hooks *hooks,
			 __u16 port, const struct step *steps, int count)
{
	struct test_packet packet;
	struct bytes bytes;

	for (int i = 0; i < count * PENDING_CONNECTIONS; i++) {
		const struct step *step = &steps[i / PENDING_CONNECTIONS];

		step_packet(&packet, step, test_isns[0],
			    (__u16)(port + i % PENDING_CONNECTIONS), false);
		packet_build(&bytes, &packet);
		feed_both(backends,
			  step->from_server ? hooks->from_server :
					      hooks->from_client,
			  bytes.data, bytes.len, false, 1);
	}
}

/* Blindly forged segments hide no banner and make none. */
static void test_forgeries(void **state)
{
	static const struct step handshake[] = {
		{ true, false, TCP_SYN, 0, 0, "", 0, DIRECTION_NONE },
		{ true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0, DIRECTION_NONE },
		{ true, false, TCP_ACK, 1, 1, "", 0, DIRECTION_NONE },
	};
	/* clang-format off */
	static const struct step banner = { true, true, TCP_ACK, 1, 1, "hello", 0, DIRECTION_NONE };
	/* clang-format on */
	static const __u8 flags[] = { TCP_RST,
				      TCP_RST | TCP_ACK,
				      TCP_SYN,
				      TCP_SYN | TCP_ACK,
				      TCP_ACK | TCP_PSH,
				      TCP_FIN | TCP_ACK,
				      TCP_FIN };
	const __u32 forged = FORGED_OF_EACH / PENDING_CONNECTIONS;
	const __u16 port = 50000;
	char expected[TEXT_MAX] = "";
	struct backends backends;

	srand48(time(NULL));
	kernel_table_clear(bpf);
	open_backends(&backends);
	play_pending(&backends, *state, port, handshake, 3);
	/* Each kind from either side, without data and with. */
	for (size_t i = 0; i < sizeof(flags) * 4 * forged; i++) {
		const struct step step = { true,
					   i / 2 % 2,
					   flags[i / 4 % sizeof(flags)],
					   wrong_number(),
					   wrong_number(),
					   i % 2 ? "forged" : "",
					   0,
					   DIRECTION_NONE };

		play_pending(&backends, *state, port, &step, 1);
	}
	assert_string_equal(backends.banners, "");
	assert_int_equal(backends.native.counters[COUNT_CONNECTIONS],
			 PENDING_CONNECTIONS);
	play_pending(&backends, *state, port, &banner, 1);
	for (int i = 0; i < PENDING_CONNECTIONS; i++)
		strcat(expected, i ? " hello/5/ShAd" : "hello/5/ShAd");
	assert_string_equal(backends.banners, expected);
	assert_same_counters(&backends);
	backends_close(&backends);
	kernel_table_clear(bpf);
}

/* --- captures ---------------------------------------------------------- */

/* Whether both backends are the same. */
static bool compare_capture(const char *path, const struct hooks *hooks)
{
	struct packet_reader reader = {};
	struct captured_packet packet;
	struct backends backends;
	__u64 packets = 0;
	bool same = true;

	assert_int_equal(source_open(&reader.source, path, true, NULL, NULL),
			 0);
	assert_int_equal(packet_reader_begin(&reader), READ_DONE);
	/* Those of the last capture are not met in this one. */
	kernel_table_clear(hooks->loaded ? hooks->loaded : bpf);
	open_backends_of(&backends, hooks->loaded ? hooks->loaded : bpf);
	while (same && packet_reader_next(&reader, &packet) == READ_DONE) {
		if (packet.interface->link_type != LINK_ETHERNET ||
		    packet.len < TC_FRAME_MIN)
			continue;
		/* Either program, so that both sides meet both of them. */
		packets++;
		same = feed_now(
			&backends,
			packets & 1 ? hooks->from_client : hooks->from_server,
			packet.bytes,
			packet.len < FRAME_MAX ? packet.len : FRAME_MAX);
	}
	same = same && is_same(backends_compare_counters(&backends));
	backends_close(&backends);
	packet_reader_close(&reader);
	return same;
}

static void test_captures(void **state)
{
	const struct hooks *hooks = *state;
	DIR *directory = opendir(CAPTURES);
	struct dirent *entry;
	char path[512];

	if (!directory) {
		skip();
		return;
	}
	while ((entry = readdir(directory))) {
		struct tries tries = {};

		if (!strstr(entry->d_name, ".pcap"))
			continue;
		print_message("# %s\n", entry->d_name);
		snprintf(path, sizeof(path), "%s/%s", CAPTURES, entry->d_name);
		do
			try_begin(&tries);
		while (!compare_capture(path, hooks) && try_again(&tries));
	}
	kernel_table_clear(hooks->loaded ? hooks->loaded : bpf);
	closedir(directory);
}

/* --- two CPUs on one connection ---------------------------------------- */

#define RACERS 8
#define RACES 3
#define RACE_CONNECTIONS 1000 /* so few that no bucket gets full and evicts */

static pthread_barrier_t race_start;

/* False: the run failed. */
static bool run_packet(const struct bpf_program *program,
		       const struct test_packet *packet)
{
	struct bytes bytes;

	packet_build(&bytes, packet);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes.data,
		    .data_size_in = (__u32)bytes.len, .repeat = 1);
	return !bpf_prog_test_run_opts(bpf_program__fd(program), &options);
}

/* Each racer plays every packet of every connection. */
static void *race(void *context)
{
	static const struct step steps[] = {
		{ true, false, TCP_SYN, 0, 0, "", 0, DIRECTION_NONE },
		{ true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0, DIRECTION_NONE },
		{ true, false, TCP_ACK, 1, 1, "", 0, DIRECTION_NONE },
		{ true, true, TCP_ACK, 1, 1, "hello", 0, DIRECTION_NONE },
	};
	const struct hooks *hooks = context;

	pthread_barrier_wait(&race_start);
	for (int i = 0; i < RACE_CONNECTIONS * 4; i++) {
		const struct step *step = &steps[i % 4];
		struct test_packet packet;

		step_packet(&packet, step, test_isns[0], (__u16)(20000 + i / 4),
			    false);
		packet.server_port = 26;
		if (!run_packet(step->from_server ? hooks->from_server :
						    hooks->from_client,
				&packet))
			return context;
	}
	return NULL;
}

static bool count_record(void *context, const struct event *record, size_t size)
{
	unsigned int *records = context;

	(void)size;
	if (record->server_port == 26)
		records[record->client_port]++;
	return true;
}

static void run_race(const struct hooks *hooks)
{
	static unsigned int records[65536];
	struct rings *rings = kernel_rings(bpf, count_record, records);
	pthread_t threads[RACERS];
	void *failed;

	assert_non_null(rings);
	kernel_table_clear(bpf);
	memset(records, 0, sizeof(records));
	pthread_barrier_init(&race_start, NULL, RACERS);
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, race, (void *)hooks),
			0);
	for (int i = 0; i < RACERS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	rings_consume(rings);
	rings_close(rings);
	for (int i = 0; i < RACE_CONNECTIONS; i++)
		assert_int_equal(records[20000 + i], 1);
}

static void test_race(void **state)
{
	for (int i = 0; i < RACES; i++)
		run_race(*state);
	kernel_table_clear(bpf);
}

/*
 * --- one CPU evicts a connection to the overflow that another one looks for -
 */

#define SPILLED_MOST 100000
#define SPILLED_OPEN 12 /* at most so many are open: the bucket marks them */

struct spill_race {
	struct bpf_program *program;
	__u32 count;	   /* of connections */
	__u32 begun, done; /* connections; each is written by one thread */
	__u32 drained;	   /* of `done`, those with an event that was read */
	bool failed;
};

static void send_step(struct spill_race *race, __u32 connection,
		      const struct step *step)
{
	struct test_packet packet;

	step_packet(&packet, step, test_isns[0],
		    (__u16)(1 + connection % 60000), false);
	packet.server_port = (__u16)(27 + connection / 60000);
	if (!run_packet(race->program, &packet))
		__atomic_store_n(&race->failed, true, __ATOMIC_RELAXED);
}

static __u32 load_count(const __u32 *count)
{
	return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

/*
 * Handshakes, each of which moves the connection eight before it to the
 * overflow.
 */
static void *open_connections(void *context)
{
	static const struct step handshake[] = {
		{ true, false, TCP_SYN, 0, 0, "", 0, DIRECTION_NONE },
		{ true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0, DIRECTION_NONE },
		{ true, false, TCP_ACK, 1, 1, "", 0, DIRECTION_NONE },
	};
	struct spill_race *race = context;

	for (__u32 i = 0; i < race->count && !race->failed; i++) {
		while (i - load_count(&race->done) > SPILLED_OPEN)
			sched_yield();
		for (int k = 0; k < 3; k++)
			send_step(race, i, &handshake[k]);
		__atomic_store_n(&race->begun, i + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/*
 * The banner of each connection, when it is the next to move to the overflow.
 */
static void *send_banners(void *context)
{
	/* clang-format off */
	static const struct step banner = { true, true, TCP_ACK, 1, 1, "hello", 0, DIRECTION_NONE };
	/* clang-format on */
	struct spill_race *race = context;

	for (__u32 i = 0; i < race->count && !race->failed; i++) {
		__u32 from = i + BUCKET_WAYS - i % 3;

		while (load_count(&race->begun) <
		       (from < race->count ? from : race->count))
			sched_yield();
		/* The ring buffer has room for these. */
		while (i - load_count(&race->drained) > PIECE)
			sched_yield();
		send_step(race, i, &banner);
		__atomic_store_n(&race->done, i + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static bool count_spilled(void *context, const struct event *record,
			  size_t size)
{

	(void)size;
	((__u8 *)context)[(record->server_port - 27) * 60000 +
			  record->client_port - 1]++;
	return true;
}

/* A table of one bucket: each connection is logged once, wherever it was. */
static void test_spill_race(void **state)
{
	static __u8 records[120000];
	struct bannerprobe_bpf *small = programs_load(PROGRAMS_ETHERNET, LENGTH,
						      BUCKET_WAYS, NULL, NULL);
	struct pollfd readable = { .events = POLLIN };
	struct spill_race race = {};
	struct rings *rings;
	__u32 lost = 0, twice = 0;
	pthread_t opener, sender;

	(void)state;
	assert_non_null(small);
	race.program = small->progs.bannerprobe_rx;
	race.count = million < SPILLED_MOST ? million : SPILLED_MOST;
	rings = kernel_rings(small, count_spilled, records);
	assert_non_null(rings);
	readable.fd = rings_fd(rings);
	assert_int_equal(pthread_create(&opener, NULL, open_connections, &race),
			 0);
	assert_int_equal(pthread_create(&sender, NULL, send_banners, &race), 0);
	while (load_count(&race.done) < race.count && !race.failed) {
		__u32 done = load_count(&race.done);

		poll(&readable, 1, 10);
		rings_consume(rings);
		__atomic_store_n(&race.drained, done, __ATOMIC_RELEASE);
	}
	pthread_join(opener, NULL);
	pthread_join(sender, NULL);
	rings_consume(rings);
	rings_close(rings);
	bannerprobe_bpf__destroy(small);
	assert_false(race.failed);
	for (__u32 i = 0; i < race.count; i++) {
		lost += !records[i];
		twice += records[i] > 1;
	}
	if (lost || twice)
		fail_msg("%u lost, %u logged twice", lost, twice);
}

/*
 * --- events of several CPUs, which come through several ring buffers ---------
 */

#define TURNS 200 /* connections; the CPUs have one after the other */

/* Moves this thread to a CPU; false: it may not run there. */
static bool move_to(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return !sched_setaffinity(0, sizeof(one), &one);
}

static void play_connection(struct bpf_program *program, __u16 client_port)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ true, false, TCP_SYN, 0, 0, "", 0, DIRECTION_NONE },
		{ true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0, DIRECTION_NONE },
		{ true, true, TCP_ACK, 1, 1, "hello", 0, DIRECTION_NONE },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct test_packet packet;

		step_packet(&packet, &steps[i], test_isns[0], client_port,
			    false);
		assert_true(run_packet(program, &packet));
	}
}

/* What came of the connections, in the order in which it came. */
struct turns {
	unsigned int count;
	__u16 client_port[TURNS];
};

static bool note_turn(void *context, const struct event *record, size_t size)
{
	struct turns *turns = context;

	(void)size;
	assert_true(turns->count < TURNS);
	turns->client_port[turns->count++] = record->client_port;
	return turns->count % 7; /* a batch ends now and then */
}

static void test_order_of_cpus(void **state)
{
	const struct hooks *hooks = *state;
	struct turns turns = {};
	struct rings *rings;
	cpu_set_t before;

	assert_false(sched_getaffinity(0, sizeof(before), &before));
	if (!move_to(0) || !move_to(1)) {
		sched_setaffinity(0, sizeof(before), &before);
		skip();
	}
	rings = kernel_rings(bpf, note_turn, &turns);
	assert_non_null(rings);
	kernel_table_clear(bpf);
	for (__u16 i = 0; i < TURNS; i++) {
		assert_true(move_to(i % 3 % 2));
		play_connection(hooks->from_client, (__u16)(30000 + i));
	}
	sched_setaffinity(0, sizeof(before), &before);
	while (!rings_consume(rings))
		;
	rings_close(rings);
	kernel_table_clear(bpf);
	assert_int_equal(turns.count, TURNS);
	for (__u16 i = 0; i < TURNS; i++)
		assert_int_equal(turns.client_port[i], 30000 + i);
}

/* --- by the million ---------------------------------------------------- */

static const struct test_packet driven = {
	.payload = "220 driven by the million, and forty.\r\n.",
	.payload_len = DRIVE_BANNER,
};

static bool count_driven(void *context, const struct event *record, size_t size)
{

	assert_int_equal(size,
			 sizeof(*record) + DRIVE_BANNER +
				 record->tunnel_count * sizeof(struct tunnel));
	assert_memory_equal(record->bytes, driven.payload, DRIVE_BANNER);
	++*(__u64 *)context;
	return true;
}

/* Drives so many packets, a piece at a time; returns how many were logged. */
static __u64 drive_packets(enum road road, enum vary vary, __u32 connections,
			   __u64 packets)
{
	struct bytes bytes;
	__u64 logged = 0;
	struct rings *rings = kernel_rings(bpf, count_driven, &logged);

	assert_non_null(rings);
	packet_build(&bytes, &driven);
	if (vary == VARY_IN_TUNNELS)
		wrap(&bytes, WRAP_VXLAN);
	for (__u64 done = 0; done < packets; done += PIECE) {
		assert_true(drive_bytes(road, true, &bytes, vary, connections,
					done, PIECE) >= 0);
		rings_consume(rings);
	}
	rings_close(rings);
	return logged;
}

/* The number of set bits in the prefilter. */
static __u64 count_waited_for(void)
{
	const struct prefilter prefilter = kernel_front(bpf);
	__u64 count = 0;

	for (__u32 i = 0; i <= prefilter.mask; i++)
		count += (__u64)__builtin_popcountll(prefilter.words[i]);
	return count;
}

/*
 * A day of traffic: each banner is logged, and then no connection is pending.
 */
static void test_millions(void **state)
{
	const enum road *road = *state;

	kernel_table_clear(bpf);
	assert_int_equal(
		drive_packets(*road, VARY_CONNECTION, 0, 4ULL * million),
		million);
	assert_int_equal(count_waited_for(), 0);
}

/* The flood between the packets of honest connections. */
struct flood {
	enum road road;
	enum vary kind;
};

/*
 * Two million connections of a flood while five thousand honest ones open: at
 * least 99.9 % of the honest are logged. The table is the default one.
 */
static void test_flood(void **state)
{
	const struct flood *flood = *state;
	const __u32 honest = million / 400;
	/*
	 * And what the last of them needs: three lags of at most three steps.
	 */
	__u64 packets = honest * 4ULL * FLOOD_PERIOD + 10 * FLOOD_LAG;
	__u64 logged;

	kernel_table_clear(bpf);
	logged = drive_packets(flood->road, flood->kind, honest, packets);
	print_message("# %llu of %u banners among %llu packets\n", logged,
		      honest, packets);
	assert_true(logged >= honest - honest / 1000 && logged <= honest);
	kernel_table_clear(bpf);
}

/* The same with tunnels opened, in them, and each SYN under another number. */
static void test_flood_in_tunnels(void **state)
{
	struct bannerprobe_bpf *usual = bpf;
	struct track_options track = {};

	wrap_track(&track);
	bpf = programs_load(PROGRAMS_ALL, LENGTH, DEFAULT_FLOWS, &track, NULL);
	assert_non_null(bpf);
	drive_to(bpf);
	test_flood(state);
	bannerprobe_bpf__destroy(bpf);
	bpf = usual;
	drive_to(bpf);
}

/*
 * How many connections of so many clients their buckets have no room for. A
 * bucket has room for those in its ways, and for those in the overflow whose
 * tags it keeps. The hash is a secret of each run: in one run of some 200 a
 * bucket gets more.
 */
static __u32 count_beyond_room(__u32 clients)
{
	const __u32 room = BUCKET_WAYS + OVERFLOW_TAGS;
	__u8 *in_bucket = calloc(table_buckets(DEFAULT_FLOWS), 1);
	__u32 beyond = 0;

	assert_non_null(in_bucket);
	for (__u32 i = 0; i < clients; i++) {
		const __u64 hash = flow_hash_ipv4(bpf_htonl(DRIVE_CLIENT | i),
						  bpf_htonl(DRIVE_SERVER),
						  bpf_htons(DRIVE_CLIENT_PORT),
						  bpf_htons(DRIVE_SERVER_PORT),
						  bpf->rodata->hash_secrets);

		beyond += ++in_bucket[kernel_bucket(bpf, hash)] > room;
	}
	free(in_bucket);
	return beyond;
}

/*
 * Slow servers, three quarters of the table: connections move to the overflow,
 * and each is still pending, but those that their buckets had no room for.
 */
static void test_slow_servers(void **state)
{
	enum { SLOW = DEFAULT_FLOWS / 4 * 3 / PIECE * PIECE };
	const enum road *road = *state;
	const __u32 beyond = count_beyond_room(SLOW);

	kernel_table_clear(bpf);
	assert_int_equal(drive_packets(*road, VARY_HANDSHAKE, 0, 3 * SLOW), 0);
	assert_true(count_waited_for() > SLOW * 9 / 10);
	assert_int_equal(drive_packets(*road, VARY_BANNER, 0, SLOW),
			 SLOW - beyond);
	kernel_table_clear(bpf);
}

static struct hooks hooks[4];

static void set_hooks(void)
{
	hooks[0] = (struct hooks){ "XDP", bpf->progs.bannerprobe_xdp,
				   bpf->progs.bannerprobe_xdp, NULL };
	hooks[1] = (struct hooks){ "tc", bpf->progs.bannerprobe_rx,
				   bpf->progs.bannerprobe_tx, NULL };
	hooks[2] = (struct hooks){ "both", bpf->progs.bannerprobe_xdp,
				   bpf->progs.bannerprobe_tx, NULL };
	hooks[3] =
		(struct hooks){ "gathering", gathering->progs.bannerprobe_xdp,
				gathering->progs.bannerprobe_tx, gathering };
}

/* clang-format off */
#define THROUGH(test, name, i)                                                  \
	{ name, test, NULL, NULL, &hooks[i] }
#define FLOOD(name, road, kind)                                                 \
	{ name, test_flood, NULL, NULL, &(struct flood){ road, kind } }
#define FLOOD_IN_TUNNELS(name, road)                                            \
	{ name, test_flood_in_tunnels, NULL, NULL,                              \
	  &(struct flood){ road, VARY_IN_TUNNELS } }
/* clang-format on */

static int run_all(void)
{
	static const enum road xdp = ROAD_XDP, tc = ROAD_TC;
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		THROUGH(test_cases_through, "cases through XDP", 0),
		THROUGH(test_cases_through, "cases through tc", 1),
		THROUGH(test_cases_through, "cases, in by XDP and out by tc", 2),
		THROUGH(test_cases_through, "cases, greetings gathered", 3),
		THROUGH(test_odd_packets, "odd packets through XDP", 0),
		THROUGH(test_odd_packets, "odd packets through tc", 1),
		THROUGH(test_not_opened, "not opened, through XDP", 0),
		THROUGH(test_not_opened, "not opened, through tc", 1),
		cmocka_unit_test(test_split_packets),
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_split_tunnels),
		THROUGH(test_raw_ip, "devices without Ethernet", 1),
		cmocka_unit_test(test_counts_by_interface),
		cmocka_unit_test(test_slots_run_out),
		cmocka_unit_test(test_wanted),
		THROUGH(test_forgeries, "forgeries through XDP", 0),
		THROUGH(test_forgeries, "forgeries through tc", 1),
		THROUGH(test_captures, "captures through XDP", 0),
		THROUGH(test_captures, "captures through tc", 1),
		THROUGH(test_captures, "captures, in by XDP and out by tc", 2),
		THROUGH(test_captures, "captures, greetings gathered", 3),
		THROUGH(test_race, "race through XDP", 0),
		THROUGH(test_race, "race through tc", 1),
		THROUGH(test_race, "race, in by XDP and out by tc", 2),
		THROUGH(test_order_of_cpus, "events of two CPUs in order", 1),
		cmocka_unit_test(test_spill_race),
		{ "millions through XDP", test_millions, NULL, NULL, (void *)&xdp },
		{ "millions through tc", test_millions, NULL, NULL, (void *)&tc },
		FLOOD("a flood of SYNs", ROAD_XDP, VARY_IN_SYNS),
		FLOOD("a flood of SYNs, answered", ROAD_XDP, VARY_IN_ANSWERED),
		FLOOD("a flood of SYNs, answered", ROAD_TC, VARY_IN_ANSWERED),
		FLOOD("backscatter", ROAD_TC, VARY_IN_BACKSCATTER),
		FLOOD("a flood of silent connections", ROAD_TC, VARY_IN_SILENCE),
		FLOOD_IN_TUNNELS("a flood of SYNs in tunnels", ROAD_XDP),
		FLOOD_IN_TUNNELS("a flood of SYNs in tunnels", ROAD_TC),
		{ "slow servers through XDP", test_slow_servers, NULL, NULL, (void *)&xdp },
		{ "slow servers through tc", test_slow_servers, NULL, NULL, (void *)&tc },
	};
	/* clang-format on */

	return _cmocka_run_group_tests(
		"kernel", tests, sizeof(tests) / sizeof(*tests), NULL, NULL);
}

/* kernel_test [CONNECTIONS [PATTERN]]: all tests, or those with such a name. */
int main(int argc, char **argv)
{
	const struct track_options all = {
		.times = true, .rtt = true, .gather = LENGTH, .sockets = true
	};
	int failed;

	if (argc > 1)
		million = (__u32)atoi(argv[1]) / PIECE * PIECE + PIECE;
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	message_libbpf(getenv("VERBOSE"));
	bpf = programs_load(PROGRAMS_ALL, LENGTH, DEFAULT_FLOWS, NULL, NULL);
	gathering =
		programs_load(PROGRAMS_ALL, LENGTH, DEFAULT_FLOWS, &all, NULL);
	if (!bpf || !gathering || !drive_open(bpf) || unshare(CLONE_NEWNET) ||
	    !drive_attach())
		return 1;
	set_hooks();
	failed = run_all();
	drive_close();
	bannerprobe_bpf__destroy(gathering);
	bannerprobe_bpf__destroy(bpf);
	return failed;
}
