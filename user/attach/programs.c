/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "programs.h"

#include "system/message.h"
#include "engine/packet_engine.h"
#include "flow_table.h"
#include "system/privileges.h"
#include "filter_maps.h"
#include "ring_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bannerprobe.skel.h"

/*
 * Each CPU keeps this many free nodes of an LRU map, so a smaller table evicts
 * connections when it is half empty (LOCAL_FREE_TARGET in bpf_lru_list.c).
 */
#define LRU_HOARD 128

#define XDP_HAS_FRAGS (1U << 5) /* BPF_F_XDP_HAS_FRAGS, Linux 5.18 */

#define VALUES_A_BATCH 1024

static const char *load_advice(int error)
{
	switch (-error) {
	case EPERM:
		return "not permitted, with all capabilities: the limit of "
		       "locked memory (ulimit -l, Linux before 5.11) or a "
		       "container's rules are in the way";
	case ENOMEM:
		return "no memory for the table: a smaller --max-flows needs "
		       "less";
	case EMFILE:
	case ENFILE:
		return "too many open files: a larger limit of them is needed "
		       "(ulimit -n, LimitNOFILE)";
	default: /* EACCES, EINVAL, E2BIG or EFAULT: the verifier refused the
		  * program */
		return "this kernel refuses them: Linux 5.10 or later is "
		       "needed, and -v shows why";
	}
}

static __u32 overflow_flows(__u32 max_flows)
{
	int cpus = libbpf_num_possible_cpus();

	return table_overflow(max_flows) +
	       2 * LRU_HOARD * (__u32)(cpus > 0 ? cpus : 1);
}

static void size_tables(struct bannerprobe_bpf *bpf, __u32 max_flows)
{
	__u32 buckets = table_buckets(max_flows);
	__u32 words = table_words(buckets);

	/* prefilter_words: the compiled array has the largest size. */
	bpf_map__set_value_size(bpf->maps.bss, words * sizeof(__u64));
	bpf_map__set_max_entries(bpf->maps.overflow, overflow_flows(max_flows));
	bpf_map__set_max_entries(bpf->maps.buckets, buckets);
	bpf->rodata->prefilter_mask = words - 1;
	bpf->rodata->words_shift =
		(__u32)__builtin_ctz(words) - (__u32)__builtin_ctz(buckets);
}

static void choose(struct bannerprobe_bpf *bpf, unsigned int which)
{
	bpf_program__set_autoload(
		bpf->progs.bannerprobe_wt,
		which & (PROGRAMS_ETHERNET | PROGRAMS_RAW_IP));
	bpf_program__set_autoload(bpf->progs.bannerprobe_wx,
				  which & PROGRAMS_XDP);
	bpf_program__set_autoload(bpf->progs.bannerprobe_xdp,
				  which & PROGRAMS_XDP);
	bpf_program__set_autoload(bpf->progs.bannerprobe_rx,
				  which & PROGRAMS_ETHERNET);
	bpf_program__set_autoload(bpf->progs.bannerprobe_tx,
				  which & PROGRAMS_ETHERNET);
	bpf_program__set_autoload(bpf->progs.bannerprobe_rxi,
				  which & PROGRAMS_RAW_IP);
	bpf_program__set_autoload(bpf->progs.bannerprobe_txi,
				  which & PROGRAMS_RAW_IP);
}

/*
 * Puts a program where hooks go on to it, if it is loaded. 0 or negative errno.
 */
static int link_program(const struct bpf_program *program,
			const struct bpf_map *map)
{
	const int fd = bpf_program__fd(program);
	const __u32 first = 0;

	if (!bpf_program__autoload(program))
		return 0;
	return bpf_map_update_elem(bpf_map__fd(map), &first, &fd, BPF_ANY) ?
		       -errno :
		       0;
}

static int link_programs(const struct bannerprobe_bpf *bpf)
{
	const int error =
		link_program(bpf->progs.bannerprobe_wx, bpf->maps.watch_xdp);

	return error ? error :
		       link_program(bpf->progs.bannerprobe_wt,
				    bpf->maps.watch_tc);
}

static void accept_frags(struct bpf_program *program)
{
	bpf_program__set_flags(program,
			       bpf_program__flags(program) | XDP_HAS_FRAGS);
}

/*
 * Accepts packets in several buffers (jumbo frames, LRO), if the kernel does.
 */
static void choose_xdp_frags(struct bannerprobe_bpf *bpf)
{
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes,
				    NULL) != 1)
		return;
	bpf->rodata->xdp_has_load_bytes = true;
	accept_frags(bpf->progs.bannerprobe_xdp);
	accept_frags(bpf->progs.bannerprobe_wx);
}

/* Events describe their socket; its cgroup only if the kernel keeps one. */
static void choose_sockets(struct bannerprobe_bpf *bpf)
{
	bpf->rodata->skb_has_cgroup =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS,
					BPF_FUNC_skb_cgroup_id, NULL) == 1;
	if (!bpf->rodata->skb_has_cgroup)
		message("--owner: this kernel keeps no cgroup of a socket "
			"(CONFIG_SOCK_CGROUP_DATA): the listener's cgroup "
			"is used");
}

static void set_tracked(struct bannerprobe_bpf *bpf,
			const struct track_options *asked, __u32 length)
{
	struct track_options track = *asked;

	if (track.gather)
		track.gather = length;
	if (track.events & ~EVENTS_BANNER)
		bpf_map__set_max_entries(bpf->maps.syn_data, SYN_DATA_ROOM);
	if (!track.decap.kinds)
		track.key.tunnels = false;
	if (track.sockets)
		choose_sockets(bpf);
	memcpy((struct track_options *)&bpf->rodata->settings.track, &track,
	       sizeof(track));
}

static void set_wanted(struct bannerprobe_bpf *bpf,
		       const struct server_list *wanted)
{
	bpf->rodata->settings.filter_by = wanted->by;
	memcpy((__u64 *)bpf->rodata->filter_ports, wanted->ports,
	       sizeof(wanted->ports));
}

static int fill_nets(const struct bannerprobe_bpf *bpf,
		     const struct server_list *wanted)
{
	const struct filter_maps trie = { .map = bpf_map__fd(bpf->maps.nets),
					  .wanted = wanted };

	return filter_maps_fill(&trie);
}

/*
 * Releases memory that only loading needs: what libbpf has freed, and the pages
 * of the compiled programs, which the kernel would read from this program's
 * file again.
 */
static void release_memory(void)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	size_t size;
	const uintptr_t image = (uintptr_t)bannerprobe_bpf__elf_bytes(&size);
	const uintptr_t first = (image + page - 1) & ~(page - 1);
	const uintptr_t end = (image + size) & ~(page - 1);

	if (first < end)
		madvise((void *)first, end - first, MADV_DONTNEED);
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

struct bannerprobe_bpf *programs_load(unsigned int which, __u32 length,
				      __u32 max_flows,
				      const struct track_options *track,
				      const struct server_list *wanted)
{
	struct bannerprobe_bpf *bpf = bannerprobe_bpf__open();
	const char *missing;
	int error;

	if (!bpf) {
		message("opening the BPF programs: %s", strerror(errno));
		return NULL;
	}
	bpf->rodata->settings.limit = length;
	size_tables(bpf, max_flows);
	ring_maps_size(bpf);
	bpf_map__set_max_entries(bpf->maps.nets, TRIE_MAX);
	hash_randomize((__u64 *)bpf->rodata->hash_secrets);
	if (track)
		set_tracked(bpf, track, length);
	if (wanted)
		set_wanted(bpf, wanted);
	choose(bpf, which);
	if (which & PROGRAMS_XDP)
		choose_xdp_frags(bpf);
	error = bannerprobe_bpf__load(bpf);
	release_memory();
	if (!error)
		error = link_programs(bpf);
	if (!error && wanted)
		error = fill_nets(bpf, wanted);
	if (!error)
		return bpf;
	missing = privileges_missing(); /* the verifier returns other errors,
					 * too */
	if (missing)
		message("loading the BPF programs: not permitted: run it as "
			"root, or with %s, too",
			missing);
	else
		message("loading the BPF programs: %s", load_advice(error));
	bannerprobe_bpf__destroy(bpf);
	return NULL;
}

/* What is counted of the connections in the flow table. */
struct in_table {
	__u64 pending;
	struct event_counts events;
	const struct track_options *track;
};

static void count_flow(struct in_table *counts, const struct flow *flow)
{
	counts->pending += flow_is_pending(flow);
	if (counts->track->events & ~EVENTS_BANNER)
		event_counts_add_open(&counts->events, flow, counts->track);
}

static void count_bucket(struct in_table *counts, const void *value)
{
	const struct bucket *bucket = value;

	for (int i = 0; i < BUCKET_WAYS; i++) {
		if (entry_is_flow(&bucket->ways[i]))
			count_flow(counts, &bucket->ways[i].flow);
	}
}

static void count_overflow(struct in_table *counts, const void *value)
{
	count_flow(counts, value);
}

/* Calls `count` with each value of a map, read in batches. */
static void each_value(int map, size_t key_size, size_t value_size,
		       void (*count)(struct in_table *counts,
				     const void *value),
		       struct in_table *counts)
{
	char *keys = calloc(VALUES_A_BATCH, key_size);
	char *values = calloc(VALUES_A_BATCH, value_size);
	__u32 position[2] = {}, len; /* for the kernel: bucket or index */
	void *from = NULL;
	int error = keys && values ? 0 : -ENOMEM;

	while (!error) {
		len = VALUES_A_BATCH;
		error = bpf_map_lookup_batch(map, from, position, keys, values,
					     &len, NULL);
		if (error &&
		    error != -ENOENT) /* the end; values before it are valid */
			break;
		for (__u32 i = 0; i < len; i++)
			count(counts, values + i * value_size);
		from = position;
	}
	free(keys);
	free(values);
}

/*
 * Counts the connections in the buckets and in the overflow LRU. The latter has
 * also old entries that no bucket has a tag for any more.
 */
static void count_table(const struct bannerprobe_bpf *bpf,
			struct in_table *counts)
{
	each_value(bpf_map__fd(bpf->maps.buckets), sizeof(__u32),
		   sizeof(struct bucket), count_bucket, counts);
	each_value(bpf_map__fd(bpf->maps.overflow), sizeof(__u64),
		   sizeof(struct flow), count_overflow, counts);
}

/* --- counters ----------------------------------------------------------- */

/* Adds what all CPUs have counted in a slot. */
static void add_slot(const struct bannerprobe_bpf *bpf, __u32 slot,
		     __u64 sums[COUNTER_MAX])
{
	int cpus = libbpf_num_possible_cpus();
	struct counted *counted =
		calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*counted));

	if (counted && cpus > 0 &&
	    !bpf_map_lookup_elem(bpf_map__fd(bpf->maps.counters), &slot,
				 counted)) {
		for (int cpu = 0; cpu < cpus; cpu++) {
			for (int i = 0; i < COUNTER_MAX; i++)
				sums[i] += counted[cpu].by[i];
		}
	}
	free(counted);
}

/* Sets the sum over all CPUs of a slot's counters. */
static void set_slot(const struct bannerprobe_bpf *bpf, __u32 slot,
		     const __u64 sums[COUNTER_MAX])
{
	int cpus = libbpf_num_possible_cpus();
	struct counted *counted =
		calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*counted));

	if (counted && cpus > 0) {
		memcpy(counted[0].by, sums, COUNTER_MAX * sizeof(*sums));
		bpf_map_update_elem(bpf_map__fd(bpf->maps.counters), &slot,
				    counted, BPF_EXIST);
	}
	free(counted);
}

void programs_count_interface(const struct bannerprobe_bpf *bpf, __u32 ifindex)
{
	struct slots *slots = &bpf->data_slots->slots;
	__u16 *place = &slots->places[ifindex % SLOT_PLACES];
	__u16 slot = SLOT_FIRST;

	while (slot < SLOTS && slots->owners[slot])
		slot++;
	if (*place || slot == SLOTS)
		return;
	slots->owners[slot] = ifindex;
	*place = slot;
}

bool programs_interface_counters(const struct bannerprobe_bpf *bpf,
				 __u32 ifindex, __u64 counters[COUNTER_MAX])
{
	const __u32 slot = slot_of(&bpf->data_slots->slots, ifindex);

	memset(counters, 0, COUNTER_MAX * sizeof(*counters));
	if (slot == SLOT_OTHERS)
		return false;
	add_slot(bpf, slot, counters);
	return true;
}

/*
 * No CPU counts in the slot meanwhile, because the kernel reports a device as
 * gone only after its last packet.
 */
void programs_forget_interface(const struct bannerprobe_bpf *bpf, __u32 ifindex)
{
	static const __u64 none[COUNTER_MAX];
	struct slots *slots = &bpf->data_slots->slots;
	const __u32 slot = slot_of(slots, ifindex);
	__u64 sums[COUNTER_MAX] = {};

	if (slot == SLOT_OTHERS)
		return;
	add_slot(bpf, SLOT_GONE, sums);
	add_slot(bpf, slot, sums);
	set_slot(bpf, SLOT_GONE, sums);
	set_slot(bpf, slot, none);
	slots->places[ifindex % SLOT_PLACES] = 0;
	slots->owners[slot] = 0;
}

/* Sums the counters of all slots. */
static void sum_slots(const struct bannerprobe_bpf *bpf,
		      __u64 sums[COUNTER_MAX])
{
	memset(sums, 0, COUNTER_MAX * sizeof(*sums));
	for (__u32 slot = 0; slot < SLOTS; slot++) {
		if (slot < SLOT_FIRST || bpf->data_slots->slots.owners[slot])
			add_slot(bpf, slot, sums);
	}
}

__u64 programs_counter(const struct bannerprobe_bpf *bpf, enum counter counter)
{
	__u64 sums[COUNTER_MAX];

	sum_slots(bpf, sums);
	return sums[counter];
}

/* Adds the fates of events other than banners, from all CPUs. */
static void add_events(const struct bannerprobe_bpf *bpf,
		       struct event_counts *sums)
{
	int cpus = libbpf_num_possible_cpus();
	struct event_counts *counted =
		calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*counted));
	const __u32 zero = 0;

	if (counted && cpus > 0 &&
	    !bpf_map_lookup_elem(bpf_map__fd(bpf->maps.event_counts), &zero,
				 counted)) {
		for (int cpu = 0; cpu < cpus; cpu++)
			event_counts_add(sums, &counted[cpu]);
	}
	free(counted);
}

/*
 * Packets pass meanwhile. A connection that began before the table was read is
 * in the table, or in the outcomes that are read afterwards, or in both. So no
 * connection is counted as evicted by mistake.
 */
void programs_read_counters(struct bannerprobe_bpf *bpf,
			    const struct track_options *track,
			    __u64 counters[COUNTER_MAX],
			    struct event_counts *events)
{
	const __u64 began = programs_counter(bpf, COUNT_CONNECTIONS);
	struct in_table table = { .track = track };
	__u64 connections;

	count_table(bpf, &table);
	*events = table.events;
	if (track->events & ~EVENTS_BANNER) {
		add_events(bpf, events);
		count_evicted_events(events, began, track->events);
	}
	sum_slots(bpf, counters);
	connections = counters[COUNT_CONNECTIONS];
	counters[COUNT_CONNECTIONS] = began;
	counters[COUNT_OPEN] = table.pending;
	count_evicted(counters);
	counters[COUNT_CONNECTIONS] = connections;
}
