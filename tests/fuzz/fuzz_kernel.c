/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes both backends of the core (backends.h): packets (steps.h), each
 * through one of the loaded BPF programs and through the engine in user space.
 * All results must be the same. The input's size chooses the options. Needs
 * root: without it, exits with 3 and a message.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "system/clock.h"
#include "system/message.h"
#include "options/options.h"
#include "attach/programs.h"
#include "kernel/backends.h"
#include "bannerprobe.skel.h"
#include "steps.h"
#include "unit/wrap.h"

#define MAX_FLOWS 16 /* two buckets, which overflow soon */
#define LENGTH 64
#define STEPS_MOST 250 /* so few that no LRU map gets full, and forgets */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first chunk only; all that may be asked of it; and every event. */
static struct backends plain, gathering, asking;

static void load(struct backends *backends, const struct track_options *track)
{
	struct bannerprobe_bpf *bpf =
		programs_load(PROGRAMS_ALL, LENGTH, MAX_FLOWS, track, NULL);

	if (!bpf)
		exit(EXIT_ATTACH);
	if (!backends_open(backends, bpf, LENGTH, MAX_FLOWS))
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct track_options all = { .times = true,
				     .rtt = true,
				     .gather = LENGTH };

	(void)argc;
	(void)argv;
	message_libbpf(getenv("VERBOSE"));
	load(&plain, NULL);
	wrap_track(&all);
	load(&gathering, &all);
	all.events = EVENTS_ALL;
	load(&asking, &all);
	return 0;
}

/*
 * Ends with a difference. The kernel has a clock of its own: where the host
 * lets this process wait, a SYN that comes again is a retransmission there and
 * none for the native core, so such an input shows nothing. False: go on with
 * the next one.
 */
static bool require_same(const char *difference, __u64 begun)
{
	if (!difference)
		return true;
	if (monotonic_ns() - begun >= RETRANSMISSION_NS)
		return false;
	fprintf(stderr, "%s\n", difference);
	abort();
}

static const struct bpf_program *program_of(const struct bannerprobe_bpf *bpf,
					    const struct fuzz_step *step)
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

static const char *feed(struct backends *backends, const struct fuzz_step *step,
			__u64 now)
{
	const struct delivery delivery = {
		.program = program_of(backends->bpf, step),
		.data = step->data,
		.len = step->len,
		.linear = step->hook == 3 ? FRAME_MIN + 8U * step->split : 0,
		.raw_ip = step->raw_ip,
		.now = now,
	};
	const bool is_xdp =
		delivery.program == backends->bpf->progs.bannerprobe_xdp;
	const size_t least = is_xdp ? FRAME_MIN : TC_FRAME_MIN;

	return step->len >= least && step->len <= FRAME_MAX ?
		       backends_feed(backends, &delivery) :
		       NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct steps steps = { data, size };
	struct backends *backends = size & 4 ? &asking :
				    size & 1 ? &gathering :
					       &plain;
	const __u64 begun = monotonic_ns();
	struct fuzz_step step;

	backends_clear(backends);
	for (__u64 i = 0; i < STEPS_MOST && steps_next(&steps, &step); i++) {
		if (!require_same(feed(backends, &step, 1000 + i), begun))
			return 0;
	}
	require_same(backends_compare_counters(backends), begun);
	return 0;
}
