/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes both homes of the core (homes.h): packets (steps.h), each through one
 * of the loaded BPF programs and through the native core, and all that comes of
 * it must be the same. Needs root: without, exits with 3 and says so.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../user/message.h"
#include "../../user/options.h"
#include "../../user/programs.h"
#include "../homes.h"
#include "bannerprobe.skel.h"
#include "steps.h"

#define MAX_FLOWS 16 /* two buckets: they spill, and are soon cleared */
#define LENGTH 64
#define STEPS_MOST 250 /* so few that no LRU map gets full, and forgets */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bannerprobe_bpf *bpf;
static struct homes homes;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	message_libbpf(getenv("VERBOSE"));
	bpf = programs_load(PROGRAMS_ALL, LENGTH, MAX_FLOWS, NULL, NULL);
	if (!bpf)
		exit(EXIT_ATTACH);
	if (!homes_open(&homes, bpf, LENGTH, MAX_FLOWS))
		abort();
	return 0;
}

static void require_same(const char *difference)
{
	if (!difference)
		return;
	fprintf(stderr, "%s\n", difference);
	abort();
}

static const struct bpf_program *program_of(const struct fuzz_step *step)
{
	if (step->raw_ip)
		return step->hook & 1 ? bpf->progs.bannerprobe_txi :
					bpf->progs.bannerprobe_rxi;
	switch (step->hook) {
	case 0:
		return bpf->progs.bannerprobe_rx;
	case 1:
		return bpf->progs.bannerprobe_tx;
	default: /* whole, or in two buffers */
		return bpf->progs.bannerprobe_xdp;
	}
}

static void feed(const struct fuzz_step *step, __u64 now)
{
	const struct delivery delivery = {
		.program = program_of(step),
		.data = step->data,
		.len = step->len,
		.linear = step->hook == 3 ? FRAME_MIN + 8U * step->split : 0,
		.raw_ip = step->raw_ip,
		.now = now,
	};
	const size_t least = delivery.program == bpf->progs.bannerprobe_xdp ?
				     FRAME_MIN :
				     TC_FRAME_MIN;

	if (step->len >= least && step->len <= FRAME_MAX)
		require_same(homes_feed(&homes, &delivery));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct steps steps = { data, size };
	struct fuzz_step step;

	homes_clear(&homes);
	for (__u64 i = 0; i < STEPS_MOST && steps_next(&steps, &step); i++)
		feed(&step, 1000 + i);
	require_same(homes_compare_counters(&homes));
	return 0;
}
