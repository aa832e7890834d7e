/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way of an event, from interfaces and captures alike: through reassembly,
 * where that was asked for, and then into every sink.
 */
#ifndef BANNERPROBE_PIPELINE_H
#define BANNERPROBE_PIPELINE_H

#include "counters.h"
#include "event.h"
#include "options/options.h"
#include "sinks/sink.h"

#include <stdbool.h>

#define SINKS_MAX 4

struct reassembly;
struct seen_twice;

/*
 * Finds where an event was seen. Called when the event goes into the sinks:
 * with reassembly that may be later than its arrival. The result is valid until
 * the next call.
 */
typedef struct source source_finder(const struct event *event, void *context);

struct pipeline {
	struct sink *sinks[SINKS_MAX];
	int count;
	struct reassembly *reassembly; /* NULL: not asked for */
	bool gathers_ssh;	       /* and nothing else */
	__u32 events; /* that were asked for: EVENT_BIT(), or 0 */
	struct seen_twice *seen_twice; /* NULL: no tunnel is opened */
	source_finder *find_source;
	void *context;	   /* of find_source() */
	bool source_waits; /* its events do not vanish while a sink waits */
	bool is_closed;
	bool is_complete; /* and every sink wrote its last */
};

/* Adds a sink that outlives the pipeline, which closes it. */
void pipeline_add(struct pipeline *pipeline, struct sink *sink);

/*
 * Sets up what the options ask for: reassembly, tunnels. False without memory. Before
 * the first event; `find_source` is called for each.
 */
bool pipeline_prepare(struct pipeline *pipeline, const struct options *options,
		      source_finder *find_source, void *context);

/* Opens all sinks. 0, or negative errno with a message. */
int pipeline_open(struct pipeline *pipeline);

void pipeline_take(struct pipeline *pipeline, const struct event *event);

/* `now`: ns, as in the events. Ends the greetings that have been quiet. */
void pipeline_expire(struct pipeline *pipeline, __u64 now);

/* When pipeline_expire() has something to do next; 0: nothing. */
__u64 pipeline_deadline(const struct pipeline *pipeline);

/* Ends the greetings of an interface, as they are; index 0: of all. */
void pipeline_end_greetings(struct pipeline *pipeline, __u32 ifindex);

/* What comes next has nothing to do with what came: of another capture. */
void pipeline_forget(struct pipeline *pipeline);

/* An event that another process has put together goes to every sink. */
void pipeline_put(const struct pipeline *pipeline, const struct event *event,
		  struct source *source);

/* False: a sink holds something back; to be called again within 50 ms. */
bool pipeline_flush(struct pipeline *pipeline);

void pipeline_reopen(struct pipeline *pipeline);

/* Whether a sink wants no more: the run is to end. */
bool pipeline_is_over(const struct pipeline *pipeline);

/* Closes all sinks; then the counts are final. */
void pipeline_close(struct pipeline *pipeline);

/*
 * The counts of the events: `written` and `left_out` by the first sink, `lost`
 * by all of them.
 */
struct sink_counts pipeline_counts(const struct pipeline *pipeline);

/* Sets what the pipeline itself counts. */
void pipeline_read_counters(const struct pipeline *pipeline,
			    __u64 counters[COUNTER_MAX]);

/* Whether a sink has ended the run successfully: no message is needed. */
bool pipeline_has_enough(const struct pipeline *pipeline);

/* The exit code of a run that had `code` before the pipeline was closed. */
enum exit_code pipeline_exit_code(const struct pipeline *pipeline,
				  enum exit_code code);

void pipeline_free(struct pipeline *pipeline);

#endif
