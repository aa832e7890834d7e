/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Programs that change each packet before they pass it on by a tail call. So
 * BPF_PROG_TEST_RUN with `repeat` plays a million connections, and the packets
 * do not all hit the same cache lines. And empty programs, to compare with.
 */
#include "../../include/platform.h"
#include "../../include/segment.h"
#include "drive.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct lane lanes[DRIVE_LANES]; /* set between runs */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next_xdp SEC(".maps"), next_tc SEC(".maps");

SEC("xdp")
int empty_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	return -1;
}

struct packet {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static __always_inline __u8 lane_of(const struct packet *packet)
{
	return packet->ethernet.h_source[5];
}

/*
 * The client's address from the number, its port from the lane; the server's
 * stay as they are.
 */
static __always_inline void turn(struct packet *packet, __u32 number,
				 bool from_server)
{
	const __u32 client = bpf_htonl(DRIVE_CLIENT | (number & 0xffffff));
	const __u32 server = bpf_htonl(DRIVE_SERVER);
	const __u16 client_port =
		bpf_htons(DRIVE_CLIENT_PORT + lane_of(packet));
	const __u16 server_port = bpf_htons(DRIVE_SERVER_PORT);

	packet->ip.saddr = from_server ? server : client;
	packet->ip.daddr = from_server ? client : server;
	packet->tcp.source = from_server ? server_port : client_port;
	packet->tcp.dest = from_server ? client_port : server_port;
}

static __always_inline void fill(struct packet *packet, __u8 flags, __u32 seq,
				 __u32 ack, __u16 payload)
{
	packet->ip.tot_len = bpf_htons(40 + payload);
	packet->tcp.seq = bpf_htonl(seq);
	packet->tcp.ack_seq = bpf_htonl(ack);
	((__u8 *)&packet->tcp)[13] = flags;
}

static __always_inline void fill_step(struct packet *packet, __u32 step)
{
	if (step == 0)
		fill(packet, TCP_SYN, 1000, 0, 0);
	else if (step == 1)
		fill(packet, TCP_SYN | TCP_ACK, 5000, 1001, 0);
	else if (step == 2)
		fill(packet, TCP_ACK, 1001, 5001, 0);
	else
		fill(packet, TCP_ACK, 5001, 1001, DRIVE_BANNER);
}

/* The server answers what the client has asked. */
static __always_inline void turn_to_asked(struct packet *packet, __u32 number,
					  __u32 step)
{
	turn(packet, number, step == 1 || step == 4);
	if (step < 3)
		fill_step(packet, step);
	else if (step == 3)
		fill(packet, TCP_ACK, 1001, 5001, DRIVE_BANNER);
	else
		fill(packet, TCP_ACK, 5001, 1001 + DRIVE_BANNER, DRIVE_BANNER);
}

/* A packet of the client `number`: SYN, SYN-ACK, ACK, banner. */
static __always_inline void turn_to_step(struct packet *packet, __u32 number,
					 __u32 step)
{
	turn(packet, number, step & 1);
	fill_step(packet, step);
}

/* A packet of a client of the flood: the step `step` of its handshake. */
static __always_inline void turn_to_flood(struct packet *packet, __u64 number,
					  __u32 step)
{
	turn_to_step(packet, 0x800000 | (__u32)number, step);
}

/* How many steps each connection of the flood takes. */
static __always_inline __u32 steps_of_flood(__u32 mode)
{
	return mode == VARY_IN_ANSWERED ? 2 : mode == VARY_IN_SILENCE ? 3 : 1;
}

/* The n-th packet of a flood. */
static __always_inline void turn_to_one_of_flood(struct packet *packet,
						 __u32 mode, __u64 n)
{
	const __u32 first = mode == VARY_IN_BACKSCATTER;
	const __u32 steps = steps_of_flood(mode);

	turn_to_flood(packet, n / steps, first + (__u32)(n % steps));
}

/*
 * The n-th packet: an honest one, or FLOOD_PERIOD - 1 times one of the flood.
 * Returns whether it is an honest one.
 */
static __always_inline bool turn_within_flood(struct packet *packet,
					      const struct lane *lane, __u64 n)
{
	const __u32 steps = steps_of_flood(lane->mode);
	const __u64 slot = n / FLOOD_PERIOD;
	const __u32 step = slot % 4;
	/* Step by step, each FLOOD_LAG connections of the flood later. */
	const __u64 lag = FLOOD_LAG * steps / 4 / (FLOOD_PERIOD - 1);
	const __u64 number = slot / 4 - step * lag;
	const bool honest = !(n % FLOOD_PERIOD) && number < lane->connections;

	if (honest)
		turn_to_step(packet, (__u32)number, step);
	else
		turn_to_one_of_flood(packet, lane->mode, n - slot);
	return honest;
}

/* Ethernet, IPv4, UDP and VXLAN around a packet. */
struct in_tunnel {
	__u8 outer[14 + 20 + 8 + 4];
	__u8 number[3];
	__u8 reserved;
	struct packet packet;
} __attribute__((packed));

static __always_inline void vary_in_tunnel(struct in_tunnel *in, void *end,
					   const struct lane *lane, __u64 n)
{
	__u32 number = (__u32)(n * 0x9e3779b97f4a7c15 >> 40);

	if ((void *)(in + 1) > end)
		return;
	if (turn_within_flood(&in->packet, lane, n))
		number = DRIVE_TUNNEL;
	in->number[0] = (__u8)(number >> 16);
	in->number[1] = (__u8)(number >> 8);
	in->number[2] = (__u8)number;
}

static __always_inline void vary_packet(struct packet *packet,
					const struct lane *lane, __u64 n)
{
	const __u32 mode = lane->mode;

	if (mode == VARY_ADDRESS)
		turn(packet, (__u32)(n * 7919 % lane->connections), true);
	else if (mode == VARY_SYN_FLOOD)
		turn_to_flood(packet, n, 0);
	else if (mode == VARY_CONNECTION)
		turn_to_step(packet, (__u32)(n / 4), n % 4);
	else if (mode == VARY_ASKED)
		turn_to_asked(packet, (__u32)(n / 5), n % 5);
	else if (mode == VARY_HANDSHAKE)
		turn_to_step(packet, (__u32)(n / 3), n % 3);
	else if (mode == VARY_BANNER)
		turn_to_step(packet, (__u32)n, 3);
	else if (mode >= VARY_IN_SYNS)
		turn_within_flood(packet, lane, n);
}

static __always_inline void vary(void *data, void *end)
{
	struct lane *lane;
	__u64 n;

	if (data + sizeof(struct packet) > end)
		return;
	lane = &lanes[lane_of(data)];
	n = lane->counter++;
	if (lane->mode == VARY_IN_TUNNELS)
		vary_in_tunnel(data, end, lane, n);
	else
		vary_packet(data, lane, n);
}

SEC("xdp")
int vary_xdp(struct xdp_md *ctx)
{
	vary((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	bpf_tail_call(ctx, &next_xdp, 0);
	return XDP_ABORTED;
}

SEC("tc")
int vary_tc(struct __sk_buff *skb)
{
	vary((void *)(long)skb->data, (void *)(long)skb->data_end);
	bpf_tail_call(skb, &next_tc, 0);
	return 2;
}

/* --- what a program costs that looks each segment up in a table ----------- */

struct reference_key {
	__u32 addresses[2];
	__u16 ports[2];
	__u32 protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct reference_key);
	__type(value, __u64);
} reference_flows SEC(".maps");

/* Ethernet, IPv4 and TCP, and one look-up, which finds nothing. */
static __always_inline bool is_unknown_segment(void *data, void *end)
{
	struct packet *packet = data;
	struct reference_key key = {};

	if (data + sizeof(*packet) > end ||
	    packet->ethernet.h_proto != bpf_htons(0x0800) ||
	    *(__u8 *)&packet->ip != 0x45 || packet->ip.protocol != 6 ||
	    bpf_ntohs(packet->ip.tot_len) < 40)
		return false;
	key.addresses[0] = packet->ip.saddr;
	key.addresses[1] = packet->ip.daddr;
	key.ports[0] = packet->tcp.source;
	key.ports[1] = packet->tcp.dest;
	key.protocol = packet->ip.protocol;
	return !bpf_map_lookup_elem(&reference_flows, &key);
}

SEC("xdp")
int reference_xdp(struct xdp_md *ctx)
{
	return is_unknown_segment((void *)(long)ctx->data,
				  (void *)(long)ctx->data_end) ?
		       XDP_PASS :
		       XDP_ABORTED;
}

SEC("tc")
int reference_tc(struct __sk_buff *skb)
{
	return is_unknown_segment((void *)(long)skb->data,
				  (void *)(long)skb->data_end) ?
		       -1 :
		       2;
}
