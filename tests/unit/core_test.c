/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The portable core by itself: the table of cases, and the parser's edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "play.h"
#include "system/cache_line.h"

#define LENGTH 256

static void add_to_text(const struct event *record, void *context)
{
	text_add_record(context, record);
}

/* --- the table of cases ------------------------------------------------ */

/* The server's address is the one that ends with 10. */
static bool is_servers(const __u32 address[4], __u8 family)
{
	return ((const __u8 *)address)[family == 4 ? 3 : 15] == 10;
}

static bool is_clients(const __u32 address[4], __u8 family)
{
	return !is_servers(address, family);
}

static void play_case(const struct test_case *test, struct isns isns, bool ipv6)
{
	char banners[TEXT_MAX] = "", counters[TEXT_MAX];
	struct engine native;
	struct segment segment;
	struct test_packet packet;
	struct bytes bytes;

	assert_true(engine_open(&native, 16, LENGTH, add_to_text, banners));
	native.settings.track.need = test->need;
	if (test->own != OWN_NEITHER)
		native.is_own =
			test->own == OWN_SERVER ? is_servers : is_clients;
	for (int i = 0; i < STEPS_MAX && test->steps[i].used; i++) {
		native.direction = test->steps[i].way;
		step_packet(&packet, &test->steps[i], isns, 40000, ipv6);
		packet_build(&bytes, &packet);
		assert_int_equal(play_packet(&native, bytes.data, bytes.len,
					     bytes.len, false, 1000 + (__u64)i,
					     &segment),
				 PARSED);
	}
	engine_finish(&native);
	text_set_counters(counters, native.counters);
	engine_close(&native);
	assert_string_equal(banners, test->banners);
	assert_string_equal(counters, test->counters);
}

static void test_case_of_table(void **state)
{
	const struct test_case *test = *state;

	for (size_t i = 0; i < test_isns_count; i++) {
		play_case(test, test_isns[i], false);
		play_case(test, test_isns[i], true);
	}
}

/* --- the parser -------------------------------------------------------- */

/* A banner segment; each test changes what it is about. */
static struct test_packet banner_packet(void)
{
	return (struct test_packet){ .from_server = true,
				     .client_port = 40000,
				     .server_port = 25,
				     .flags = TCP_ACK | TCP_PSH,
				     .seq = 5001,
				     .ack = 1001,
				     .payload = "220 hello\r\n",
				     .payload_len = 11 };
}

static struct frame frame_of(const struct bytes *bytes)
{
	return (struct frame){ .data = bytes->data,
			       .end = bytes->data + bytes->len,
			       .wire_len = (__u32)bytes->len };
}

static enum parse_result parse_packet(const struct test_packet *packet,
				      struct segment *segment)
{
	struct bytes bytes;
	struct frame frame;

	packet_build(&bytes, packet);
	frame = frame_of(&bytes);
	*segment = (struct segment){};
	segment_reset(segment);
	return packet->raw_ip ? parse_ip(&frame, 0, segment) :
				parse_ethernet(&frame, segment);
}

static void assert_parsed(const struct test_packet *packet, __u32 offset)
{
	struct segment segment;

	assert_int_equal(parse_packet(packet, &segment), PARSED);
	assert_int_equal(segment.source_port, 25);
	assert_int_equal(segment.destination_port, 40000);
	assert_int_equal(segment.seq, 5001);
	assert_int_equal(segment.ack, 1001);
	assert_int_equal(segment.flags, TCP_ACK | TCP_PSH);
	assert_int_equal(segment.payload_len, 11);
	assert_int_equal(segment.payload_offset, offset);
	assert_int_equal(segment.family, packet->ipv6 ? 6 : 4);
}

static void assert_refused(const struct test_packet *packet,
			   enum parse_result result)
{
	struct segment segment;

	assert_int_equal(parse_packet(packet, &segment), result);
}

static void test_plain(void **state)
{
	struct test_packet packet = banner_packet();

	(void)state;
	assert_parsed(&packet, 14 + 20 + 20);
	packet.ipv6 = true;
	assert_parsed(&packet, 14 + 40 + 20);
	packet.raw_ip = true;
	assert_parsed(&packet, 40 + 20);
	packet.ipv6 = false;
	assert_parsed(&packet, 20 + 20);
}

static void test_options(void **state)
{
	struct test_packet packet = banner_packet();

	(void)state;
	for (__u8 words = 0; words <= 10; words++) {
		packet.ip_option_words = words;
		packet.tcp_option_words = 10 - words;
		assert_parsed(&packet, 14 + 20 + 20 + 40);
	}
}

static void test_padding_is_no_payload(void **state)
{
	struct test_packet packet = banner_packet();
	struct segment segment;

	(void)state;
	packet.padding = 30;
	assert_parsed(&packet, 54);
	packet.payload_len = 0;
	assert_int_equal(parse_packet(&packet, &segment), PARSED);
	assert_int_equal(segment.payload_len, 0);
}

static void test_ip_length_zero(void **state)
{
	struct test_packet packet = banner_packet();

	(void)state;
	packet.ip_length_zero = true;
	assert_parsed(&packet, 54);
	packet.ipv6 = true;
	assert_parsed(&packet, 74);
}

static void test_lengths_that_lie(void **state)
{
	struct test_packet packet = banner_packet();

	(void)state;
	packet.ip_length = 1; /* beyond the frame */
	assert_refused(&packet, PARSE_MALFORMED);
	packet.ip_length = -12; /* less than the headers */
	assert_refused(&packet, PARSE_MALFORMED);
	packet.ip_length = -35;
	assert_refused(&packet, PARSE_MALFORMED);
	packet.ipv6 = true;
	packet.ip_length = 1;
	assert_refused(&packet, PARSE_MALFORMED);
	packet.ip_length = -12;
	assert_refused(&packet, PARSE_MALFORMED);

	packet = banner_packet();
	packet.tcp_data_offset = 4; /* less than a TCP header */
	assert_refused(&packet, PARSE_MALFORMED);
	packet.tcp_data_offset = 15; /* beyond the packet */
	assert_refused(&packet, PARSE_MALFORMED);
	packet = banner_packet();
	packet.ip_header_words = 4; /* less than an IP header */
	assert_refused(&packet, PARSE_MALFORMED);
	packet.ip_header_words = 15; /* beyond the packet */
	assert_refused(&packet, PARSE_MALFORMED);
}

static void test_ip_version(void **state)
{
	struct test_packet packet = banner_packet();
	struct segment segment;
	struct frame frame;
	struct bytes bytes;

	(void)state;
	packet_build(&bytes, &packet);
	bytes.data[14] = 0x65;
	frame = frame_of(&bytes);
	segment_reset(&segment);
	assert_int_equal(parse_ethernet(&frame, &segment), PARSE_MALFORMED);
	bytes.data[14] = 0x15;
	assert_int_equal(parse_ip(&frame, 14, &segment), PARSE_NOT_TCP);
}

static void test_other_protocols(void **state)
{
	struct test_packet packet = banner_packet();
	struct segment segment = {};
	struct frame frame;
	struct bytes bytes;

	(void)state;
	packet_build(&bytes, &packet);
	frame = frame_of(&bytes);
	segment_reset(&segment);
	bytes.data[14 + 9] = PROTO_UDP;
	assert_int_equal(parse_ethernet(&frame, &segment), PARSE_UDP);
	assert_int_equal(segment.payload_offset, 14 + 20);
	bytes.data[14 + 9] = 1; /* ICMP */
	assert_int_equal(parse_ethernet(&frame, &segment), PARSE_NOT_TCP);
	bytes.data[13] = 6; /* ARP */
	assert_int_equal(parse_ethernet(&frame, &segment), PARSE_NOT_TCP);
}

/* Encapsulations that are not opened: each kind has its counter. */
static void test_not_opened(void **state)
{
	static const struct {
		bool ipv6;
		__u8 at; /* in the frame: one byte, or an EtherType's first */
		__u16 value;
		enum parse_result result;
		enum counter counter;
	} kinds[] = {
		{ false, 12, 0x8864, PARSE_PPPOE, COUNT_NOT_OPENED_PPPOE },
		{ false, 12, 0x8863, PARSE_NOT_TCP, COUNT_NOTHING },
		{ false, 12, 0x8847, PARSE_MPLS, COUNT_NOT_OPENED_MPLS },
		{ false, 12, 0x8848, PARSE_MPLS, COUNT_NOT_OPENED_MPLS },
		{ false, 12, 38, PARSE_LLC, COUNT_NOT_OPENED_LLC },
		{ false, 14 + 9, 47, PARSE_GRE, COUNT_NOT_OPENED_GRE },
		{ false, 14 + 9, 4, PARSE_IP_IN_IP, COUNT_NOT_OPENED_IP_IN_IP },
		{ false, 14 + 9, 41, PARSE_IP_IN_IP,
		  COUNT_NOT_OPENED_IP_IN_IP },
		{ true, 14 + 6, 47, PARSE_GRE, COUNT_NOT_OPENED_GRE },
		{ true, 14 + 6, 4, PARSE_IP_IN_IP, COUNT_NOT_OPENED_IP_IN_IP },
		{ true, 14 + 6, 41, PARSE_IP_IN_IP, COUNT_NOT_OPENED_IP_IN_IP },
		{ true, 14 + 6, 17, PARSE_UDP, COUNT_NOTHING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct test_packet packet = banner_packet();
		struct segment segment;
		struct frame frame;
		struct bytes bytes;
		enum parse_result result;

		packet.ipv6 = kinds[i].ipv6;
		packet_build(&bytes, &packet);
		frame = frame_of(&bytes);
		if (kinds[i].at == 12)
			bytes.data[12] = (__u8)(kinds[i].value >> 8);
		bytes.data[kinds[i].at + (kinds[i].at == 12)] =
			(__u8)kinds[i].value;
		segment_reset(&segment);
		result = parse_ethernet(&frame, &segment);
		assert_int_equal(result, kinds[i].result);
		assert_int_equal(parse_counter(result), kinds[i].counter);
	}
}

/* The EtherType behind LLC and SNAP, if no organization has its own there. */
static void test_snap(void **state)
{
	struct test_packet packet = banner_packet();
	__u8 snap[] = { 0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0 };
	__u8 data[256];
	struct segment segment;
	struct frame frame;
	struct bytes bytes;

	(void)state;
	packet_build(&bytes, &packet);
	frame = frame_of(&bytes);
	memcpy(data, bytes.data, 12);
	memcpy(data + 12 + sizeof(snap), bytes.data + 14, frame.wire_len - 14);
	frame = (struct frame){ .data = data,
				.end = data + frame.wire_len + 8,
				.wire_len = frame.wire_len + 8 };
	for (int i = 0; i <= 6; i++) {
		/* Each byte of the six counts; at last, none is changed. */
		memcpy(data + 12, snap, sizeof(snap));
		if (i < 6)
			data[14 + i]++;
		segment_reset(&segment);
		assert_int_equal(parse_ethernet(&frame, &segment),
				 i < 6 ? PARSE_LLC : PARSED);
	}
	assert_int_equal(segment.payload_offset, 12 + 10 + 20 + 20);
	frame.end = data + 21;
	assert_int_equal(parse_ethernet(&frame, &segment), PARSE_CUT);
	frame.wire_len = 21;
	assert_int_equal(parse_ethernet(&frame, &segment), PARSE_LLC);
}

static void test_vlan(void **state)
{
	static const __u16 types[] = { ETHERTYPE_8021Q, ETHERTYPE_8021AD,
				       ETHERTYPE_QINQ_OLD };
	struct test_packet packet = banner_packet();
	struct segment segment;

	(void)state;
	for (int i = 0; i < 3; i++) {
		packet = banner_packet();
		packet.vlan_type = types[i];
		packet.vlan[0] = 0xe02a; /* priority 7, ID 42 */
		assert_parsed(&packet, 58);
		parse_packet(&packet, &segment);
		assert_int_equal(segment.vlan_count, 1);
		assert_int_equal(segment.vlan[0], 42);
		packet.vlan[1] = 7;
		assert_parsed(&packet, 62);
		parse_packet(&packet, &segment);
		assert_int_equal(segment.vlan_count, 2);
		assert_int_equal(segment.vlan[0], 42);
		assert_int_equal(segment.vlan[1], 7);
		packet.vlan[2] = 8;
		assert_refused(&packet, PARSE_THIRD_TAG);
	}
}

static void test_ipv6_extensions(void **state)
{
	struct test_packet packet = banner_packet();

	(void)state;
	packet.ipv6 = true;
	packet.extension_count = 4;
	packet.extensions[0] = (struct test_extension){ PROTO_HOPOPTS, 2 };
	packet.extensions[1] = (struct test_extension){ PROTO_ROUTING, 1 };
	packet.extensions[2] = (struct test_extension){ PROTO_AUTH, 4 };
	packet.extensions[3] = (struct test_extension){ PROTO_DSTOPTS, 0 };
	assert_parsed(&packet, 14 + 40 + 24 + 16 + 24 + 8 + 20);

	packet.extensions[0].len = 255;
	assert_parsed(&packet, 14 + 40 + 2048 + 16 + 24 + 8 + 20);

	packet.extension_count = IPV6_EXTENSIONS_MAX;
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++)
		packet.extensions[i] =
			(struct test_extension){ PROTO_DSTOPTS, 0 };
	assert_parsed(&packet, 14 + 40 + 8 * IPV6_EXTENSIONS_MAX + 20);
	packet.extensions[packet.extension_count++] =
		(struct test_extension){ PROTO_DSTOPTS, 0 };
	assert_refused(&packet, PARSE_NOT_TCP);
}

static void test_ipv4_authentication_header(void **state)
{
	struct test_packet packet = banner_packet();

	(void)state;
	packet.extension_count = 1;
	packet.extensions[0] = (struct test_extension){ PROTO_AUTH, 4 };
	assert_parsed(&packet, 14 + 20 + 24 + 20);
	packet.ip_option_words = 10;
	packet.extensions[0].len = 255;
	assert_parsed(&packet, 14 + 60 + 1028 + 20);
	packet.fragment = 0x2000;
	assert_parsed(&packet, 14 + 60 + 1028 + 20);
	packet.fragment = 0x0001;
	assert_refused(&packet, PARSE_FRAGMENT);
	packet.fragment = 0;
	packet.ip_length = -12; /* the header is longer than the packet says */
	assert_refused(&packet, PARSE_MALFORMED);
	packet.ip_length = 0;
	packet.extension_count = 2; /* nobody nests them */
	packet.extensions[0].len = 4;
	packet.extensions[1] = packet.extensions[0];
	assert_refused(&packet, PARSE_NOT_TCP);
}

static void test_fragments(void **state)
{
	struct test_packet packet = banner_packet();

	(void)state;
	packet.fragment = 0x2000; /* the first, with more to come */
	assert_parsed(&packet, 54);
	packet.fragment = 0x2001;
	assert_refused(&packet, PARSE_FRAGMENT);
	packet.fragment = 0x0001; /* the last */
	assert_refused(&packet, PARSE_FRAGMENT);
	packet.fragment = 0x4000; /* don't fragment: none */
	assert_parsed(&packet, 54);
	packet.fragment = 0x2000; /* too short for the whole TCP header */
	packet.ip_length = -12;
	assert_refused(&packet, PARSE_FRAGMENT);

	packet = banner_packet();
	packet.ipv6 = true;
	packet.extension_count = 1;
	packet.extensions[0] = (struct test_extension){ PROTO_FRAGMENT, 0xff };
	packet.fragment = 0x0001; /* the first, with more to come */
	assert_parsed(&packet, 14 + 40 + 8 + 20);
	packet.fragment = 0x0008;
	assert_refused(&packet, PARSE_FRAGMENT);
	packet.fragment = 0x0001;
	packet.ip_length = -12;
	assert_refused(&packet, PARSE_FRAGMENT);
}

/* Cut by a snap length anywhere in the headers, or ended there on the wire. */
static void test_cut_packets(void **state)
{
	struct test_packet packet = banner_packet();
	struct bytes bytes;

	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		packet.ipv6 = ipv6;
		packet.vlan[0] = 1;
		packet_build(&bytes, &packet);
		for (size_t len = 0; len <= bytes.len; len++) {
			/*
			 * A buffer of its own: a sanitizer sees a read beyond
			 * it.
			 */
			__u8 *cut = malloc(len + !len);
			struct segment segment = {};
			struct frame frame = { .data = cut,
					       .end = cut + len,
					       .wire_len = (__u32)bytes.len };
			enum parse_result whole =
				len >= bytes.len - 11 ? PARSED : PARSE_CUT;

			assert_non_null(cut);
			memcpy(cut, bytes.data, len);
			assert_int_equal(parse_ethernet(&frame, &segment),
					 whole);
			if (whole == PARSED)
				assert_int_equal(segment.payload_len, 11);
			frame.wire_len = (__u32)len;
			segment_reset(&segment);
			assert_int_equal(parse_ethernet(&frame, &segment),
					 len == bytes.len ? PARSED :
							    PARSE_MALFORMED);
			free(cut);
		}
	}
}

/* A banner cut by the snap length: the captured bytes, and the whole length. */
static void test_cut_banner(void **state)
{
	static const struct {
		size_t missing;
		const char *banner;
	} cuts[] = {
		{ 0, "hello/5/hd" },
		{ 2, "hel/5/hd" },
		{ 5, "/5/hd" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		const struct step steps[] = {
			{ true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0,
			  DIRECTION_NONE },
			{ true, true, TCP_ACK, 1, 1, "hello", 0,
			  DIRECTION_NONE },
		};
		char banners[TEXT_MAX] = "";
		struct engine native;

		assert_true(
			engine_open(&native, 16, LENGTH, add_to_text, banners));
		for (int step = 0; step < 2; step++) {
			struct test_packet packet;
			struct segment segment;
			struct bytes bytes;

			step_packet(&packet, &steps[step], test_isns[0], 40000,
				    false);
			packet_build(&bytes, &packet);
			play_packet(&native, bytes.data,
				    bytes.len - (step ? cuts[i].missing : 0),
				    bytes.len, false, 0, &segment);
		}
		engine_close(&native);
		assert_string_equal(banners, cuts[i].banner);
	}
}

/* A connection of an address with itself has no server. */
static void test_same_ends(void **state)
{
	struct test_packet packet = banner_packet();
	struct segment segment;
	__u64 secrets[HASH_SECRETS];
	int sender;

	(void)state;
	hash_randomize(secrets);
	packet.client_port = packet.server_port;
	assert_int_equal(parse_packet(&packet, &segment), PARSED);
	memcpy(segment.destination, segment.source, 16);
	flow_identify(&segment, secrets, &sender);
	assert_int_equal(sender, -1);
}

/* Both directions have one id, and its two ends tell them apart. */
static void test_identity(void **state)
{
	struct test_packet packet = banner_packet();
	__u64 secrets[HASH_SECRETS], of_server, of_client;
	struct segment segment;
	int server, client;

	(void)state;
	hash_randomize(secrets);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		packet.ipv6 = ipv6;
		packet.from_server = true;
		parse_packet(&packet, &segment);
		of_server = flow_identify(&segment, secrets, &server);
		packet.from_server = false;
		parse_packet(&packet, &segment);
		of_client = flow_identify(&segment, secrets, &client);
		assert_true(of_server && of_server == of_client);
		assert_int_equal(server, !client);
		packet.client_port++;
		parse_packet(&packet, &segment);
		assert_true(flow_identify(&segment, secrets, &client) !=
			    of_client);
	}
}

/* If one end's number rises as the other's falls, the hash is another one. */
static void test_hash_of_related_ends(void **state)
{
	enum { PAIRS = 256 };
	__u64 secrets[HASH_SECRETS], hashes[PAIRS];
	struct test_packet packet = banner_packet();
	struct segment segment;
	int shared = 0;

	(void)state;
	hash_randomize(secrets);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		packet.ipv6 = ipv6;
		for (int i = 0; i < PAIRS; i++) {
			packet.client_port = (__u16)(30000 + i);
			packet.server_port = (__u16)(20000 - i);
			parse_packet(&packet, &segment);
			hashes[i] = flow_hash(&segment, secrets) >> 32;
			for (int j = 0; j < i; j++)
				shared += hashes[j] == hashes[i];
		}
	}
	assert_true(shared <= 2);
}

/* --- the table of connections ------------------------------------------ */

#define ONE_BUCKET BUCKET_WAYS /* connections in the smallest table */

/* Plays one segment of the connection of a client port. */
static void play_step(struct engine *native, struct step step, __u16 port,
		      __u64 now)
{
	struct test_packet packet;
	struct segment segment;
	struct bytes bytes;

	step_packet(&packet, &step, test_isns[0], port, false);
	packet_build(&bytes, &packet);
	play_packet(native, bytes.data, bytes.len, bytes.len, false, now,
		    &segment);
}

/* clang-format off */
static const struct step syn = { true, false, TCP_SYN, 0, 0, "", 0, DIRECTION_NONE };
static const struct step synack = { true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0, DIRECTION_NONE };
static const struct step ack = { true, false, TCP_ACK, 1, 1, "", 0, DIRECTION_NONE };
static const struct step hello = { true, true, TCP_ACK, 1, 1, "hello", 0, DIRECTION_NONE };
/* clang-format on */

/*
 * A table of one bucket, and the overflow LRU: an established connection is not
 * evicted by one without a complete handshake, and moves to the overflow when
 * there are more.
 */
static void test_full_bucket(void **state)
{
	enum { COMPLETE = BUCKET_WAYS + COMPLETE_WAYS, FLOOD = 1000 };
	char banners[TEXT_MAX] = "", counters[TEXT_MAX];
	struct engine native;
	__u64 now = 1;

	(void)state;
	assert_true(
		engine_open(&native, ONE_BUCKET, LENGTH, add_to_text, banners));
	for (int port = 1; port <= COMPLETE; port++) {
		play_step(&native, syn, (__u16)port, now++);
		play_step(&native, synack, (__u16)port, now++);
		play_step(&native, ack, (__u16)port, now++);
	}
	for (int port = 0; port < FLOOD; port++)
		play_step(&native, syn, (__u16)(2000 + port), now++);
	for (int port = 1; port <= COMPLETE; port++)
		play_step(&native, hello, (__u16)port, now++);
	assert_int_equal(native.counters[COUNT_BANNER], COMPLETE);
	engine_finish(&native);
	text_set_counters(counters, native.counters);
	engine_close(&native);
	assert_string_equal(
		counters,
		"connections=1010 banners=10 synack_unseen=6 evicted=994");
}

/*
 * A flood of connections that complete the handshake and stay silent, as many
 * at a time as there is room for: no other handshake is evicted.
 */
static void test_silent_flood(void **state)
{
	enum { AT_A_TIME = BUCKET_WAYS - COMPLETE_WAYS, ROUNDS = 1000 };
	const struct step handshake[] = { syn, synack, ack };
	char banners[TEXT_MAX] = "", counters[TEXT_MAX];
	struct engine native;
	__u64 now = 1;

	(void)state;
	assert_true(
		engine_open(&native, ONE_BUCKET, LENGTH, add_to_text, banners));
	for (int round = 0; round < ROUNDS; round++) {
		const int port = 1 + round * AT_A_TIME;

		for (int i = 0; i < 3 * AT_A_TIME; i++)
			play_step(&native, handshake[i / AT_A_TIME],
				  (__u16)(port + i % AT_A_TIME), now++);
		play_step(&native, hello, (__u16)port, now++);
		banners[0] = '\0'; /* or there would be no room for all */
	}
	engine_finish(&native);
	text_set_counters(counters, native.counters);
	engine_close(&native);
	assert_string_equal(
		counters,
		"connections=6000 banners=1000 cut_off=15 evicted=4985");
}

/* Of half-open connections the oldest is evicted first. */
static void test_half_open_flood(void **state)
{
	char banners[TEXT_MAX] = "", counters[TEXT_MAX];
	struct engine native;
	__u64 now = 1;

	(void)state;
	assert_true(
		engine_open(&native, ONE_BUCKET, LENGTH, add_to_text, banners));
	for (int port = 1; port <= BUCKET_WAYS + 2; port++)
		play_step(&native, synack, (__u16)port, now++);
	for (int port = 1; port <= BUCKET_WAYS + 2; port++)
		play_step(&native, hello, (__u16)port, now++);
	engine_finish(&native);
	text_set_counters(counters, native.counters);
	engine_close(&native);
	assert_string_equal(counters, "connections=10 banners=8 evicted=2");
}

/* How many bits of the prefilter are set. */
static int count_bits(const struct engine *native)
{
	int bits = 0;

	for (__u32 i = 0; i <= native->prefilter.mask; i++)
		bits += __builtin_popcountll(native->prefilter.words[i]);
	return bits;
}

/*
 * However many connections move to the overflow, the prefilter has bits for
 * those that can still be found, and none once all are decided.
 */
static void test_spilled_bits(void **state)
{
	enum { MANY = 1000 };
	char banners[1 << 16] = "";
	struct engine native;
	int bits;

	(void)state;
	assert_true(
		engine_open(&native, ONE_BUCKET, LENGTH, add_to_text, banners));
	for (int port = 1; port <= MANY; port++) {
		play_step(&native, synack, (__u16)port, port);
		play_step(&native, ack, (__u16)port, port);
		bits = count_bits(&native);
		assert_true(bits >= 1 && bits <= BUCKET_WAYS + OVERFLOW_TAGS);
	}
	for (int port = 1; port <= MANY; port++)
		play_step(&native, hello, (__u16)port, MANY + port);
	assert_int_equal(native.counters[COUNT_BANNER],
			 BUCKET_WAYS + ONE_BUCKET);
	/* The overflow LRU here is smaller than a bucket's overflow tags. */
	assert_true(count_bits(&native) <= OVERFLOW_TAGS - ONE_BUCKET);
	engine_close(&native);
}

/*
 * Another CPU may have half zeroed an entry of the overflow, to use it for
 * another connection. What it has left there is not the new connection's.
 */
static void test_half_zeroed(void **state)
{
	const struct track_options options = { .need = NEED_NONE };
	static struct bucket bucket;
	__u64 word = 0, secrets[HASH_SECRETS] = {};
	const struct table_place place = {
		.bucket = &bucket,
		.prefilter = { .words = &word, .secrets = secrets },
		.tag = TAG_USED,
	};
	struct flow known = { .syn_len = 9,
			      .reported = REPORTED_BARE_FIN << CLIENT };
	struct segment_context context = { .segment.flags = TCP_SYN,
					   .id = 2,
					   .way = -1 };

	(void)state;
	table_track(&place, &known, &context, 1, &options);
	assert_int_equal(bucket.ways[0].flow.seen, SEEN_SYN);
	assert_int_equal(bucket.ways[0].flow.syn_len, 0);
	assert_int_equal(bucket.ways[0].flow.reported, 0);
}

/* The ways of a bucket are cache lines, in a table of any size. */
static void test_table_sizes(void **state)
{
	char banners[TEXT_MAX] = "";
	struct engine native;

	(void)state;
	for (__u32 flows = 1; flows <= 1U << 18; flows *= 2) {
		assert_true(engine_open(&native, flows, LENGTH, add_to_text,
					banners));
		assert_int_equal((uintptr_t)native.buckets[0].ways % CACHE_LINE,
				 0);
		assert_int_equal(native.buckets[native.bucket_count - 1].lock,
				 0);
		engine_close(&native);
	}
}

static struct CMUnitTest *all_tests(size_t *count)
{
	static const struct CMUnitTest others[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_padding_is_no_payload),
		cmocka_unit_test(test_ip_length_zero),
		cmocka_unit_test(test_lengths_that_lie),
		cmocka_unit_test(test_ip_version),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_not_opened),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_ipv6_extensions),
		cmocka_unit_test(test_ipv4_authentication_header),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_cut_packets),
		cmocka_unit_test(test_cut_banner),
		cmocka_unit_test(test_same_ends),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_hash_of_related_ends),
		cmocka_unit_test(test_full_bucket),
		cmocka_unit_test(test_silent_flood),
		cmocka_unit_test(test_half_open_flood),
		cmocka_unit_test(test_spilled_bits),
		cmocka_unit_test(test_half_zeroed),
		cmocka_unit_test(test_table_sizes),
	};
	const size_t other_count = sizeof(others) / sizeof(*others);
	struct CMUnitTest *tests =
		calloc(test_case_count + other_count, sizeof(*tests));

	for (size_t i = 0; tests && i < test_case_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = test_cases[i].name,
			.test_func = test_case_of_table,
			.initial_state = (void *)&test_cases[i],
		};
	if (tests)
		memcpy(tests + test_case_count, others, sizeof(others));
	*count = tests ? test_case_count + other_count : 0;
	return tests;
}

int main(void)
{
	size_t count;
	struct CMUnitTest *tests = all_tests(&count);
	int failed = _cmocka_run_group_tests("core", tests, count, NULL, NULL);

	free(tests);
	return !count || failed;
}
