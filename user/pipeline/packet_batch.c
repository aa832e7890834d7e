/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "packet_batch.h"

#include "capture/link_layer.h"
#include "engine/prefetch.h"

/* Whether a packet opens or closes a connection: the prefilter is not asked. */
static bool is_turn(const struct batched *one)
{
	return one->segment.flags & (TCP_SYN | TCP_FIN | TCP_RST);
}

void packet_batch_add(struct packet_batch *batch,
		      const struct captured_packet *packet)
{
	struct batched *one = &batch->packets[batch->count++];
	const struct engine *engine = batch->engine;

	/* Field by field, as they were written: that is faster. */
	one->time = packet->time;
	one->interface = packet->interface;
	one->frame = (struct frame){
		.data = packet->bytes,
		.end = packet->bytes + packet->len,
		.wire_len = packet->wire_len,
	};
	one->parsed = link_layer_parse(packet->interface->link_type,
				       packet->is_swapped, &one->frame,
				       &engine->track.decap, &one->segment);
	if (one->parsed != PARSED)
		return;
	one->hash = connection_hash(&one->segment, engine->track.key,
				    engine->prefilter.secrets);
	engine_prefetch_bit(engine, one->hash);
	if (is_turn(one))
		engine_prefetch_bucket(engine, one->hash);
}

void packet_batch_prefetch(struct packet_batch *batch)
{
	const struct engine *engine = batch->engine;

	for (unsigned int i = 0; i < batch->count; i++) {
		struct batched *one = &batch->packets[i];

		one->is_prefetched = one->parsed == PARSED &&
				     packet_batch_matters(batch, one);
		if (one->is_prefetched && !is_turn(one))
			engine_prefetch_bucket(engine, one->hash);
	}
	for (unsigned int i = 0; i < batch->count; i++) {
		if (batch->packets[i].is_prefetched)
			engine_prefetch_entry(engine, batch->packets[i].hash);
	}
}
