/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "native.h"

#include "flowtable.h"
#include "wanted.h"

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

bool native_open(struct native *native, __u32 max_flows, __u32 length,
		 void (*log)(const struct record *record, void *context),
		 void *context)
{
	const __u32 buckets = pending_buckets(max_flows);
	const __u32 words = pending_words(buckets);

	*native = (struct native){
		.buckets = calloc(buckets, sizeof(struct pending_bucket)),
		.entries = calloc(buckets, sizeof(struct pending_entries)),
		.bucket_count = buckets,
		.front = { .words = calloc(words, sizeof(__u64)),
			   .secrets = native->hash_secrets,
			   .mask = words - 1 },
		.flows = flow_table_new(pending_spilled(max_flows)),
		.record = calloc(1, sizeof(struct record) + BANNER_MAX),
		.length = length,
		.log = log,
		.context = context,
	};
	hash_randomize(native->hash_secrets);
	return native->buckets && native->entries && native->front.words &&
	       native->flows && native->record;
}

void native_close(struct native *native)
{
	flow_table_free(native->flows);
	free(native->front.words);
	free(native->entries);
	free(native->buckets);
	free(native->record);
}

/* The banner's bytes as far as they were captured, up to the limit. */
static void log_banner(struct native *native, const struct frame *frame,
		       const struct sighting *sighting, __u64 now)
{
	struct record *record = native->record;
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
static bool server_is_wanted(const struct native *native,
			     const struct segment *segment)
{
	const struct server server = server_of_segment(segment);

	return !native->wanted ||
	       wanted_has(native->wanted, &server, segment->family);
}

static struct pending_place place_of(struct native *native, __u64 hash)
{
	const __u32 words = (native->front.mask + 1) / native->bucket_count;
	const __u32 index = front_index(&native->front, hash) / words;

	return (struct pending_place){ .bucket = &native->buckets[index],
				       .entries = &native->entries[index],
				       .front = native->front,
				       .first_word = index * words,
				       .word_mask = words - 1 };
}

/* As in the BPF programs, without a lock. */
static void make_room(struct native *native, const struct pending_place *place,
		      const struct sighting *sighting)
{
	const struct flow none = {};
	struct flow *entry;
	__u64 id;
	int way;

	if (!pending_is_crowded(place->bucket) ||
	    (sighting->segment.flags & TCP_ACK && sighting->way >= 0))
		return;
	way = pending_victim(place->bucket, VICTIM_COMPLETE, -1);
	id = place->entries->ways[way].id;
	flow_table_put(native->flows, id, &none);
	entry = flow_table_find(native->flows, id);
	if (entry)
		pending_spill(place, id, entry);
}

/* See find_and_lock() of the BPF programs. */
static bool find(struct native *native, const struct pending_place *place,
		 struct sighting *sighting, struct flow **known)
{
	const __u8 mark = pending_mark(place, sighting->hash);
	const bool opens = segment_opens(&sighting->segment);

	*known = NULL;
	sighting->way = pending_find(place, sighting->hash, sighting->id);
	if (opens)
		make_room(native, place, sighting);
	/* Making room may have moved it. */
	sighting->way = pending_find(place, sighting->hash, sighting->id);
	if (sighting->way >= 0)
		return true;
	if (spilled_with(place->bucket, mark))
		*known = flow_table_find(native->flows, sighting->id);
	return *known || opens;
}

static void look_up_destination(const struct native *native,
				struct sighting *sighting)
{
	const struct segment *segment = &sighting->segment;

	sighting->to_own =
		native->is_own && native->is_own(segment->destination,
						 segment->family) ?
			OWN_YES :
			OWN_NO;
}

static void track_flow(struct native *native, const struct frame *frame,
		       struct sighting *sighting, __u64 now)
{
	const struct pending_place place = place_of(native, sighting->hash);
	struct verdict *verdict = &sighting->verdict;
	struct flow *known;
	bool timed;

	if (!find(native, &place, sighting, &known))
		return;
	/* The hooks do not ask what time it is, either. */
	timed = segment_needs_time(&sighting->segment, &native->track);
	pending_track(&place, known, sighting, timed ? now : 0, &native->track);
	if (verdict->asks) {
		look_up_destination(native, sighting);
		pending_track(&place, known, sighting, timed ? now : 0,
			      &native->track);
	}
	if (verdict_asks_for_server(verdict) &&
	    !server_is_wanted(native, &sighting->segment))
		verdict_pass_over(verdict);
	count_verdict(native->counters, verdict);
	if (verdict_is_logged(verdict))
		log_banner(native, frame, sighting, now);
}

void native_packet(struct native *native, enum parse_result parsed,
		   const struct frame *frame, const struct segment *segment,
		   __u64 now)
{
	struct sighting sighting;

	count_in(native->counters, parse_counter(parsed));
	if (parsed != PARSED)
		return;
	sighting.hash = connection_hash(segment, native->track.key_vlan,
					native->hash_secrets);
	if (!segment_may_matter(segment, sighting.hash, &native->front))
		return;
	if (segment_opens(segment) &&
	    !front_may_have(&native->front, sighting.hash) &&
	    !server_is_wanted(native, segment)) {
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

static void each_flow(const struct native *native,
		      void (*each)(const struct flow *flow, void *context),
		      void *context)
{
	for (__u32 i = 0; i < native->bucket_count; i++) {
		for (int way = 0; way < PENDING_WAYS; way++) {
			if (entry_is_flow(&native->entries[i].ways[way]))
				each(&native->entries[i].ways[way].flow,
				     context);
		}
	}
	flow_table_each(native->flows, each, context);
}

static void count_open(const struct flow *flow, void *context)
{
	*(__u64 *)context += flow_is_pending(flow);
}

void native_read_counters(const struct native *native,
			  __u64 counters[COUNTER_MAX])
{
	memcpy(counters, native->counters, sizeof(native->counters));
	each_flow(native, count_open, &counters[COUNT_OPEN]);
	count_evicted(counters);
}

static void count_unfinished(const struct flow *flow, void *context)
{
	if (flow_is_pending(flow))
		count_in(((struct native *)context)->counters,
			 cut_outcome(flow));
}

void native_finish(struct native *native)
{
	each_flow(native, count_unfinished, native);
	memset(native->buckets, 0,
	       native->bucket_count * sizeof(*native->buckets));
	memset(native->entries, 0,
	       native->bucket_count * sizeof(*native->entries));
	memset(native->front.words, 0,
	       (native->front.mask + 1ULL) * sizeof(*native->front.words));
	flow_table_clear(native->flows);
	count_evicted(native->counters);
}
