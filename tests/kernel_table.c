/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kernel_table.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "bannerprobe.skel.h"

struct front kernel_front(const struct bannerprobe_bpf *bpf)
{
	return (struct front){ bpf->bss->front_words, bpf->rodata->hash_secrets,
			       bpf->rodata->front_mask };
}

bool kernel_entries(const struct bannerprobe_bpf *bpf, __u64 hash,
		    struct pending_entries *entries)
{
	const struct front front = kernel_front(bpf);
	__u32 index = front_index(&front, hash) >> bpf->rodata->words_shift;

	return !bpf_map_lookup_elem(bpf_map__fd(bpf->maps.entries), &index,
				    entries);
}

void kernel_table_clear(const struct bannerprobe_bpf *bpf)
{
	static const struct pending_bucket no_bucket;
	static const struct pending_entries no_entries;
	const int flows = bpf_map__fd(bpf->maps.flows);
	const __u32 words = bpf->rodata->front_mask + 1;
	__u64 id;

	while (!bpf_map_get_next_key(flows, NULL, &id))
		bpf_map_delete_elem(flows, &id);
	for (__u32 i = 0; i < words >> bpf->rodata->words_shift; i++) {
		bpf_map_update_elem(bpf_map__fd(bpf->maps.buckets), &i,
				    &no_bucket, BPF_ANY);
		bpf_map_update_elem(bpf_map__fd(bpf->maps.entries), &i,
				    &no_entries, BPF_ANY);
	}
	memset(bpf->bss->front_words, 0, words * sizeof(__u64));
}
