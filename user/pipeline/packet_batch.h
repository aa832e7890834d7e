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
#include "prefilter.h"

#define BATCH_MAX 32

struct batched {
	__u64 time; /* ns since 1970 */
	struct frame frame;
	struct capture_interface *interface;
	enum parse_result parsed;
	bool is_prefetched; /* its bucket; then its entry */
	__u64 hash;	    /* of the connection, where PARSED */
	__u64 end;	    /* offset in the file, behind it */
	struct segment segment;
};

struct packet_batch {
	struct engine *engine;
	__u8 *copies;	   /* of packets that are parsed to their end */
	unsigned int used; /* bytes of them */
	unsigned int count;
	struct batched packets[BATCH_MAX];
};

/* False: out of memory. */
bool packet_batch_open(struct packet_batch *batch, struct engine *engine);
void packet_batch_close(struct packet_batch *batch);

/*
 * Adds a packet. Its bytes are copied only where they may change and its first
 * ones do not tell what it is. The batch must not be full.
 */
void packet_batch_add(struct packet_batch *batch,
		      const struct captured_packet *packet);

static inline bool packet_batch_is_full(const struct packet_batch *batch)
{
	return batch->count == BATCH_MAX || batch->used > CAPTURED_MAX;
}

static inline void packet_batch_clear(struct packet_batch *batch)
{
	batch->count = batch->used = 0;
}

/* Prefetches the packets' entries, once the batch is complete. */
void packet_batch_prefetch(struct packet_batch *batch);

/*
 * Whether engine_packet() has to track a packet. To be called after the packet
 * before has been tracked, which may change the answer.
 */
static inline bool packet_batch_matters(const struct packet_batch *batch,
					const struct batched *one)
{
	if (one->parsed != PARSED)
		return one->parsed != PARSE_NOT_TCP && one->parsed != PARSE_UDP;
	return segment_may_matter(&one->segment, one->hash,
				  &batch->engine->prefilter);
}

#endif
