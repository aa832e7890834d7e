/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "packet_batch.h"

#include "capture/link_layer.h"
#include "prefilter.h"

static void parse(const struct packet_batch *batch, struct batched *one)
{
	const struct captured_packet *packet = &one->packet;

	one->parsed = link_layer_parse(
		packet->interface->link_type, packet->is_swapped, &one->frame,
		&batch->engine->track.decap, &one->segment);
}

/* Packets that open or close a connection need its bucket in any case. */
static void parse_early(const struct packet_batch *batch, struct batched *one)
{
	const struct engine *engine = batch->engine;

	parse(batch, one);
	one->has_hash = one->parsed == PARSED;
	if (!one->has_hash)
		return;
	one->hash = connection_hash(&one->segment, engine->track.key,
				    engine->prefilter.secrets);
	engine_prefetch_bucket(engine, one->hash);
}

void packet_batch_add(struct packet_batch *batch,
		      const struct captured_packet *packet)
{
	struct batched *one = &batch->packets[batch->count++];
	enum parse_result result;

	one->packet = *packet;
	one->frame = (struct frame){
		.data = packet->bytes,
		.end = packet->bytes + packet->len,
		.wire_len = packet->wire_len,
	};
	result = link_layer_walk(packet->interface->link_type, &one->frame,
				 &one->segment);
	one->is_plain = result == PARSED;
	one->is_ignored = result == PARSE_NOT_TCP;
	one->has_hash = false;
	if (one->is_plain) {
		one->hash = flow_hash(&one->segment,
				      batch->engine->prefilter.secrets);
	} else if (!one->is_ignored) {
		parse_early(batch, one);
	}
}

void packet_batch_prefetch(struct packet_batch *batch)
{
	for (unsigned int i = 0; i < batch->count; i++) {
		if (batch->packets[i].has_hash)
			engine_prefetch_entry(batch->engine,
					      batch->packets[i].hash);
	}
}

bool packet_batch_matters(struct packet_batch *batch, struct batched *one)
{
	if (!one->is_plain)
		return !one->is_ignored;
	if (!prefilter_may_have(&batch->engine->prefilter, one->hash))
		return false;
	parse(batch, one);
	return true;
}
