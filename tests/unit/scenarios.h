/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a banner is, case by case: conversations and their expected results. One
 * table for the engine in user space and for the loaded BPF programs.
 */
#ifndef BANNERPROBE_TESTS_SCENARIOS_H
#define BANNERPROBE_TESTS_SCENARIOS_H

#include "packet.h"
#include "event.h"
#include "tracker.h"

#define STEPS_MAX 12

/* One segment. Numbers count from the sender's and the other's ISN. */
struct step {
	bool used, from_server;
	__u8 flags;
	__s32 seq, ack;
	const char *payload;
	size_t len;	    /* of the payload; 0: all of the string */
	enum direction way; /* how it was seen */
};

/* The end that has an address of this host. */
enum own_end { OWN_NEITHER, OWN_CLIENT, OWN_SERVER };

struct test_case {
	const char *name;
	struct step steps[STEPS_MAX];
	/* Each banner as bytes/len/history, separated by a blank. */
	const char *banners;
	/*
	 * The counters that are not 0, by their names, with =N where it is not
	 * 1; connections only where they are not 1. Connections about which
	 * nothing was decided are counted as at the end of a capture.
	 */
	const char *counters;
	/* Cases with either of these run in user space only. */
	enum own_end own;
	enum need need;
};

extern const struct test_case test_cases[];
extern const size_t test_case_count;

/* Pairs of ISNs that every case is played with, to test wrapping numbers. */
struct isns {
	__u32 client, server;
};
extern const struct isns test_isns[];
extern const size_t test_isns_count;

/* The packet of a step. */
void step_packet(struct test_packet *packet, const struct step *step,
		 struct isns isns, __u16 client_port, bool ipv6);

#endif
