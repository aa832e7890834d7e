/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "native.h"

#include "flowtable.h"

#include <stdlib.h>
#include <string.h>

bool native_open(struct native *native, __u32 max_flows, __u32 length,
		 void (*log)(const struct record *record, void *context),
		 void *context)
{
	*native = (struct native){
		.table = flow_table_new(max_flows),
		.record = calloc(1, sizeof(struct record) + BANNER_MAX),
		.length = length,
		.log = log,
		.context = context,
	};
	return native->table && native->record;
}

void native_close(struct native *native)
{
	flow_table_free(native->table);
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

/* The connection's state, made where the segment can begin one; or NULL. */
static struct flow *flow_of(struct native *native, const struct flow_key *key,
			    const struct segment *segment)
{
	struct flow *flow = flow_table_find(native->table, key), evicted;

	if (flow || !segment_opens(segment))
		return flow;
	flow = flow_table_add(native->table, key, &evicted);
	if (!flow)
		count(native, COUNT_LOST_TABLE);
	else if (flow_is_pending(&evicted))
		count(native, COUNT_EVICTED);
	return flow;
}

static void track_segment(struct native *native, const struct frame *frame,
			  const struct segment *segment, __u64 now)
{
	struct flow_key key;
	int sender = flow_key_of(segment, &key);
	struct flow *flow = sender < 0 ? NULL : flow_of(native, &key, segment);
	struct verdict verdict;

	if (!flow)
		return;
	verdict = track(flow, segment, sender, now);
	count(native, verdict.began);
	count(native, verdict.ended);
	count(native, verdict.outcome);
	count(native, verdict.ignored);
	if (verdict.outcome == COUNT_BANNER)
		log_banner(native, frame, segment, flow, verdict.skip, now);
}

void native_packet(struct native *native, enum parse_result parsed,
		   const struct frame *frame, const struct segment *segment,
		   __u64 now)
{
	switch (parsed) {
	case PARSED:
		track_segment(native, frame, segment, now);
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
	flow_table_clear(native->table, count_unfinished, native);
}
