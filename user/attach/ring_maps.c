/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "ring_maps.h"

#include "engine_settings.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include "bannerprobe.skel.h"

/*
 * Bytes of all ring buffers together, but of each at least so many: some 4,800
 * and 1,200 records. The reader has them in its memory.
 */
#define RINGS_SIZE (1U << 20)
#define RING_SIZE_LEAST (256U << 10)

/*
 * As many ring buffers as CPUs are online, rounded down to a power of two. CPUs
 * that come later share them.
 */
static unsigned int ring_count(void)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int count = 1;

	while (count < RINGS_MAX && (long)count * 2 <= cpus)
		count *= 2;
	return count;
}

static struct bpf_map *ring_map(const struct bannerprobe_bpf *bpf,
				unsigned int ring)
{
	struct bpf_map *const maps[RINGS_MAX] = {
		bpf->maps.records_0, bpf->maps.records_1, bpf->maps.records_2,
		bpf->maps.records_3, bpf->maps.records_4, bpf->maps.records_5,
		bpf->maps.records_6, bpf->maps.records_7,
	};

	return maps[ring];
}

/* A ring buffer that is not used takes a page. */
void ring_maps_size(struct bannerprobe_bpf *bpf)
{
	const unsigned int count = ring_count();
	const __u32 even = RINGS_SIZE / count, page = (__u32)getpagesize();
	const __u32 size = even > RING_SIZE_LEAST ? even : RING_SIZE_LEAST;

	bpf->rodata->ring_mask = count - 1;
	for (unsigned int i = 0; i < RINGS_MAX; i++)
		bpf_map__set_max_entries(ring_map(bpf, i),
					 i < count ? size : page);
}

unsigned int ring_maps(const struct bannerprobe_bpf *bpf, int maps[RINGS_MAX])
{
	for (unsigned int i = 0; i <= bpf->rodata->ring_mask; i++)
		maps[i] = bpf_map__fd(ring_map(bpf, i));
	return bpf->rodata->ring_mask + 1;
}
