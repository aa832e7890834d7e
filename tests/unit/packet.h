/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets for the tests, made byte by byte. */
#ifndef BANNERPROBE_TESTS_PACKET_H
#define BANNERPROBE_TESTS_PACKET_H

#include "layers.h"

#define PACKET_MAX 3000
#define TCP_PSH 0x08

/*
 * An extension header of IPv6, or an authentication header of IPv4: `kind` is a
 * PROTO_ number.
 */
struct test_extension {
	__u8 kind;
	__u8 len; /* as the header's own length field has it */
};

/* The description of a packet. All zero: an IPv4 segment without payload. */
struct test_packet {
	bool from_server; /* else from the client */
	bool ipv6;
	bool raw_ip; /* no Ethernet header */
	__u16 client_port;
	__u16 server_port;
	__u8 flags;
	__u32 seq, ack;
	const char *payload; /* may be NULL */
	size_t payload_len;
	__u16 vlan[3];	      /* 0: none */
	__u16 vlan_type;      /* 0: 802.1Q */
	__u8 ip_option_words; /* 32-bit words of IPv4 options */
	__u8 tcp_option_words;
	struct test_extension extensions[12]; /* kind 0xff: none */
	int extension_count;
	__u16 fragment; /* IPv4: flags and offset; IPv6: in its header */
	size_t padding; /* bytes after the IP packet */
	int ip_length;	/* 0: right; else that much is added */
	bool ip_length_zero;
	__u8 tcp_data_offset; /* 0: right; else in words */
	__u8 ip_header_words; /* likewise */
};

struct bytes {
	__u8 data[PACKET_MAX];
	size_t len;
};

void packet_build(struct bytes *bytes, const struct test_packet *packet);

#endif
