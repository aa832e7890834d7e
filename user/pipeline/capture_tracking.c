/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tracks the packets of a capture, and hands their events on. */
#include "capture_reader.h"

#include <string.h>

const char *capture_name_of(const struct capture_reader *reader)
{
	return strcmp(reader->file->path, "-") ? reader->file->path :
						 "standard input";
}

/*
 * Whether an event may be logged after other packets than its own: a greeting
 * that is gathered, or a request in a SYN.
 */
static bool notes_origins(const struct options *options)
{
	return options->gather_ms ||
	       options->track.events & EVENT_BIT(EVENT_REQUEST);
}

struct source capture_source_of(const struct event *event, void *context)
{
	const struct capture_reader *reader = context;
	struct origin origin;

	if (!notes_origins(reader->options))
		return (struct source){ .name = reader->file->path,
					.capture_iface =
						reader->interface->name };
	origin = origins_get(&reader->origins, event->ifindex);
	return (struct source){ .name = origin.path ? origin.path :
						      reader->file->path,
				.capture_iface = origin.interface };
}

/* The number by which such an event finds its file and interface. */
static __u32 origin_of_packet(struct capture_reader *reader)
{
	struct capture_interface *interface = reader->interface;

	if (!interface->origin)
		interface->origin = origins_add(
			&reader->origins, reader->file->path, interface->name);
	return interface->origin;
}

bool capture_wants_part(const struct event *event, void *context)
{
	const struct capture_reader *reader = context;

	return pipeline_wants_part(reader->pipeline, event);
}

/*
 * Whether the bytes that an event may have are in the file. Where a mapped file
 * has become shorter, zeros are read; so only bytes that end with a zero are
 * doubtful.
 */
bool capture_has_bytes(void *context)
{
	struct capture_reader *reader = context;
	struct byte_source *source = &reader->packet_reader.source;
	const struct batched *one = reader->packet;
	const struct segment *segment = &one->segment;
	const size_t at_hand = (size_t)(one->frame.end - one->frame.data);
	const __u32 limit = reader->engine.settings.limit;
	size_t end = segment->payload_offset;

	if (!source->is_mapped || !segment->payload_len)
		return true;
	end += segment->payload_len < limit ? segment->payload_len : limit;
	if (end > at_hand)
		end = at_hand;
	return (end && one->frame.data[end - 1]) ||
	       source_has(source, one->end);
}

void capture_note_place(struct event *event, void *context)
{
	struct capture_reader *reader = context;

	if (notes_origins(reader->options))
		event->ifindex = origin_of_packet(reader);
}

void capture_event(const struct event *event, void *context)
{
	struct capture_reader *reader = context;

	pipeline_take(reader->pipeline, event);
}

/* Drops packets that were found not to be in the file: they are the last. */
static void drop_lost(struct capture_reader *reader)
{
	struct packet_batch *batch = &reader->batch;
	const __u64 whole = reader->packet_reader.source.whole;

	/* Each ends behind the one before. */
	while (batch->count && batch->packets[batch->count - 1].end > whole) {
		batch->count--;
		reader->packet_reader.packets--;
	}
}

/* Tracks a packet that may matter. False: no sink can take more. */
static bool track_packet(struct capture_reader *reader, struct batched *one)
{
	reader->packet = one;
	reader->interface = one->interface;
	if (one->parsed == PARSE_LINK_TYPE)
		reader->unknown_link_type = one->interface->link_type;
	engine_packet(&reader->engine, one->parsed, &one->frame, &one->segment,
		      one->hash, one->time);
	/* Its bytes are not in the file, nor are those of later packets. */
	if (one->end > reader->packet_reader.source.whole)
		drop_lost(reader);
	return !pipeline_is_over(reader->pipeline);
}

bool capture_batch_track(struct capture_reader *reader)
{
	struct packet_batch *batch = &reader->batch;
	bool goes_on = !pipeline_is_over(reader->pipeline);

	drop_lost(reader);
	packet_batch_prefetch(batch);
	for (unsigned int i = 0; i < batch->count && goes_on; i++) {
		struct batched *one = &batch->packets[i];

		reader->packets++;
		reader->last_time = one->time;
		pipeline_expire(reader->pipeline, one->time);
		if (packet_batch_matters(batch, one))
			goes_on = track_packet(reader, one);
	}
	packet_batch_clear(batch);
	return goes_on;
}
