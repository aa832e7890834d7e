/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What BPF programs count for --owner: how often sockets of this network
 * namespace began or ceased to listen, in all and by port; how often a process
 * forked, by the time when it began. For the ports of other namespaces a
 * counter is no number but a time: when a socket of the port last began or
 * ceased to listen (CLOCK_MONOTONIC, ns). Some ports, and some processes, share
 * a counter.
 */
#ifndef BANNERPROBE_KERNEL_COUNTERS_H
#define BANNERPROBE_KERNEL_COUNTERS_H

#define COUNTER_BITS 12
#define COUNTERS_EACH (1 << COUNTER_BITS) /* of ports, and of processes */
#define COUNTERS_LISTENING 1		  /* the first of the ports */
#define COUNTERS_FORKS (COUNTERS_LISTENING + COUNTERS_EACH)
#define COUNTERS_FAR (COUNTERS_FORKS + COUNTERS_EACH)
#define COUNTERS_ALL (COUNTERS_FAR + COUNTERS_EACH)

#define COUNTER_SPREAD 0x9e3779b97f4a7c15ULL /* 2^64 by the golden ratio */

/* The places of the counters. */
static inline __u32 counter_of_listeners(void)
{
	return 0;
}

static inline __u32 counter_of_port(__u16 port)
{
	return COUNTERS_LISTENING + port % COUNTERS_EACH;
}

static inline __u32 counter_spread(__u64 key)
{
	return (__u32)((key * COUNTER_SPREAD) >> (64 - COUNTER_BITS));
}

static inline __u32 counter_of_forks(__u64 started)
{
	return COUNTERS_FORKS + counter_spread(started);
}

/* `netns`: the inode of another network namespace. */
static inline __u32 counter_of_far_port(__u32 netns, __u16 port)
{
	return COUNTERS_FAR + counter_spread((__u64)netns << 16 | port);
}

#endif
