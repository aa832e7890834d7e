/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "identifying.h"

#include "identify/identify.h"
#include "identify/rule_places.h"
#include "libraries/libraries.h"
#include "system/clock.h"
#include "system/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A match that is aborted at its limit takes one to two milliseconds. Servers
 * that provoke such matches get about a tenth of the time, so that other
 * servers' records are not delayed for longer.
 */
#define LIMITS_A_SECOND 64

struct identifying {
	struct identifier *identifier;
	__u64 second;	     /* of the latest event, by the events' clock */
	__u64 limits_before; /* matches aborted before that second */
	__u64 passed_over;   /* events that were not identified */
};

/* The rules are read as the user that this process has changed to. */
static bool may_read(const char *option, const char *path)
{
	if (!faccessat(AT_FDCWD, path, R_OK, AT_EACCESS))
		return true;
	message("%s %s: %s: the user of --user has to be able to read it",
		option, path, strerror(errno));
	return false;
}

static bool may_read_all(const struct options *options)
{
	for (__u32 i = 0; i < options->probes_count; i++) {
		if (!may_read("--probes", options->probes[i]))
			return false;
	}
	return !options->recog || may_read("--recog", options->recog);
}

static bool open_rules(struct identifying *identifying,
		       const struct options *options)
{
	const struct identify_sources sources = {
		.rules = rule_places(),
		.probes = options->probes,
		.recog = options->recog,
	};

	if (!may_read_all(options) || !libraries_load(options->recog))
		return false;
	identifying->identifier = identify_open(&sources, message);
	return identifying->identifier;
}

bool identifying_open(struct pipeline *pipeline, const struct options *options)
{
	if (!options->identify)
		return true;
	pipeline->identifying = calloc(1, sizeof(*pipeline->identifying));
	if (pipeline->identifying)
		return open_rules(pipeline->identifying, options);
	message("out of memory");
	return false;
}

void identifying_close(struct pipeline *pipeline)
{
	if (pipeline->identifying)
		identify_close(pipeline->identifying->identifier);
	free(pipeline->identifying);
	pipeline->identifying = NULL;
}

/* Whether the event is logged: an inventory takes more events than the log. */
static bool is_logged(const struct pipeline *pipeline,
		      const struct event *event)
{
	const __u32 events =
		pipeline->events ? pipeline->events : EVENTS_BANNER;

	return events & EVENT_BIT(event->kind);
}

static __u64 limits_of(const struct identifying *identifying)
{
	return identify_statistics(identifying->identifier)->limits;
}

/*
 * Whether this second's matches have met LIMITS_A_SECOND limits already. Events
 * may come late, so an earlier second begins nothing anew: strangers could
 * alternate between two.
 */
static bool has_cost_enough(struct identifying *identifying,
			    const struct event *event)
{
	const __u64 second = event->time / NS_PER_SECOND;

	if (second > identifying->second) {
		identifying->second = second;
		identifying->limits_before = limits_of(identifying);
	}
	return limits_of(identifying) - identifying->limits_before >=
	       LIMITS_A_SECOND;
}

void identifying_forget(const struct pipeline *pipeline)
{
	struct identifying *identifying = pipeline->identifying;

	if (!identifying)
		return;
	identifying->second = 0;
	identifying->limits_before = limits_of(identifying);
}

const struct identified *identifying_ask(const struct pipeline *pipeline,
					 const struct event *event)
{
	struct identifying *identifying = pipeline->identifying;
	const enum said said =
		event->kind == EVENT_BANNER ? SAID_FIRST : SAID_SECOND;
	const bool complete = event->kept >= event->len;
	const struct identified *answer = NULL;

	if (!is_logged(pipeline, event) ||
	    (event->kind != EVENT_BANNER && event->kind != EVENT_RESPONSE))
		return NULL;
	if (!has_cost_enough(identifying, event))
		return identify(identifying->identifier, said,
				event->server_port, event->bytes, event->kept,
				complete);
	identifying->passed_over += !identify_remembers(
		identifying->identifier, said, event->server_port, event->bytes,
		event->kept, complete, &answer);
	return answer;
}

void identifying_read_counters(const struct pipeline *pipeline,
			       __u64 counters[COUNTER_MAX])
{
	if (!pipeline->identifying || !pipeline->identifying->identifier)
		return;
	counters[COUNT_IDENTIFY_LIMITS] = limits_of(pipeline->identifying);
	counters[COUNT_NOT_IDENTIFIED] = pipeline->identifying->passed_over;
}
