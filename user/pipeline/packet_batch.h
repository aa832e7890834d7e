/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A batch of a capture's packets. The places of the flow table that they need
 * are prefetched into the CPU's cache before the first one is tracked.
 */
#ifndef BANNERPROBE_PACKET_BATCH_H
#define BANNERPROBE_PACKET_BATCH_H

#include "capture/packet_reader.h"
#include "engine/packet_engine.h"
#include "layers.h"

#define BATCH_MAX 16

struct batched {
	struct captured_packet packet;
	struct frame frame;
	enum parse_result parsed; /* if `is_plain` is false */
	bool is_ignored;	  /* neither TCP nor counted */
	bool is_plain; /* TCP data: the prefilter decides by `hash` */
	bool has_hash; /* is not plain, and its bucket is prefetched */
	__u64 hash;
	struct segment segment;
};

struct packet_batch {
	struct engine *engine;
	unsigned int count;
	struct batched packets[BATCH_MAX];
};

/* Adds a packet. Its bytes are not copied. The batch must have room. */
void packet_batch_add(struct packet_batch *batch,
		      const struct captured_packet *packet);

/* Prefetches the packets' entries, once the batch is complete. */
void packet_batch_prefetch(struct packet_batch *batch);

/*
 * Whether engine_packet() has to track a packet, with its frame and segment. To
 * be called after the packet before has been tracked, which may change the
 * answer.
 */
bool packet_batch_matters(struct packet_batch *batch, struct batched *one);

#endif
