/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the walk through tunnels. An input builds a segment in up to seven
 * layers of tunnels, and then changes bytes of it and cuts it:
 *
 *   2 bytes of the segment, 1 that says how many layers, a byte for each layer,
 *   then changes, of 3 bytes each
 *
 * What has not been changed is read as it was built. Whatever has: no byte is
 * read that is not at hand, no more layers are opened than may be, the same
 * packet without its Ethernet header is read alike, and of a packet that is cut
 * anywhere either the same is read or that it is cut.
 */
#include <stdint.h>
#include <stdlib.h>

#include "guarded.h"
#include "unit/play.h"
#include "unit/wrap.h"

#define LAYERS_TRIED 7
#define CHANGES_MAX 32
#define ETHERNET 14
#define MAX_FLOWS 16
#define LENGTH 64
#define ALL_CUTS 64 /* one of so many inputs is cut at each byte */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct engine native;

/* What a packet has to be read as. */
struct expected {
	bool is_known;
	enum parse_result result;
	__u8 count;
	struct tunnel tunnels[LAYERS_TRIED]; /* innermost first */
	struct test_packet packet;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void on_record(const struct event *record, void *context)
{
	(void)context;
	require(record->kept <= record->len);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	require(engine_open(&native, MAX_FLOWS, LENGTH, on_record, NULL));
	wrap_track(&native.settings.track);
	return 0;
}

/* --- what is built -------------------------------------------------------- */

static const struct {
	__u8 kind;
	bool has_id, takes_frame;
} made[WRAPS] = {
	[WRAP_VXLAN] = { TUNNEL_VXLAN, true, true },
	[WRAP_GPE] = { TUNNEL_VXLAN, true, true },
	[WRAP_GENEVE] = { TUNNEL_GENEVE, true, true },
	[WRAP_GRE] = { TUNNEL_GRE, true, false },
	[WRAP_ERSPAN_1] = { TUNNEL_ERSPAN, false, true },
	[WRAP_ERSPAN_2] = { TUNNEL_ERSPAN, true, true },
	[WRAP_ERSPAN_3] = { TUNNEL_ERSPAN, true, true },
	[WRAP_IPIP] = { TUNNEL_IPIP, false, false },
	[WRAP_MPLS] = { TUNNEL_MPLS, false, false },
	[WRAP_PPPOE] = { TUNNEL_PPPOE, false, false },
};

static __u16 ethertype_of(const struct bytes *bytes)
{
	return (__u16)(bytes->data[12] << 8 | bytes->data[13]);
}

/* Whether a kind of tunnel can carry what a frame holds. */
static bool can_carry(enum wrap kind, const struct bytes *bytes)
{
	const __u16 inside = ethertype_of(bytes);

	return made[kind].takes_frame || inside == ETHERTYPE_IPV4 ||
	       inside == ETHERTYPE_IPV6 ||
	       (kind == WRAP_GRE && inside == ETHERTYPE_MPLS);
}

static void add_layer(struct bytes *bytes, struct expected *expected,
		      enum wrap kind)
{
	struct tunnel *tunnel = &expected->tunnels[expected->count++];

	expected->is_known &= can_carry(kind, bytes);
	tunnel->kind = made[kind].kind;
	tunnel->id = made[kind].has_id ? WRAP_ID : 0;
	wrap(bytes, kind);
}

/* False: the input is too short. */
static bool build(const uint8_t **data, size_t *size, struct bytes *bytes,
		  struct expected *expected)
{
	static const char payload[] = "0123456789abcdef";
	const uint8_t *in = *data;
	unsigned int layers;

	if (*size < 3)
		return false;
	layers = in[2] & 7;
	if (layers > LAYERS_TRIED || *size < 3 + layers)
		return false;
	*expected = (struct expected){
		.is_known = true,
		.packet = { .from_server = in[0] & 0x80,
			    .ipv6 = in[0] & 0x40,
			    .server_port = 25,
			    .client_port = (__u16)(1024 + (in[2] >> 3)),
			    .flags = in[0] & 0x1f,
			    .seq = 5000,
			    .ack = 0xfffffff0,
			    .payload = payload,
			    .payload_len = in[1] & 15,
			    .padding = in[1] >> 4 & 7 },
	};
	packet_build(bytes, &expected->packet);
	for (unsigned int i = 0; i < layers; i++)
		add_layer(bytes, expected,
			  (enum wrap)(1 + in[3 + i] % (WRAPS - 1)));
	*data += 3 + layers;
	*size -= 3 + layers;
	return true;
}

/* Changes bytes, and says how many are on the wire beyond those at hand. */
static size_t change(struct bytes *bytes, const uint8_t *data, size_t size)
{
	size_t beyond = 0;

	for (int i = 0; i < CHANGES_MAX && size >= 3;
	     i++, data += 3, size -= 3) {
		size_t at = (size_t)(data[0] | (data[1] & 7) << 8) % bytes->len;

		switch (data[1] >> 6) {
		case 0:
			bytes->data[at] = data[2];
			break;
		case 1:
			bytes->data[at] ^= (__u8)(1 << (data[2] & 7));
			break;
		case 2:
			bytes->data[at] += data[2];
			break;
		default: /* cut, on the wire too or not */
			beyond = data[2] & 1 ? beyond + bytes->len - at : 0;
			bytes->len = at ? at : 1;
		}
	}
	return beyond;
}

/* --- how it is read ------------------------------------------------------- */

static enum parse_result read_packet(const __u8 *data, size_t len,
				     size_t wire_len, bool raw_ip,
				     struct segment *segment)
{
	const struct frame frame = { .data = data,
				     .end = data + len,
				     .wire_len = (__u32)wire_len };
	enum parse_result result;

	*segment = (struct segment){};
	segment_reset(segment);
	result = raw_ip ? parse_ip(&frame, 0, segment) :
			  parse_ethernet(&frame, segment);
	result = walk_tunnels(&frame, segment, result,
			      &native.settings.track.decap);
	require(result < PARSE_RESULTS && segment->tunnel_count <= TUNNELS_MAX);
	return result;
}

static void require_same_tunnel(const struct tunnel *one,
				const struct tunnel *other)
{
	require(one->kind == other->kind && one->id == other->id &&
		one->family == other->family);
	require(!memcmp(one->source, other->source, sizeof(one->source)) &&
		!memcmp(one->destination, other->destination,
			sizeof(one->destination)));
}

/* `less`: the bytes that the other packet has not. */
static void require_same(const struct segment *one, const struct segment *other,
			 __u32 less)
{
	require(one->tunnel_count == other->tunnel_count);
	for (int i = 0; i < one->tunnel_count; i++)
		require_same_tunnel(&one->tunnels[i], &other->tunnels[i]);
	require(!memcmp(one->source, other->source, sizeof(one->source)));
	require(!memcmp(one->destination, other->destination,
			sizeof(one->destination)));
	require(one->source_port == other->source_port &&
		one->destination_port == other->destination_port);
	require(one->seq == other->seq && one->ack == other->ack &&
		one->flags == other->flags && one->family == other->family);
	require(one->payload_offset == other->payload_offset + less &&
		one->payload_len == other->payload_len);
}

static void check_expected(const struct expected *expected,
			   enum parse_result result,
			   const struct segment *segment)
{
	const int count = expected->count;
	const bool too_many = count > TUNNELS_MAX;

	if (!expected->is_known)
		return;
	require(segment->tunnel_count == (too_many ? TUNNELS_MAX : count));
	for (int i = 0; i < segment->tunnel_count; i++) {
		const struct tunnel *tunnel = &expected->tunnels[count - 1 - i];

		require(segment->tunnels[i].kind == tunnel->kind);
		require(segment->tunnels[i].id == tunnel->id);
	}
	if (too_many) {
		const struct tunnel *tunnel =
			&expected->tunnels[count - 1 - TUNNELS_MAX];

		require(result ==
			tunnel_unopened((enum tunnel_kind)tunnel->kind));
		return;
	}
	require(result == PARSED);
	require(segment->payload_len == expected->packet.payload_len);
	require(segment->seq == expected->packet.seq &&
		segment->flags == expected->packet.flags);
}

/* Where guarded_copy() keeps a packet. */
enum copy { COPY_WHOLE, COPY_CUT, COPY_INNER };

/* Whether the same is read of a packet that is cut; else it is known to be. */
static bool check_cut(const __u8 *data, size_t len, size_t wire_len,
		      enum parse_result whole, const struct segment *of_whole)
{
	const __u8 *copy = guarded_copy(COPY_CUT, data, len);
	struct segment segment;
	const enum parse_result result =
		read_packet(copy, len, wire_len, false, &segment);

	/* How the first layer is called that is too many takes its header. */
	if (segment.tunnel_count == TUNNELS_MAX && result != PARSED)
		return result == whole;
	/* So does whether UDP holds a tunnel; if not, its lengths are nothing
	 * here. */
	require(result == whole || result == PARSE_CUT ||
		(whole == PARSE_UDP && result == PARSE_MALFORMED));
	if (result != whole)
		return false;
	if (result == PARSED)
		require_same(of_whole, &segment, 0);
	return true;
}

static void check_cuts(const struct bytes *bytes, size_t wire_len,
		       enum parse_result whole, const struct segment *segment,
		       unsigned int choice)
{
	bool same = false;

	if (choice % ALL_CUTS) {
		check_cut(bytes->data, choice * 7 % bytes->len + 1, wire_len,
			  whole, segment);
		return;
	}
	for (size_t len = 1; len <= bytes->len; len++) {
		const bool is_same =
			check_cut(bytes->data, len, wire_len, whole, segment);

		require(is_same || !same ||
			segment->tunnel_count == TUNNELS_MAX);
		same = is_same;
	}
	require(same);
}

static void check_without_ethernet(const struct bytes *bytes, size_t wire_len,
				   enum parse_result result,
				   const struct segment *of_frame)
{
	const __u16 ethertype = ethertype_of(bytes);
	struct segment segment;
	const __u8 *copy;
	__u8 version;

	if (bytes->len <= ETHERNET)
		return;
	/* By its version here, by the EtherType there. */
	version = bytes->data[ETHERNET] >> 4;
	if (!(ethertype == ETHERTYPE_IPV4 && version == 4) &&
	    !(ethertype == ETHERTYPE_IPV6 && version == 6))
		return;
	copy = guarded_copy(COPY_INNER, bytes->data + ETHERNET,
			    bytes->len - ETHERNET);
	require(read_packet(copy, bytes->len - ETHERNET, wire_len - ETHERNET,
			    true, &segment) == result);
	if (result == PARSED)
		require_same(of_frame, &segment, ETHERNET);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned int choice =
		size ? data[size - 1] + (unsigned int)size : 0;
	struct expected expected;
	struct segment segment;
	enum parse_result result;
	struct bytes bytes;
	const __u8 *copy;
	size_t wire_len;

	if (!build(&data, &size, &bytes, &expected))
		return 0;
	expected.is_known &= size < 3;
	wire_len = change(&bytes, data, size) + bytes.len;
	copy = guarded_copy(COPY_WHOLE, bytes.data, bytes.len);
	result = read_packet(copy, bytes.len, wire_len, false, &segment);
	check_expected(&expected, result, &segment);
	check_cuts(&bytes, wire_len, result, &segment, choice);
	check_without_ethernet(&bytes, wire_len, result, &segment);
	/* The prefilter, too, which must not leave it out; and the table. */
	play_packet(&native, copy, bytes.len, wire_len, false, 1000, &segment);
	engine_finish(&native);
	return 0;
}
