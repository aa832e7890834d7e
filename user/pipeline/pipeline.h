/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way of an event, from interfaces and from captures: through reassembly,
 * if the options ask for it, and then into every sink.
 */
#ifndef BANNERPROBE_PIPELINE_H
#define BANNERPROBE_PIPELINE_H

#include "counters.h"
#include "event.h"
#include "options/options.h"
#include "reassembly.h"
#include "sinks/sink.h"

#include <stdbool.h>

#define SINKS_MAX 4

struct seen_twice;
struct identifying;

/*
 * Finds where an event was seen. Called when the event goes into the sinks:
 * with reassembly that may be later than its arrival. The result is valid until
 * the next call.
 */
typedef struct source source_finder(const struct event *event, void *context);

struct pipeline {
	struct sink *sinks[SINKS_MAX];
	int count;
	struct reassembly *reassembly; /* NULL: not needed */
	bool gathers_ssh; /* only SSH identifications are reassembled */
	__u32 events;	  /* kinds that the user asked for: EVENT_BIT(), or 0 */
	struct seen_twice *seen_twice;	 /* NULL: no tunnel is opened */
	struct identifying *identifying; /* NULL: no --identify */
	source_finder *find_source;
	void *context;	   /* of find_source() */
	bool limits_rate;  /* a sink applies --max-rate, not the kernel */
	bool source_waits; /* no events are lost while a sink waits */
	bool is_closed;
	bool is_complete; /* closed; every sink's last write succeeded */
};

/* Adds a sink that outlives the pipeline, which closes it. */
void pipeline_add(struct pipeline *pipeline, struct sink *sink);

/*
 * Sets up what the options ask for: reassembly, tunnels. Called before the
 * first event. `find_source` is called for each event. False without memory.
 */
bool pipeline_prepare(struct pipeline *pipeline, const struct options *options,
		      source_finder *find_source, void *context);

/* Opens all sinks. 0, or negative errno with a message. */
int pipeline_open(struct pipeline *pipeline);

void pipeline_take(struct pipeline *pipeline, const struct event *event);

/* Whether pipeline_take() does anything with a part after an event's first. */
bool pipeline_wants_part(const struct pipeline *pipeline,
			 const struct event *event);

/* Ends the greetings that have been quiet. `now`: ns, on the events' clock. */
static inline void pipeline_expire(const struct pipeline *pipeline, __u64 now)
{
	if (pipeline->reassembly && !reassembly_is_empty(pipeline->reassembly))
		reassembly_expire(pipeline->reassembly, now);
}

/* When pipeline_expire() has something to do next, ns; 0: never. */
__u64 pipeline_deadline(const struct pipeline *pipeline);

/* Logs the unfinished greetings of an interface; index 0: of all. */
void pipeline_end_greetings(struct pipeline *pipeline, __u32 ifindex);

/* Called between two captures: forgets what was kept about earlier events. */
void pipeline_forget(struct pipeline *pipeline);

/* Hands an event that another process has reassembled to every sink. */
void pipeline_put(const struct pipeline *pipeline, const struct event *event,
		  struct source *source);

/* False: a sink holds events back; call again within 50 ms. */
bool pipeline_flush(struct pipeline *pipeline);

/* A descriptor that is readable when pipeline_flush() is to be called; or -1.
 */
int pipeline_input(const struct pipeline *pipeline);

void pipeline_reopen(struct pipeline *pipeline);

/* Whether a sink takes no more events: the run has to end. */
static inline bool pipeline_is_over(const struct pipeline *pipeline)
{
	bool is_over = false;

	for (int i = 0; i < pipeline->count; i++)
		is_over |= pipeline->sinks[i]->state != SINK_GOES_ON;
	return is_over;
}

/* Closes all sinks; then the counts are final. */
void pipeline_close(struct pipeline *pipeline);

/*
 * The counts of the events: `written` and `left_out` by the first sink, `lost`
 * by all of them.
 */
struct sink_counts pipeline_counts(const struct pipeline *pipeline);

/* Sets the counters that the pipeline itself counts. */
void pipeline_read_counters(const struct pipeline *pipeline,
			    __u64 counters[COUNTER_MAX]);

/* Whether a sink's consumer has closed: the run ends successfully. */
bool pipeline_has_enough(const struct pipeline *pipeline);

/* The exit code of a run that had `code` before the pipeline was closed. */
enum exit_code pipeline_exit_code(const struct pipeline *pipeline,
				  enum exit_code code);

void pipeline_free(struct pipeline *pipeline);

#endif
