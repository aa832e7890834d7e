/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the benchmark and its BPF programs agree on. */
#ifndef BANNERPROBE_TESTS_BENCH_H
#define BANNERPROBE_TESTS_BENCH_H

/* What a packet becomes before it is handed on. */
enum vary {
	VARY_NOTHING,
	VARY_ADDRESS,	 /* server data to one of `connections` clients */
	VARY_CONNECTION, /* SYN, SYN-ACK, ACK, banner; then the next client */
	VARY_SYN_FLOOD,	 /* a SYN of another client each time */
};

#define BENCH_BANNER 40 /* bytes of a banner */

#endif
