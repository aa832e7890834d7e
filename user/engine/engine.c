/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "engine.h"

#include "overflow.h"
#include "server_list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void hash_randomize(__u64 secrets[HASH_SECRETS])
{
	const ssize_t size = HASH_SECRETS * sizeof(*secrets);

	if (getrandom(secrets, (size_t)size, 0) != size)
		abort(); /* cannot happen after boot, for so few bytes */
	for (int i = 0; i < HASH_SECRETS; i++)
		secrets[i] |= 1;
}

bool engine_open(struct engine *native, __u32 max_flows, __u32 length,
		 void (*log)(const struct event *record, void *context),
		 void *context)
{
	const __u32 buckets = table_buckets(max_flows);
	const __u32 words = table_words(buckets);

	*native = (struct engine){
		.buckets = calloc(buckets, sizeof(struct bucket)),
		.entries = calloc(buckets, sizeof(struct bucket_entries)),
		.bucket_count = buckets,
		.prefilter = { .words = calloc(words, sizeof(__u64)),
			   .secrets = native->hash_secrets,
			   .mask = words - 1 },
		.flows = overflow_new(table_spilled(max_flows)),
		.record = calloc(1, sizeof(struct event) + BANNER_MAX),
		.length = length,
		.log = log,
		.context = context,
	};
	hash_randomize(native->hash_secrets);
	return native->buckets && native->entries && native->prefilter.words &&
	       native->flows && native->record;
}

void engine_close(struct engine *native)
{
	overflow_free(native->flows);
	free(native->prefilter.words);
	free(native->entries);
	free(native->buckets);
	free(native->record);
}

/* The banner's bytes as far as they were captured, up to the limit. */
static void log_banner(struct engine *native, const struct frame *frame,
		       const struct sighting *sighting, __u64 now)
{
	struct event *record = native->record;
	const struct verdict *verdict = &sighting->verdict;
	const __u32 offset = sighting->segment.payload_offset + verdict->skip;

	describe_banner(record, &sighting->flow, &sighting->segment, frame,
			verdict, now);
	record->connection = sighting->id;
	record->kept =
		bytes_to_keep((__u32)(frame->end - frame->data), offset,
			      record->len, native->length - verdict->offset);
	if (record->kept)
		memcpy(record->banner, frame->data + offset, record->kept);
	native->log(record, native->context);
}

/* As in the BPF programs. */
static bool server_matches(const struct engine *native,
			     const struct segment *segment)
{
	const struct server server = server_of_segment(segment);

	return !native->wanted ||
	       server_list_has(native->wanted, &server, segment->family);
}

static struct table_place place_of(struct engine *native, __u64 hash)
{
	const __u32 words = (native->prefilter.mask + 1) / native->bucket_count;
	const __u32 index = prefilter_index(&native->prefilter, hash) / words;

	return (struct table_place){ .bucket = &native->buckets[index],
				       .entries = &native->entries[index],
				       .prefilter = native->prefilter,
				       .first_word = index * words,
				       .word_mask = words - 1 };
}

/* As in the BPF programs, without a lock. */
static void make_room(struct engine *native, const struct table_place *place,
		      const struct sighting *sighting)
{
	const struct flow none = {};
	struct flow *entry;
	__u64 id;
	int way;

	if (!table_is_crowded(place->bucket) ||
	    (sighting->segment.flags & TCP_ACK && sighting->way >= 0))
		return;
	way = table_victim(place->bucket, VICTIM_COMPLETE, 0);
	id = place->entries->ways[way].id;
	overflow_put(native->flows, id, &none);
	entry = overflow_find(native->flows, id);
	if (entry)
		table_spill(place, way, id, entry);
}

/* See find_and_lock() of the BPF programs. */
static bool find(struct engine *native, const struct table_place *place,
		 struct sighting *sighting, struct flow **known)
{
	const __u16 mark = table_mark(place, sighting->hash);
	const bool opens = segment_opens(&sighting->segment);

	*known = NULL;
	sighting->way = table_find(place, sighting->hash, sighting->id);
	if (opens)
		make_room(native, place, sighting);
	/* Making room may have moved it. */
	sighting->way = table_find(place, sighting->hash, sighting->id);
	if (sighting->way >= 0)
		return true;
	if (spilled_with(place->bucket, mark))
		*known = overflow_find(native->flows, sighting->id);
	return *known || opens;
}

static void look_up_destination(const struct engine *native,
				struct sighting *sighting)
{
	const struct segment *segment = &sighting->segment;

	sighting->to_own =
		native->is_own && native->is_own(segment->destination,
						 segment->family) ?
			OWN_YES :
			OWN_NO;
}

static void track_flow(struct engine *native, const struct frame *frame,
		       struct sighting *sighting, __u64 now)
{
	const struct table_place place = place_of(native, sighting->hash);
	struct verdict *verdict = &sighting->verdict;
	struct flow *known;
	bool timed;

	if (!find(native, &place, sighting, &known))
		return;
	/* The hooks do not ask what time it is, either. */
	timed = segment_needs_time(&sighting->segment, &native->track);
	table_track(&place, known, sighting, timed ? now : 0, &native->track);
	if (verdict->asks) {
		look_up_destination(native, sighting);
		table_track(&place, known, sighting, timed ? now : 0,
			      &native->track);
	}
	if (verdict_asks_for_server(verdict) &&
	    !server_matches(native, &sighting->segment))
		verdict_filter(verdict);
	count_verdict(native->counters, verdict);
	if (verdict_is_logged(verdict))
		log_banner(native, frame, sighting, now);
}

void engine_packet(struct engine *native, enum parse_result parsed,
		   const struct frame *frame, const struct segment *segment,
		   __u64 now)
{
	struct sighting sighting;

	count_in(native->counters, parse_counter(parsed));
	if (parsed != PARSED)
		return;
	sighting.hash = connection_hash(segment, native->track.key_vlan,
					native->hash_secrets);
	if (!segment_may_matter(segment, sighting.hash, &native->prefilter))
		return;
	if (segment_opens(segment) &&
	    !prefilter_may_have(&native->prefilter, sighting.hash) &&
	    !server_matches(native, segment)) {
		count_in(native->counters, COUNT_PASSED_OVER);
		return;
	}
	sighting.id = connection_id(segment, native->track.key_vlan,
				    native->hash_secrets, &sighting.sender);
	if (sighting.sender < 0)
		return;
	if (native->track.need != NEED_NONE && native->is_own &&
	    native->direction == DIRECTION_IN &&
	    native->is_own(segment->source, segment->family)) {
		count_in(native->counters, COUNT_NOT_SEEN_LEAVING);
		return;
	}
	sighting.to_own = OWN_UNKNOWN;
	sighting.segment = *segment;
	track_flow(native, frame, &sighting, now);
}

static void each_flow(const struct engine *native,
		      void (*each)(const struct flow *flow, void *context),
		      void *context)
{
	for (__u32 i = 0; i < native->bucket_count; i++) {
		for (int way = 0; way < BUCKET_WAYS; way++) {
			if (entry_is_flow(&native->entries[i].ways[way]))
				each(&native->entries[i].ways[way].flow,
				     context);
		}
	}
	overflow_each(native->flows, each, context);
}

static void count_open(const struct flow *flow, void *context)
{
	*(__u64 *)context += flow_is_pending(flow);
}

void engine_read_counters(const struct engine *native,
			  __u64 counters[COUNTER_MAX])
{
	memcpy(counters, native->counters, sizeof(native->counters));
	each_flow(native, count_open, &counters[COUNT_OPEN]);
	count_evicted(counters);
}

static void count_unfinished(const struct flow *flow, void *context)
{
	if (flow_is_pending(flow))
		count_in(((struct engine *)context)->counters,
			 cut_outcome(flow));
}

void engine_finish(struct engine *native)
{
	each_flow(native, count_unfinished, native);
	memset(native->buckets, 0,
	       native->bucket_count * sizeof(*native->buckets));
	memset(native->entries, 0,
	       native->bucket_count * sizeof(*native->entries));
	memset(native->prefilter.words, 0,
	       (native->prefilter.mask + 1ULL) * sizeof(*native->prefilter.words));
	overflow_clear(native->flows);
	count_evicted(native->counters);
}
