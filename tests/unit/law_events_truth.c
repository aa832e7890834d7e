/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_events_truth.h"

#include "events.h"
#include "segment.h"

/* The event of this kind that the model has logged, or NULL. */
static const struct event_seen *logged(const struct model *model,
				       enum model_kind kind)
{
	for (int i = 0; i < model->logged_count; i++)
		if (model->logged[i].kind == kind)
			return &model->logged[i];
	return NULL;
}

/*
 * First bytes that were lost and sent again acknowledge what came in between:
 * that they crossed cannot be seen then. But that is all that may be wrong.
 */
static bool crossed_unseen(const struct conversation *c,
			   const struct event_seen *event)
{
	const struct side_truth *truth = c->truth;

	return c->ingredients != INGREDIENT_BEGINNINGS && !event->crossed &&
	       truth[0].spoke && truth[1].spoke && !truth[0].heard &&
	       !truth[1].heard;
}

static const char *wrong_kind(const struct conversation *c,
			      const struct event_seen *event)
{
	const struct side_truth *truth = c->truth;
	enum model_role role =
		event->kind == MODEL_REQUEST || event->kind == MODEL_REPLY ?
			MODEL_CLIENT :
			MODEL_SERVER;
	bool second =
		event->kind == MODEL_RESPONSE || event->kind == MODEL_REPLY;

	if (!truth[role].spoke)
		return "that side said nothing";
	if (!second && truth[role].heard)
		return "it was second";
	if (second && !event->crossed && !truth[role].heard &&
	    !crossed_unseen(c, event))
		return "it was first, or crossed";
	if (event->crossed && (truth[0].heard || truth[1].heard))
		return "nothing crossed";
	return NULL;
}

bool handshake_in_order(const struct conversation *c)
{
	bool asked = false, reset = false, answered = false;

	for (int i = 0; i < c->count; i++) {
		__u8 flags = c->packets[i].segment.flags;
		bool synack = flags & TCP_SYN && flags & TCP_ACK;

		if (c->packets[i].origin == ORIGIN_FORGED)
			continue;
		if (synack && (reset || !asked))
			return false;
		reset |= flags & TCP_RST;
		asked |= flags & TCP_SYN;
		answered |= synack;
	}
	return answered;
}

/* An event that did not happen, or NULL. */
static const char *find_lie(const struct model *model,
			    const struct conversation *c)
{
	static char text[128];

	/*
	 * Without its SYN, Fast Open looks like a connection with a higher
	 * initial number: the client's bytes in the SYN are not seen.
	 */
	if (c->truth[MODEL_CLIENT].in_syn && !handshake_in_order(c))
		return NULL;
	for (int i = 0; i < model->logged_count; i++) {
		const struct event_seen *event = &model->logged[i];
		const char *why;

		if (event->kind == MODEL_OPEN ||
		    model->kind_unclear[event->kind])
			continue;
		why = wrong_kind(c, event);
		if (!why)
			continue;
		snprintf(text, sizeof(text), "%s: %s", event_names[event->kind],
			 why);
		return text;
	}
	return NULL;
}

/* Which events are at most one together. */
const char *truth_find_contradiction(const struct model *model,
				     const struct conversation *c)
{
	static const unsigned int exclusive[] = {
		MODEL_BIT(MODEL_BANNER) | MODEL_BIT(MODEL_REQUEST),
		MODEL_BIT(MODEL_BANNER) | MODEL_BIT(MODEL_RESPONSE),
		MODEL_BIT(MODEL_REPLY) | MODEL_BIT(MODEL_REQUEST),
		MODEL_BIT(MODEL_REPLY) | MODEL_BIT(MODEL_RESPONSE),
		MODEL_BIT(MODEL_OPEN),
	};

	(void)c;
	for (size_t i = 0; i < sizeof(exclusive) / sizeof(*exclusive); i++) {
		int count = 0;

		for (int j = 0; j < model->logged_count; j++)
			count += !!(exclusive[i] &
				    MODEL_BIT(model->logged[j].kind));
		if (count > model->begun)
			return "more events than one connection can have";
	}
	return NULL;
}

/* Of an undisturbed connection each event is known. */
static const char *find_missed(const struct model *model,
			       const struct conversation *c)
{
	const struct side_truth *client = &c->truth[MODEL_CLIENT];
	const struct side_truth *server = &c->truth[MODEL_SERVER];
	const struct event_seen *said[2] = { NULL, NULL };

	for (int i = 0; i < c->count; i++)
		if (c->packets[i].segment.flags & TCP_RST)
			return NULL; /* it may overtake what was said */
	for (int kind = MODEL_BANNER; kind < MODEL_OPEN; kind++) {
		bool of_client = kind == MODEL_REQUEST || kind == MODEL_REPLY;
		const struct event_seen *event = logged(model, kind);

		if (model->kind_unclear[kind])
			return NULL;
		if (event)
			said[of_client ? MODEL_CLIENT : MODEL_SERVER] = event;
	}
	if (client->spoke && !client->undelivered && !said[MODEL_CLIENT])
		return "what the client said is missed";
	if (server->spoke && !said[MODEL_SERVER])
		return "what the server said is missed";
	if (said[0] && said[1] && !client->heard && !server->heard &&
	    said[0]->crossed == said[1]->crossed)
		return "one of two that crossed has to say so";
	if (!logged(model, MODEL_OPEN))
		return "the open port is missed";
	return NULL;
}

const char *truth_find_wrong(const struct model *model,
			     const struct conversation *c)
{
	const char *why = find_lie(model, c);

	return why ? why : truth_find_contradiction(model, c);
}

const char *truth_find_any(const struct model *model,
			   const struct conversation *c)
{
	const char *why = truth_find_wrong(model, c);

	return why ? why : find_missed(model, c);
}
