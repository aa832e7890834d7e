/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The constants that the loader sets, and the maps that all hooks share. */
#ifndef BANNERPROBE_MAPS_H
#define BANNERPROBE_MAPS_H

#include "../include/engine_settings.h"
#include "../include/event.h"
#include "../include/flow_table.h"
#include "../include/own_addresses.h"
#include "../include/platform.h"
#include "../include/server_filter.h"

_Static_assert(HEADERS_MAX <= BANNER_MAX, "backend_read() copies either");

/*
 * From enums of linux/bpf.h without a name, which vmlinux.h cannot take over.
 */
#define BPF_NOEXIST 1
#define BPF_F_NO_PREALLOC (1 << 0)
#define BPF_F_MMAPABLE (1 << 10)

/* Set by the loader before the programs are loaded. */
const volatile struct engine_settings settings = {
	.track = { .need = NEED_NONE },
};
const volatile __u32 prefilter_mask = WORDS_PER_BUCKET - 1; /* prefilter words,
							     * less one */
const volatile __u32 words_shift = 2; /* log2 of the words of a bucket */
const volatile __u64 hash_secrets[HASH_SECRETS] = {};
const volatile __u64 filter_ports[PORT_WORDS] = {};
const volatile __u32 ring_mask = 0; /* ring buffers, less one */
const volatile bool skb_has_cgroup =
	false; /* kernel has CONFIG_SOCK_CGROUP_DATA */
/* Linux 5.18: bpf_xdp_load_bytes, bpf_xdp_get_buff_len. */
const volatile bool xdp_has_load_bytes = false;

/*
 * The settings, without `volatile`, which would read even those that are not
 * used. The compiler must not know that this is the constant above: that one
 * has its value only when the loader has set it.
 */
static __always_inline const struct engine_settings *settings_of_loader(void)
{
	const struct engine_settings *loaded = (const void *)&settings;

	OPAQUE(loaded);
	return loaded;
}

/* See prefilter.h. A global array, because any map lookup is slower. */
__u64 prefilter_words[PREFILTER_WORDS_MAX];

/* See bucket.h. Mappable, because a mappable array begins at a cache line. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

/*
 * The overflow: established, undecided connections evicted from their bucket.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* flow_identify() */
	__type(value, struct flow);
} overflow SEC(".maps");

/*
 * Networks, each with the sets (enum address_set) that it belongs to. A network
 * belongs to the sets of all networks around it, too.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct net);
	__type(value, __u32);
} nets SEC(".maps");

/* See own_addresses.h; user space sets them. */
__u64 own_bits[OWN_WORDS] SEC(".data.own");

/*
 * The ring buffers for events, of which each serves some of the CPUs: a ring
 * buffer has one lock and one position, and CPUs that write to it wait for each
 * other. The loader sets how many are used, and their sizes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* bytes */
} records_0 SEC(".maps"), records_1 SEC(".maps"), records_2 SEC(".maps"),
	records_3 SEC(".maps"), records_4 SEC(".maps"), records_5 SEC(".maps"),
	records_6 SEC(".maps"), records_7 SEC(".maps");

/* See slot_of(). The loader assigns the slots to interfaces. */
struct slots slots SEC(".data.slots");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct counted);
} counters SEC(".maps");

/* What became of events other than banners. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct event_counts);
} event_counts SEC(".maps");

/* An event and its bytes. */
struct syn_data {
	__u64 words[(sizeof(struct event) + SYN_DATA_ROOM_MAX) / 8];
};

/* Data of SYNs, until a SYN-ACK accepts it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64); /* syn_data_key() */
	__type(value, struct syn_data);
} syn_data SEC(".maps");

/* How many records each slot had in the current second. */
struct rate {
	struct bpf_spin_lock lock;
	__u32 records;
	__u64 second;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct rate);
} rates SEC(".maps");

/* A CPU's segment, and room to build an event or to copy headers. */
struct scratch {
	struct segment_context context;
	__u32 ifindex;	/* of the segment's interface */
	__u8 direction; /* enum direction: from the hook to bannerprobe_wt */
	bool is_raw_ip; /* likewise */
	__u8 parsed;	/* enum parse_result of the segment */
	union {
		struct event record;
		__u8 bytes[sizeof(struct event) + EVENT_ROOM];
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/*
 * The key of an element of an array: the four bytes of its index, first of
 * eight that are written at once. A slot of the stack has eight bytes. If only
 * four of them are written, the verifier believes that the others are still
 * needed. Then it follows what comes later once for each value that they have.
 */
static __always_inline __u64 array_key(__u32 index)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return index;
#else
	return (__u64)index << 32;
#endif
}

/* The programs that the hooks go on to, which the loader puts here. */
#define PROGRAM_MAP                                                            \
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);                                 \
	__uint(max_entries, 1);                                                \
	__type(key, __u32);                                                    \
	__type(value, __u32)

struct {
	PROGRAM_MAP;
} watch_xdp SEC(".maps"); /* bannerprobe_wx */

struct {
	PROGRAM_MAP;
} watch_tc SEC(".maps"); /* bannerprobe_wt */

#endif
