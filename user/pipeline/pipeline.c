/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pipeline.h"

#include "identifying.h"
#include "reassembly.h"
#include "seen_twice.h"
#include "sinks/ssh_line.h"
#include "unfinished.h"

#include <stdlib.h>

void pipeline_add(struct pipeline *pipeline, struct sink *sink)
{
	if (pipeline->count == SINKS_MAX)
		abort(); /* cannot happen: SINKS_MAX is enough for all kinds */
	pipeline->sinks[pipeline->count++] = sink;
}

void pipeline_put(const struct pipeline *pipeline, const struct event *event,
		  struct source *source)
{
	source->events = pipeline->events;
	source->identity =
		pipeline->identifying ? identifying_ask(pipeline, event) : NULL;
	for (int i = 0; i < pipeline->count; i++) {
		struct sink *sink = pipeline->sinks[i];

		sink->operations->put(sink, event, source);
	}
}

static void put(const struct event *event, void *context)
{
	const struct pipeline *pipeline = context;
	struct source source;

	if (pipeline->seen_twice && seen_twice_has(pipeline->seen_twice, event))
		return;
	source = pipeline->find_source(event, pipeline->context);
	pipeline_put(pipeline, event, &source);
}

static bool is_no_ssh_beginning(const __u8 *bytes, size_t len)
{
	return !ssh_is_incomplete(bytes, len);
}

bool pipeline_prepare(struct pipeline *pipeline, const struct options *options,
		      source_finder *find_source, void *context)
{
	pipeline->events = options->events;
	pipeline->limits_rate = options->log_rate;
	pipeline->find_source = find_source;
	pipeline->context = context;
	if (options->track.decap.kinds) {
		pipeline->seen_twice = seen_twice_new();
		if (!pipeline->seen_twice)
			return false;
	}
	if (!options->gather_ms)
		return true;
	pipeline->reassembly = reassembly_new(
		options->length, options->gather_ms * NS_PER_MS, put, pipeline);
	if (!pipeline->reassembly)
		return false;
	if (options->unfinished_ms)
		reassembly_wait_longer(pipeline->reassembly,
				       greeting_is_unfinished,
				       options->unfinished_ms * NS_PER_MS);
	pipeline->gathers_ssh = options->gather_ssh;
	if (pipeline->gathers_ssh)
		reassembly_end_where(pipeline->reassembly, is_no_ssh_beginning);
	return true;
}

/*
 * A sink that waits for its consumer holds up the others. So it may wait only
 * if it is alone, or if the source waits as long.
 */
int pipeline_open(struct pipeline *pipeline)
{
	const bool may_wait = pipeline->source_waits;
	const bool is_alone = pipeline->count == 1;

	for (int i = 0; i < pipeline->count; i++) {
		struct sink *sink = pipeline->sinks[i];
		int error;

		sink->may_wait = may_wait || (is_alone && !sink->never_delays);
		error = sink->operations->open(sink);
		if (error)
			return error;
	}
	return 0;
}

bool pipeline_wants_part(const struct pipeline *pipeline,
			 const struct event *event)
{
	return pipeline->reassembly &&
	       (!pipeline->gathers_ssh ||
		reassembly_has(pipeline->reassembly, event));
}

/* Whether an event goes through reassembly. */
static bool is_gathered(const struct pipeline *pipeline,
			const struct event *event)
{
	if (!pipeline->reassembly || event->kind == EVENT_OPEN)
		return false;
	if (!pipeline->gathers_ssh)
		return true;
	if (event->part > PART_FIRST)
		return pipeline_wants_part(pipeline, event);
	return event->kept == event->len && !event->fin &&
	       ssh_is_incomplete(event->bytes, event->kept);
}

void pipeline_take(struct pipeline *pipeline, const struct event *event)
{
	if (is_gathered(pipeline, event))
		reassembly_add(pipeline->reassembly, event);
	else if (event->part <= PART_FIRST || event->kind == EVENT_OPEN)
		put(event, pipeline);
	/* Further parts are dropped: their event was logged with its first. */
}

__u64 pipeline_deadline(const struct pipeline *pipeline)
{
	return pipeline->reassembly ?
		       reassembly_deadline(pipeline->reassembly) :
		       0;
}

void pipeline_end_greetings(struct pipeline *pipeline, __u32 ifindex)
{
	if (pipeline->reassembly)
		reassembly_finish(pipeline->reassembly, ifindex);
}

void pipeline_forget(struct pipeline *pipeline)
{
	pipeline_end_greetings(pipeline, 0);
	if (pipeline->seen_twice)
		seen_twice_clear(pipeline->seen_twice);
	identifying_forget(pipeline);
}

bool pipeline_flush(struct pipeline *pipeline)
{
	bool all = true;

	for (int i = 0; i < pipeline->count && !pipeline->is_closed; i++) {
		struct sink *sink = pipeline->sinks[i];

		all &= sink->operations->flush(sink);
	}
	return all;
}

int pipeline_input(const struct pipeline *pipeline)
{
	for (int i = 0; i < pipeline->count; i++) {
		const struct sink *sink = pipeline->sinks[i];

		if (sink->operations->input)
			return sink->operations->input(sink);
	}
	return -1;
}

void pipeline_reopen(struct pipeline *pipeline)
{
	for (int i = 0; i < pipeline->count; i++) {
		struct sink *sink = pipeline->sinks[i];

		sink->operations->reopen(sink);
	}
}

static bool has_state(const struct pipeline *pipeline, enum sink_state state)
{
	for (int i = 0; i < pipeline->count; i++) {
		if (pipeline->sinks[i]->state == state)
			return true;
	}
	return false;
}

bool pipeline_has_enough(const struct pipeline *pipeline)
{
	return has_state(pipeline, SINK_HAS_ENOUGH);
}

void pipeline_close(struct pipeline *pipeline)
{
	if (pipeline->is_closed)
		return;
	pipeline->is_closed = pipeline->is_complete = true;
	/* In reverse order: the inventory's sink still hands changes to the
	 * log. */
	for (int i = pipeline->count - 1; i >= 0; i--) {
		struct sink *sink = pipeline->sinks[i];

		pipeline->is_complete &= sink->operations->close(sink);
	}
}

struct sink_counts pipeline_counts(const struct pipeline *pipeline)
{
	struct sink_counts counts = {};

	if (pipeline->count)
		counts = pipeline->sinks[0]->counts;
	for (int i = 1; i < pipeline->count; i++) {
		const struct sink_counts *more = &pipeline->sinks[i]->counts;

		counts.lost += more->lost;
		counts.lost_inventory += more->lost_inventory;
		counts.lost_changes += more->lost_changes;
		counts.ftp_data += more->ftp_data;
		counts.services += more->services;
		for (int kind = 0; kind < CHANGE_KINDS; kind++)
			counts.changes[kind] += more->changes[kind];
	}
	return counts;
}

void pipeline_read_counters(const struct pipeline *pipeline,
			    __u64 counters[COUNTER_MAX])
{
	identifying_read_counters(pipeline, counters);
	if (pipeline->reassembly)
		reassembly_read_counters(pipeline->reassembly, counters);
	if (pipeline->seen_twice)
		counters[COUNT_SEEN_TWICE] =
			seen_twice_count(pipeline->seen_twice);
	if (pipeline->limits_rate)
		counters[COUNT_OVER_RATE] = pipeline_counts(pipeline).over_rate;
}

enum exit_code pipeline_exit_code(const struct pipeline *pipeline,
				  enum exit_code code)
{
	const struct sink_counts counts = pipeline_counts(pipeline);

	if (code != EXIT_DONE || pipeline_has_enough(pipeline))
		return code;
	if (has_state(pipeline, SINK_IS_BROKEN))
		return EXIT_FAILED;
	if (counts.lost || counts.lost_inventory || counts.lost_changes)
		return EXIT_LOST;
	return pipeline->is_complete ? EXIT_DONE : EXIT_FAILED;
}

void pipeline_free(struct pipeline *pipeline)
{
	pipeline_close(pipeline);
	reassembly_free(pipeline->reassembly);
	seen_twice_free(pipeline->seen_twice);
	identifying_close(pipeline);
	pipeline->seen_twice = NULL;
	pipeline->reassembly = NULL;
}
