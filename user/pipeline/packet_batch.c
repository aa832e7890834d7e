/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "packet_batch.h"

#include "capture/link_layer.h"
#include "engine/prefetch.h"

#include <stdlib.h>
#include <string.h>

bool packet_batch_open(struct packet_batch *batch, struct engine *engine)
{
	batch->engine = engine;
	/* Of a batch that is not full, another packet has room. */
	batch->copies = malloc(2 * CAPTURED_MAX);
	return batch->copies;
}

void packet_batch_close(struct packet_batch *batch)
{
	free(batch->copies);
}

/* Whether a packet opens or closes a connection: the prefilter is not asked. */
static bool is_turn(const struct batched *one)
{
	return one->segment.flags & (TCP_SYN | TCP_FIN | TCP_RST);
}

static bool is_mapped(const struct captured_packet *packet)
{
	return packet->head != packet->bytes;
}

/* Parses a packet by its first bytes. False: they are not enough. */
static bool parse_head(const struct packet_batch *batch, struct batched *one,
		       const struct captured_packet *packet)
{
	const struct frame head = { .data = packet->head,
				    .end = packet->head + packet->head_len,
				    .wire_len = packet->wire_len };

	return link_layer_parse_head(packet->interface->link_type, &head,
				     &batch->engine->settings.track.decap,
				     &one->segment, &one->parsed);
}

/*
 * Parses a packet that nobody changes. If it is mapped, that is a copy of all
 * its bytes.
 */
static void parse_whole(struct packet_batch *batch, struct batched *one,
			const struct captured_packet *packet)
{
	const __u8 *bytes = packet->head;

	if (is_mapped(packet)) {
		bytes = memcpy(batch->copies + batch->used, packet->bytes,
			       packet->len);
		batch->used += packet->len;
		FORGET_MEMORY();
	}
	one->frame = (struct frame){ .data = bytes,
				     .end = bytes + packet->len,
				     .wire_len = packet->wire_len };
	one->parsed = link_layer_parse(
		packet->interface->link_type, packet->is_swapped, &one->frame,
		&batch->engine->settings.track.decap, &one->segment);
}

/* Parses a packet that is not plain. */
static __attribute__((noinline)) void
parse_other(struct packet_batch *batch, struct batched *one,
	    const struct captured_packet *packet)
{
	if (!is_mapped(packet) || !parse_head(batch, one, packet))
		parse_whole(batch, one, packet);
}

void packet_batch_add(struct packet_batch *batch,
		      const struct captured_packet *packet)
{
	struct batched *one = &batch->packets[batch->count++];
	const struct engine *engine = batch->engine;

	/* Field by field, as they were written: that is faster. */
	one->time = packet->time;
	one->interface = packet->interface;
	one->end = packet->end;
	one->frame = (struct frame){ .data = packet->bytes,
				     .end = packet->bytes + packet->len,
				     .wire_len = packet->wire_len };
	one->parsed = PARSED;
	if (!link_layer_parse_plain(packet->interface->link_type, packet->head,
				    packet->head_len, packet->wire_len,
				    &one->segment))
		parse_other(batch, one, packet);
	if (one->parsed != PARSED)
		return;
	one->hash = connection_hash(&one->segment, engine->settings.track.key,
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
