/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "native.h"

#include "flowtable.h"

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

	*native = (struct native){
		.buckets = calloc(buckets, sizeof(struct pending_bucket)),
		.bucket_count = buckets,
		.flows = flow_table_new(max_flows),
		.record = calloc(1, sizeof(struct record) + BANNER_MAX),
		.length = length,
		.log = log,
		.context = context,
	};
	hash_randomize(native->hash_secrets);
	return native->buckets && native->flows && native->record;
}

void native_close(struct native *native)
{
	flow_table_free(native->flows);
	free(native->buckets);
	free(native->record);
}

static void count(struct native *native, enum counter counter)
{
	if (counter != COUNT_NOTHING)
		native->counters[counter]++;
}

/* The banner's bytes as far as they were captured, up to the limit. */
static void log_banner(struct native *native, const struct frame *frame,
		       const struct segment *segment, const struct flow *flow,
		       __u32 skip, __u64 now)
{
	struct record *record = native->record;
	size_t captured = (size_t)(frame->end - frame->data);
	size_t offset = (size_t)segment->payload_offset + skip;
	size_t kept = offset < captured ? captured - offset : 0;

	describe_banner(record, flow, segment, skip, now);
	if (kept > record->len)
		kept = record->len;
	if (kept > native->length)
		kept = native->length;
	record->kept = (__u32)kept;
	if (kept)
		memcpy(record->banner, frame->data + offset, kept);
	native->log(record, native->context);
}

/* From its bucket to the LRU table, as depart() of the BPF programs. */
static void depart(struct native *native, struct pending_bucket *bucket,
		   __u64 id, __u64 now)
{
	const struct flow none = {};

	if (!flow_table_find(native->flows, id))
		flow_table_put(native->flows, id, &none);
	pending_depart(bucket, id, flow_table_find(native->flows, id), now);
}

static void make_room(struct native *native, struct pending_bucket *bucket,
		      __u64 now)
{
	const struct pending_way *victim =
		&bucket->ways[pending_victim(bucket)];

	if (pending_must_spill(victim))
		depart(native, bucket, victim->id, now);
}

/* See find_and_lock() of the BPF programs; there is nobody to share with. */
static bool find(struct native *native, struct pending_bucket *bucket,
		 const struct sighting *sighting, struct flow **known,
		 __u64 now)
{
	const bool opens = segment_opens(&sighting->segment);
	const bool closes = sighting->segment.flags & (TCP_FIN | TCP_RST);

	*known = NULL;
	if (pending_find(bucket, sighting->id) >= 0)
		return true;
	if (!opens && !closes && !bucket->spill_time)
		return false;
	if (opens)
		make_room(native, bucket, now);
	*known = flow_table_find(native->flows, sighting->id);
	if (opens || *known)
		return true;
	pending_give_up(bucket, now);
	return false;
}

static void track_flow(struct native *native, const struct frame *frame,
		       struct sighting *sighting, struct pending_bucket *bucket,
		       __u64 now)
{
	const struct verdict *verdict = &sighting->verdict;
	struct flow *known;

	if (!find(native, bucket, sighting, &known, now))
		return;
	pending_track(bucket, known, sighting, now);
	if (pending_must_retire(sighting, known))
		depart(native, bucket, sighting->id, now);
	count(native, verdict->began);
	count(native, verdict->ended);
	count(native, verdict->outcome);
	count(native, verdict->ignored);
	if (verdict->outcome == COUNT_BANNER)
		log_banner(native, frame, &sighting->segment, &sighting->flow,
			   verdict->skip, now);
}

static void see(struct native *native, const struct frame *frame,
		const struct segment *segment, __u64 now)
{
	struct pending_bucket *bucket;
	struct sighting sighting;
	int sender;
	__u64 id = flow_identify(segment, native->hash_secrets, &sender);

	bucket = &native->buckets[pending_index(id, native->bucket_count)];
	if (sender < 0)
		return;
	/* Nearly all packets leave here. */
	if (!(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
	    !pending_has_tag(bucket, id) && !bucket->spill_time)
		return;
	sighting.segment = *segment;
	sighting.id = id;
	sighting.sender = sender;
	track_flow(native, frame, &sighting, bucket, now);
}

void native_packet(struct native *native, enum parse_result parsed,
		   const struct frame *frame, const struct segment *segment,
		   __u64 now)
{
	switch (parsed) {
	case PARSED:
		see(native, frame, segment, now);
		break;
	case PARSE_FRAGMENT:
		count(native, COUNT_FRAGMENTS);
		break;
	case PARSE_MALFORMED:
		count(native, COUNT_MALFORMED);
		break;
	case PARSE_CUT:
		count(native, COUNT_CUT);
		break;
	case PARSE_NOT_TCP:
		break;
	}
}

static void count_unfinished(const struct flow *flow, void *context)
{
	if (flow_is_pending(flow))
		count(context, unfinished_outcome(flow));
}

void native_finish(struct native *native)
{
	const size_t size =
		native->bucket_count * sizeof(struct pending_bucket);

	for (__u32 i = 0; i < native->bucket_count; i++) {
		for (int way = 0; way < PENDING_WAYS; way++)
			count_unfinished(&native->buckets[i].ways[way].flow,
					 native);
	}
	memset(native->buckets, 0, size);
	flow_table_clear(native->flows, count_unfinished, native);
	count_evicted(native->counters);
}
