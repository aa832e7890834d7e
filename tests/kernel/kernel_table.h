/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A look at the table that the loaded BPF programs keep. */
#ifndef BANNERPROBE_TESTS_KERNEL_TABLE_H
#define BANNERPROBE_TESTS_KERNEL_TABLE_H

#include "attach/rings.h"
#include "flow_table.h"

struct bannerprobe_bpf;

/* Opens the ring buffers that events come through; NULL: failed. */
struct rings *kernel_rings(const struct bannerprobe_bpf *bpf,
			   ring_handler *handler, void *context);

struct prefilter kernel_front(const struct bannerprobe_bpf *bpf);

/* The index of a connection's bucket. */
__u32 kernel_bucket(const struct bannerprobe_bpf *bpf, __u64 hash);

/* Reads the bucket of a connection. False on failure. */
bool kernel_read_bucket(const struct bannerprobe_bpf *bpf, __u64 hash,
			struct bucket *bucket);

/* Forgets all connections. Nothing may run meanwhile. */
void kernel_table_clear(const struct bannerprobe_bpf *bpf);

#endif
