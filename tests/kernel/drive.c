/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "drive.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>

/* What the skeleton is made of. */
#include "counters.h"
#include "engine_settings.h"
#include "bannerprobe.skel.h"
#include "drive.skel.h"

#define LOOPBACK 1   /* its index in each network namespace */
#define LANE_BYTE 11 /* the last one of the Ethernet source */

static struct bannerprobe_bpf *probe;
static struct drive_bpf *drivers;
static int link_fd = -1; /* see drive_attach() */

bool drive_open(struct bannerprobe_bpf *of)
{
	__u32 flags;

	probe = of;
	drivers = drive_bpf__open();
	if (!drivers)
		return false;
	/* A tail call goes only between programs that both take fragments. */
	flags = bpf_program__flags(probe->progs.bannerprobe_xdp);
	bpf_program__set_flags(drivers->progs.empty_xdp, flags);
	bpf_program__set_flags(drivers->progs.reference_xdp, flags);
	bpf_program__set_flags(drivers->progs.vary_xdp, flags);
	return !drive_bpf__load(drivers);
}

void drive_to(struct bannerprobe_bpf *to)
{
	probe = to;
}

bool drive_attach(void)
{
	const struct bpf_program *program = drivers->progs.vary_xdp;
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);

	link_fd = bpf_link_create(bpf_program__fd(program), LOOPBACK, BPF_XDP,
				  &options);
	return link_fd >= 0;
}

void drive_close(void)
{
	close(link_fd);
	drive_bpf__destroy(drivers);
}

static bool hand_to(const struct bpf_map *next,
		    const struct bpf_program *program)
{
	__u32 zero = 0, fd = (__u32)bpf_program__fd(program);

	return !bpf_map_update_elem(bpf_map__fd(next), &zero, &fd, BPF_ANY);
}

bool drive_set_target(enum road road, enum target target)
{
	const struct bpf_program *const programs[][2] = {
		[TO_EMPTY] = { drivers->progs.empty_xdp,
			       drivers->progs.empty_tc },
		[TO_PROBE] = { probe->progs.bannerprobe_xdp,
			       probe->progs.bannerprobe_rx },
		[TO_REFERENCE] = { drivers->progs.reference_xdp,
				   drivers->progs.reference_tc },
	};

	return hand_to(road == ROAD_XDP ? drivers->maps.next_xdp :
					  drivers->maps.next_tc,
		       programs[target][road]);
}

double drive_lane(const struct lane_run *run)
{
	const bool is_xdp = run->road == ROAD_XDP;
	const struct bpf_program *program =
		is_xdp ? drivers->progs.vary_xdp : drivers->progs.vary_tc;
	const __u32 passed = is_xdp ? XDP_PASS : (__u32)-1;
	struct lane *lane = &drivers->bss->lanes[run->lane];
	struct bytes bytes = *run->bytes;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes.data,
		    .data_size_in = (__u32)bytes.len,
		    .repeat = (int)run->count);

	bytes.data[LANE_BYTE] = run->lane;
	lane->mode = run->vary;
	lane->connections = run->connections;
	lane->counter = run->from;
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		return -1;
	if (options.retval != passed) {
		errno = EPROTO;
		return -1;
	}
	return options.duration;
}

double drive_bytes(enum road road, bool to_probe, const struct bytes *bytes,
		   enum vary vary, __u32 connections, __u64 from, __u32 count)
{
	const struct lane_run run = { .road = road,
				      .bytes = bytes,
				      .vary = vary,
				      .connections = connections,
				      .from = from,
				      .count = count };

	if (!drive_set_target(road, to_probe ? TO_PROBE : TO_EMPTY))
		return -1;
	return drive_lane(&run);
}

double drive(enum road road, bool to_probe, const struct test_packet *packet,
	     enum vary vary, __u32 connections, __u64 from, __u32 count)
{
	struct bytes bytes;

	packet_build(&bytes, packet);
	return drive_bytes(road, to_probe, &bytes, vary, connections, from,
			   count);
}
