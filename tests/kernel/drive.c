/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "drive.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "counters.h" /* what the skeleton is made of */
#include "bannerprobe.skel.h"
#include "drive.skel.h"

#define LOOPBACK 1 /* its index in each network namespace */

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

static bool set_road(enum road road, bool to_probe)
{
	if (road == ROAD_XDP)
		return hand_to(drivers->maps.next_xdp,
			       to_probe ? probe->progs.bannerprobe_xdp :
					  drivers->progs.empty_xdp);
	return hand_to(drivers->maps.next_tc,
		       to_probe ? probe->progs.bannerprobe_rx :
				  drivers->progs.empty_tc);
}

double drive_bytes(enum road road, bool to_probe, const struct bytes *bytes,
		   enum vary vary, __u32 connections, __u64 from, __u32 count)
{
	const struct bpf_program *program = road == ROAD_XDP ?
						    drivers->progs.vary_xdp :
						    drivers->progs.vary_tc;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes->data,
		    .data_size_in = (__u32)bytes->len, .repeat = (int)count);

	drivers->bss->mode = vary;
	drivers->bss->connections = connections;
	drivers->bss->counter = from;
	if (!set_road(road, to_probe) ||
	    bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		return -1;
	return options.duration;
}

double drive(enum road road, bool to_probe, const struct test_packet *packet,
	     enum vary vary, __u32 connections, __u64 from, __u32 count)
{
	struct bytes bytes;

	packet_build(&bytes, packet);
	return drive_bytes(road, to_probe, &bytes, vary, connections, from,
			   count);
}
