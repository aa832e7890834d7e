/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "programs.h"

#include "message.h"
#include "tracker.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bannerprobe.skel.h"

/*
 * Every CPU hoards this many free nodes of an LRU map: a smaller table evicts
 * connections when it is half empty (LOCAL_FREE_TARGET in bpf_lru_list.c).
 */
#define LRU_HOARD 128

#define XDP_HAS_FRAGS (1U << 5) /* BPF_F_XDP_HAS_FRAGS, Linux 5.18 */

#define FLOWS_A_BATCH 4096

static const char *load_advice(int error)
{
	switch (-error) {
	case EPERM:
		return "not permitted: run it as root, or with CAP_BPF, "
		       "CAP_NET_ADMIN and CAP_PERFMON";
	case ENOMEM:
		return "no memory for the table: a smaller --max-flows needs less";
	default: /* EACCES, EINVAL, E2BIG, EFAULT: the verifier, by its mood */
		return "this kernel refuses them: Linux 5.10 or later is needed, "
		       "and -v shows why";
	}
}

static __u32 table_size(__u32 max_flows)
{
	int cpus = libbpf_num_possible_cpus();
	__u32 least = 2 * LRU_HOARD * (__u32)(cpus > 0 ? cpus : 1);

	if (max_flows >= least)
		return max_flows;
	message("--max-flows %u: raised to %u, the least that does with %d CPUs",
		max_flows, least, cpus);
	return least;
}

static void choose(struct bannerprobe_bpf *bpf, unsigned int which)
{
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

/* Packets in several buffers (jumbo frames, LRO), where the kernel has them. */
static void choose_xdp_frags(struct bannerprobe_bpf *bpf)
{
	struct bpf_program *program = bpf->progs.bannerprobe_xdp;

	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes,
				    NULL) != 1)
		return;
	bpf->rodata->xdp_has_load_bytes = true;
	bpf_program__set_flags(program,
			       bpf_program__flags(program) | XDP_HAS_FRAGS);
}

struct bannerprobe_bpf *programs_load(unsigned int which, __u32 length,
				      __u32 max_flows)
{
	struct bannerprobe_bpf *bpf = bannerprobe_bpf__open();
	int error;

	if (!bpf) {
		message("opening the BPF programs: %s", strerror(errno));
		return NULL;
	}
	bpf->rodata->banner_limit = length;
	bpf_map__set_max_entries(bpf->maps.flows, table_size(max_flows));
	choose(bpf, which);
	if (which & PROGRAMS_XDP)
		choose_xdp_frags(bpf);
	error = bannerprobe_bpf__load(bpf);
	if (!error)
		return bpf;
	message("loading the BPF programs: %s", load_advice(error));
	bannerprobe_bpf__destroy(bpf);
	return NULL;
}

/* Connections in the table about which nothing is decided. */
static __u64 count_open(int map)
{
	struct flow_key *keys = calloc(FLOWS_A_BATCH, sizeof(*keys));
	struct flow *flows = calloc(FLOWS_A_BATCH, sizeof(*flows));
	__u32 position[2] = {}, count; /* a position in a hash map: a bucket */
	void *from = NULL;
	__u64 open = 0;
	int error = keys && flows ? 0 : -ENOMEM;

	while (!error) {
		count = FLOWS_A_BATCH;
		error = bpf_map_lookup_batch(map, from, position, keys, flows,
					     &count, NULL);
		if (error && error != -ENOENT) /* the end, and what came before it */
			break;
		for (__u32 i = 0; i < count; i++)
			open += flow_is_pending(&flows[i]);
		from = position;
	}
	free(keys);
	free(flows);
	return open;
}

static void sum_cpus(int map, __u64 counters[COUNTER_MAX])
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values));

	for (__u32 i = 0; values && cpus > 0 && i < COUNTER_MAX; i++) {
		counters[i] = 0;
		if (bpf_map_lookup_elem(map, &i, values))
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			counters[i] += values[cpu];
	}
	free(values);
}

void programs_read_counters(struct bannerprobe_bpf *bpf,
			    __u64 counters[COUNTER_MAX])
{
	__u64 accounted = 0;

	sum_cpus(bpf_map__fd(bpf->maps.counters), counters);
	counters[COUNT_OPEN] = count_open(bpf_map__fd(bpf->maps.flows));
	counters[COUNT_EVICTED] = 0;
	for (int i = COUNT_FIRST_OUTCOME; i <= COUNT_LAST_OUTCOME; i++)
		accounted += counters[i];
	if (counters[COUNT_CONNECTIONS] > accounted)
		counters[COUNT_EVICTED] =
			counters[COUNT_CONNECTIONS] - accounted;
}
