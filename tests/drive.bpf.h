/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What drives packets by the million, and its BPF programs, agree on. */
#ifndef BANNERPROBE_TESTS_DRIVE_BPF_H
#define BANNERPROBE_TESTS_DRIVE_BPF_H

/* What a packet becomes before it is handed on. */
enum vary {
	VARY_NOTHING,
	VARY_ADDRESS,	 /* server data to one of `connections` clients */
	VARY_CONNECTION, /* SYN, SYN-ACK, ACK, banner; then the next client */
	VARY_HANDSHAKE,	 /* SYN, SYN-ACK, ACK; then the next client */
	VARY_BANNER,	 /* the banner alone, of a client after the other */
	VARY_SYN_FLOOD,	 /* a SYN of another client each time */
	VARY_IN_FLOOD,	 /* the same among SYNs: FLOOD_PACKETS for each */
};

#define DRIVE_BANNER 40 /* bytes of a banner */
#define FLOOD_PACKETS 64 /* four of them the connection's own */

#endif
