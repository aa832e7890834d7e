/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Programs that make each packet another before they hand it on by a tail
 * call: so BPF_PROG_TEST_RUN with repeat is a million connections, and no cache
 * is flattered by one packet. And programs that do nothing, to compare with.
 */
#include "../../include/platform.h"
#include "../../include/segment.h"
#include "drive.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set between runs. */
__u32 mode;	   /* enum vary */
__u32 connections; /* to vary among; a power of two is not needed */
__u64 counter;	   /* of packets, continued from run to run */

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

/* The client's address from the number, the server's stays as it is. */
static __always_inline void turn(struct packet *packet, __u32 number,
				 bool from_server)
{
	const __u32 client = bpf_htonl(0x0a000000 | (number & 0xffffff));
	const __u32 server = bpf_htonl(0xc0000201);
	const __u16 client_port = bpf_htons(40000), server_port = bpf_htons(25);

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

/* A packet of a client of the flood, which goes as far as `step`. */
static __always_inline void turn_to_flood(struct packet *packet, __u64 number,
					  __u32 step)
{
	turn_to_step(packet, 0x800000 | (__u32)number, step);
}

/* How many steps each connection of the flood takes. */
static __always_inline __u32 steps_of_flood(void)
{
	return mode == VARY_IN_ANSWERED ? 2 : mode == VARY_IN_SILENCE ? 3 : 1;
}

/* The n-th packet of a flood. */
static __always_inline void turn_to_one_of_flood(struct packet *packet, __u64 n)
{
	const __u32 first = mode == VARY_IN_BACKSCATTER;

	turn_to_flood(packet, n / steps_of_flood(),
		      first + (__u32)(n % steps_of_flood()));
}

/*
 * The n-th packet: an honest one, or FLOOD_PERIOD - 1 times one of the flood.
 * Returns which of both.
 */
static __always_inline bool turn_within_flood(struct packet *packet, __u64 n)
{
	const __u64 slot = n / FLOOD_PERIOD;
	const __u32 step = slot % 4;
	/* Step by step, each FLOOD_LAG connections of the flood later. */
	const __u64 lag = FLOOD_LAG * steps_of_flood() / 4 / (FLOOD_PERIOD - 1);
	const __u64 number = slot / 4 - step * lag;
	const bool honest = !(n % FLOOD_PERIOD) && number < connections;

	if (honest)
		turn_to_step(packet, (__u32)number, step);
	else
		turn_to_one_of_flood(packet, n - slot);
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
					   __u64 n)
{
	__u32 number = (__u32)(n * 0x9e3779b97f4a7c15 >> 40);

	if ((void *)(in + 1) > end)
		return;
	if (turn_within_flood(&in->packet, n))
		number = DRIVE_TUNNEL;
	in->number[0] = (__u8)(number >> 16);
	in->number[1] = (__u8)(number >> 8);
	in->number[2] = (__u8)number;
}

static __always_inline void vary_packet(struct packet *packet, __u64 n)
{
	if (mode == VARY_ADDRESS)
		turn(packet, (__u32)(n * 7919 % connections), true);
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
		turn_within_flood(packet, n);
}

static __always_inline void vary(void *data, void *end)
{
	const __u64 n = counter++;

	if (mode == VARY_IN_TUNNELS)
		vary_in_tunnel(data, end, n);
	else if (data + sizeof(struct packet) <= end)
		vary_packet(data, n);
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
