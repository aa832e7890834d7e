/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The BPF programs and their maps: loading them, reading the counters. */
#ifndef BANNERPROBE_PROGRAMS_H
#define BANNERPROBE_PROGRAMS_H

#include "counters.h"
#include "engine_settings.h" /* the skeleton needs it */
#include "event_kind.h"
#include "platform.h"

struct bannerprobe_bpf;
struct track_options;
struct server_list;

enum programs {
	PROGRAMS_XDP = 1 << 0,
	PROGRAMS_ETHERNET = 1 << 1, /* tc, both directions */
	PROGRAMS_RAW_IP = 1 << 2,   /* likewise, without an Ethernet header */
	PROGRAMS_ALL = (1 << 3) - 1,
};

/*
 * Loads the programs named by `which` (enum programs). `length`: bytes of a
 * banner kept, 1 to BANNER_MAX. `max_flows`: connections in the table, 1 to
 * FLOWS_MAX. `track`: the tracker's options, or NULL for the defaults.
 * `wanted`: the server filter, or NULL for all servers; this host's own
 * networks in it are filled in elsewhere. NULL on failure, with a message.
 */
struct bannerprobe_bpf *programs_load(unsigned int which, __u32 length,
				      __u32 max_flows,
				      const struct track_options *track,
				      const struct server_list *wanted);

/* The counters of all CPUs, without the computed ones. */
__u64 programs_counter(const struct bannerprobe_bpf *bpf, enum counter counter);

/*
 * Gives an interface counters of its own from now on; if no slot is free
 * (SLOTS, SLOT_PLACES), it is counted in the sum only.
 */
void programs_count_interface(const struct bannerprobe_bpf *bpf, __u32 ifindex);

/*
 * The counters of one interface, without the computed ones. False where it has
 * no slot of its own.
 */
bool programs_interface_counters(const struct bannerprobe_bpf *bpf,
				 __u32 ifindex, __u64 counters[COUNTER_MAX]);

/* An interface is gone: what it counted stays in the sum only. */
void programs_forget_interface(const struct bannerprobe_bpf *bpf,
			       __u32 ifindex);

/*
 * Reads the counters of all CPUs. Open and evicted connections are computed
 * from the flow table. They are exact once nothing is attached any more; before
 * that, evicted ones are rather too few than too many. `events`: the fates of
 * events other than banners, likewise; all 0 where `track` asks for none.
 */
void programs_read_counters(struct bannerprobe_bpf *bpf,
			    const struct track_options *track,
			    __u64 counters[COUNTER_MAX],
			    struct event_counts *events);

#endif
