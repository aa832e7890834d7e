/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by drive.c, which drives packets by the million, and its programs. */
#ifndef BANNERPROBE_TESTS_DRIVE_BPF_H
#define BANNERPROBE_TESTS_DRIVE_BPF_H

#include "../../include/platform.h"

/* How a packet is changed before it is passed on. */
enum vary {
	VARY_NOTHING,
	VARY_ADDRESS,	 /* server data to one of `connections` clients */
	VARY_CONNECTION, /* SYN, SYN-ACK, ACK, banner; then the next client */
	VARY_ASKED, /* SYN, SYN-ACK, ACK, request, response; then the next */
	VARY_HANDSHAKE, /* SYN, SYN-ACK, ACK; then the next client */
	VARY_BANNER,	/* the banner alone, of a client after the other */
	VARY_SYN_FLOOD, /* a SYN of another client each time */
	/*
	 * Of `connections` honest ones the packets, step by step, each among
	 * FLOOD_PERIOD - 1 packets of a flood.
	 */
	VARY_IN_SYNS,	     /* of SYNs */
	VARY_IN_ANSWERED,    /* of SYNs and the server's SYN-ACKs */
	VARY_IN_BACKSCATTER, /* of SYN-ACKs */
	VARY_IN_SILENCE,     /* of handshakes after which neither side speaks */
	VARY_IN_TUNNELS,     /* of SYNs in VXLAN, each under another number; the
			      * honest ones are in VXLAN, too (unit/wrap.h) */
};

#define DRIVE_BANNER 40 /* bytes of a banner */
#define DRIVE_TUNNEL 42 /* the VNI of honest connections */

/* The ends of a connection: the clients differ by address, lanes by port. */
#define DRIVE_CLIENT 0x0a000000
#define DRIVE_CLIENT_PORT 40000
#define DRIVE_SERVER 0xc0000201
#define DRIVE_SERVER_PORT 25

#define DRIVE_LANES 256

/*
 * What is run at the same time on several CPUs: each lane makes connections of
 * its own. The last byte of a packet's Ethernet source tells its lane.
 */
struct lane {
	__u64 counter;	   /* of packets, continued from run to run */
	__u32 mode;	   /* enum vary */
	__u32 connections; /* to vary among; a power of two is not needed */
} __attribute__((aligned(128)));

#define FLOOD_PERIOD                                                           \
	201 /* 400 connections of SYN and SYN-ACK for an honest one */
/*
 * Connections of the flood that come between an honest one's SYN, SYN-ACK, ACK
 * and banner: 40 ms at 100,000 a second.
 */
#define FLOOD_LAG 4000

#endif
