/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kernel_table.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "attach/ring_maps.h"
#include "engine_settings.h"
#include "bannerprobe.skel.h"

struct rings *kernel_rings(const struct bannerprobe_bpf *bpf,
			   ring_handler *handler, void *context)
{
	int maps[RINGS_MAX];

	return rings_open(maps, ring_maps(bpf, maps), handler, context);
}

struct prefilter kernel_front(const struct bannerprobe_bpf *bpf)
{
	return (struct prefilter){ bpf->bss->prefilter_words,
				   bpf->rodata->hash_secrets,
				   bpf->rodata->prefilter_mask };
}

__u32 kernel_bucket(const struct bannerprobe_bpf *bpf, __u64 hash)
{
	const struct prefilter prefilter = kernel_front(bpf);

	return prefilter_index(&prefilter, hash) >> bpf->rodata->words_shift;
}

bool kernel_read_bucket(const struct bannerprobe_bpf *bpf, __u64 hash,
			struct bucket *bucket)
{
	const __u32 index = kernel_bucket(bpf, hash);

	return !bpf_map_lookup_elem(bpf_map__fd(bpf->maps.buckets), &index,
				    bucket);
}

void kernel_table_clear(const struct bannerprobe_bpf *bpf)
{
	static const struct bucket no_bucket;
	const int flows = bpf_map__fd(bpf->maps.overflow);
	const int data = bpf_map__fd(bpf->maps.syn_data);
	const __u32 words = bpf->rodata->prefilter_mask + 1;
	__u64 id;

	while (!bpf_map_get_next_key(flows, NULL, &id))
		bpf_map_delete_elem(flows, &id);
	while (!bpf_map_get_next_key(data, NULL, &id))
		bpf_map_delete_elem(data, &id);
	for (__u32 i = 0; i < words >> bpf->rodata->words_shift; i++) {
		bpf_map_update_elem(bpf_map__fd(bpf->maps.buckets), &i,
				    &no_bucket, BPF_ANY);
	}
	memset(bpf->bss->prefilter_words, 0, words * sizeof(__u64));
}
