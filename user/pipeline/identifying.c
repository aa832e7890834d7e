/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "identifying.h"

#include "identify/identify.h"
#include "identify/rule_places.h"
#include "libraries/libraries.h"
#include "system/message.h"

bool identifying_open(struct pipeline *pipeline, const struct options *options)
{
	const struct identify_sources sources = {
		.rules = rule_places(),
		.probes = options->probes,
		.recog = options->recog,
	};

	if (!options->identify)
		return true;
	if (!libraries_load(options->recog))
		return false;
	pipeline->identifier = identify_open(&sources, message);
	return pipeline->identifier;
}

void identifying_close(struct pipeline *pipeline)
{
	identify_close(pipeline->identifier);
	pipeline->identifier = NULL;
}

/* Whether the log has a record of it: an inventory takes more events. */
static bool is_logged(const struct pipeline *pipeline,
		      const struct event *event)
{
	const __u32 events = pipeline->events ? pipeline->events :
						EVENTS_BANNER;

	return events & EVENT_BIT(event->kind);
}

const struct identified *identifying_ask(const struct pipeline *pipeline,
					 const struct event *event)
{
	if (!pipeline->identifier || !is_logged(pipeline, event) ||
	    (event->kind != EVENT_BANNER && event->kind != EVENT_RESPONSE))
		return NULL;
	return identify(pipeline->identifier,
			event->kind == EVENT_BANNER ? SAID_FIRST : SAID_SECOND,
			event->server_port, event->bytes, event->kept,
			event->kept >= event->len);
}

__u64 identifying_limits(const struct pipeline *pipeline)
{
	return pipeline->identifier ?
		       identify_statistics(pipeline->identifier)->limits :
		       0;
}
