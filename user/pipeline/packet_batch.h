/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Some packets of a capture that are worked on together: what the later ones
 * will need of the flow table is fetched into the CPU's cache meanwhile.
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
	enum parse_result parsed; /* where it is not plain data */
	bool is_ignored;	  /* neither TCP nor anything to be counted */
	bool is_plain; /* data, which the prefilter judges by `hash` */
	bool has_hash;
	__u64 hash;
	struct segment segment;
};

struct packet_batch {
	struct engine *engine;
	unsigned int count;
	struct batched packets[BATCH_MAX];
};

/* Adds a packet, whose bytes stay where they are, to a batch that has room. */
void packet_batch_add(struct packet_batch *batch,
		      const struct captured_packet *packet);

/* All packets are there: fetches what can be told by now. */
void packet_batch_prefetch(struct packet_batch *batch);

/*
 * Whether a packet has to be tracked: then by engine_packet(), with what is in
 * it. To be asked in the order of the packets.
 */
bool packet_batch_matters(struct packet_batch *batch, struct batched *one);

#endif
