/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "model_events.h"

#include "segment.h"

/* The most that a client acknowledges of an open port; it does not grow. */
#define OPEN_WINDOW 65535

#define CLIENT_KINDS (MODEL_BIT(MODEL_REQUEST) | MODEL_BIT(MODEL_REPLY))

void kinds_unclear(struct model *model, unsigned int kinds, const char *why)
{
	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++)
		if (kinds & MODEL_BIT(kind) && !model->kind_unclear[kind])
			model->kind_unclear[kind] = why;
}

static bool found(const struct model_connection *c, enum model_kind kind)
{
	return c->found & MODEL_BIT(kind);
}

bool kind_waits(const struct model_connection *c, enum model_kind kind)
{
	const struct model_side *client = &c->sides[MODEL_CLIENT];
	const struct model_side *server = &c->sides[MODEL_SERVER];

	if (c->reset || c->outcome == REASON_NO_SERVER || c->denied[kind] ||
	    found(c, kind))
		return false;
	switch (kind) {
	case MODEL_BANNER:
		return c->outcome == REASON_NONE;
	case MODEL_REQUEST:
		return !client->judged && !bare_fin(c, MODEL_CLIENT) &&
		       (server->sign != SIGN_SILENT || c->syn_refused ||
			found(c, MODEL_RESPONSE));
	case MODEL_REPLY:
		return !client->judged && !bare_fin(c, MODEL_CLIENT) &&
		       !found(c, MODEL_RESPONSE);
	case MODEL_RESPONSE:
		return !server->judged && !bare_fin(c, MODEL_SERVER) &&
		       !found(c, MODEL_REPLY) &&
		       (client->sign != SIGN_HEARD || !client->judged);
	default:
		return true;
	}
}

/* --- an event */

/* Whether --need lets it pass; what forbids it is the reason for none. */
static bool need_met(struct model *model, struct model_connection *c,
		     enum model_kind kind)
{
	enum reason reason = REASON_NONE;

	if (model->need >= MODEL_NEED_SYN && !c->syn_seen)
		reason = REASON_SYN_UNSEEN;
	else if (model->need >= MODEL_NEED_HANDSHAKE && !c->answered)
		reason = REASON_HANDSHAKE_UNSEEN;
	if (reason == REASON_NONE)
		return true;
	if (reason == REASON_HANDSHAKE_UNSEEN && c->maybe_answered)
		kinds_unclear(model, MODEL_ALL_KINDS,
			      "a handshake out of order");
	c->denied[kind] = MODEL_BIT(reason);
	return false;
}

static void add(struct model *model, struct model_connection *c,
		const struct event_seen *event)
{
	c->found |= MODEL_BIT(event->kind);
	if (model->asked & MODEL_BIT(event->kind) &&
	    model->logged_count < MODEL_LOGGED)
		model->logged[model->logged_count++] = *event;
}

static struct event_seen event_here(const struct model *model,
				    enum model_kind kind)
{
	return (struct event_seen){ .kind = (__u8)kind,
				    .packet = model->packet,
				    .source = model->packet };
}

void events_banner(struct model *model, struct model_connection *c,
		   const struct model_event *banner)
{
	struct event_seen event = event_here(model, MODEL_BANNER);

	event.offset = banner->skip;
	event.len = banner->len;
	c->sides[MODEL_SERVER].judged = true;
	c->sides[MODEL_SERVER].sign = SIGN_SILENT;
	add(model, c, &event);
}

static void log_chunk(struct model *model, struct model_connection *c,
		      enum model_kind kind, const struct model_segment *s,
		      bool crossed)
{
	struct event_seen event = event_here(model, kind);
	enum model_role role =
		kind == MODEL_RESPONSE ? MODEL_SERVER : MODEL_CLIENT;

	if (!need_met(model, c, kind))
		return;
	event.crossed = crossed;
	event.offset = c->isn[role] + 1 - s->seq;
	event.len = s->len - event.offset;
	add(model, c, &event);
}

/* --- which side spoke first */

/*
 * One number more than nothing: a byte, or a FIN that was missed. Only what is
 * known otherwise of the other side can tell.
 */
static bool may_be_fin(const struct model_connection *c, enum model_role other,
		       const struct model_segment *s)
{
	const struct model_side *side = &c->sides[other];

	if (side->judged || side->more || c->fin[other])
		return false;
	return side->by_seq || s->ack == c->isn[other] + 2;
}

/* The segment with the server's first byte, which is no banner. */
static void judge_server(struct model *model, struct model_connection *c,
			 const struct model_segment *s, bool silent)
{
	const struct model_side *client = &c->sides[MODEL_CLIENT];
	const struct model_side *server = &c->sides[MODEL_SERVER];

	if (silent && client->sign == SIGN_NONE)
		return; /* a banner, or what forbids one */
	if (may_be_fin(c, MODEL_CLIENT, s))
		kinds_unclear(model, MODEL_BIT(MODEL_RESPONSE),
			      "a byte, or a FIN that was missed");
	/* Whichever was seen first is not the second one, too. */
	if (client->sign == SIGN_HEARD || found(c, MODEL_REPLY)) {
		c->denied[MODEL_RESPONSE] = MODEL_BIT(REASON_ORDER_UNKNOWN);
		return;
	}
	if (!silent && client->sign == SIGN_NONE && server->preceded)
		kinds_unclear(model, MODEL_BIT(MODEL_RESPONSE),
			      "the client had received it and said nothing");
	if (!silent && server->sign == SIGN_SILENT)
		kinds_unclear(model, MODEL_BIT(MODEL_RESPONSE),
			      "first bytes sent again, later ones were first");
	log_chunk(model, c, MODEL_RESPONSE, s, silent);
}

/* The segment with the client's first byte. */
static void judge_client(struct model *model, struct model_connection *c,
			 const struct model_segment *s, bool silent)
{
	const struct model_side *client = &c->sides[MODEL_CLIENT];
	const struct model_side *server = &c->sides[MODEL_SERVER];
	bool response = found(c, MODEL_RESPONSE);

	if (may_be_fin(c, MODEL_SERVER, s))
		kinds_unclear(model, CLIENT_KINDS,
			      "a byte, or a FIN that was missed");
	if (c->syn_refused && server->sign == SIGN_SILENT)
		kinds_unclear(model, CLIENT_KINDS,
			      "a SYN's data resent after server data");
	if (silent && (server->sign != SIGN_SILENT || response)) {
		log_chunk(model, c, MODEL_REQUEST, s, false);
		return;
	}
	/* A response and a reply contradict each other. */
	if (!silent && (server->sign == SIGN_HEARD || response)) {
		if (!response)
			kinds_unclear(model, CLIENT_KINDS,
				      "both sides' first signs follow the "
				      "other's");
		c->denied[MODEL_REPLY] = c->denied[MODEL_REQUEST] =
			MODEL_BIT(REASON_ORDER_UNKNOWN);
		return;
	}
	if (!silent && server->sign == SIGN_NONE && client->preceded)
		kinds_unclear(model, CLIENT_KINDS,
			      "the server had received it and said nothing");
	if (!silent && client->sign == SIGN_SILENT && !c->syn_refused)
		kinds_unclear(model, CLIENT_KINDS,
			      "first bytes sent again, later ones were first");
	if (!silent && server->sign == SIGN_NONE)
		c->denied[MODEL_REQUEST] =
			MODEL_BIT(REASON_SERVER_FIRST_BY_ACK);
	else if (server->by_seq)
		c->denied[MODEL_REQUEST] =
			MODEL_BIT(REASON_SERVER_FIRST_BY_SEQ);
	log_chunk(model, c, MODEL_REPLY, s, silent);
}

/* --- what a connection shows */

static void note_open(struct model *model, struct model_connection *c,
		      const struct model_segment *s)
{
	struct event_seen event = event_here(model, MODEL_OPEN);
	__s32 acked = beyond(s->ack, c->isn[MODEL_SERVER] + 1);

	if (!kind_waits(c, MODEL_OPEN) || acked < 0 || acked > OPEN_WINDOW ||
	    beyond(s->seq, c->isn[MODEL_CLIENT] + 1) < 0)
		return;
	if (need_met(model, c, MODEL_OPEN))
		add(model, c, &event);
}

/* What the acknowledgement shows about the other side. */
static void note_received(struct model_connection *c, enum model_role role,
			  const struct model_segment *s)
{
	struct model_side *other = &c->sides[!role];

	other->received = true;
	if (!s->len && c->sides[role].sign == SIGN_NONE &&
	    beyond(s->seq, c->isn[role] + 1) <= bare_fin(c, role))
		other->preceded = true;
}

void events_segment(struct model *model, struct model_connection *c,
		    enum model_role role, const struct model_segment *s,
		    __s32 bare)
{
	struct model_side *side = &c->sides[role];
	__s32 seq = beyond(s->seq, c->isn[role] + 1);
	__s32 end = beyond(s->seq + s->len, c->isn[role] + 1);
	bool silent = shows_nothing_of(c, !role, s->ack);
	bool payload = s->len && end > 0;

	if (role == MODEL_CLIENT)
		note_open(model, c, s);
	if (!silent)
		note_received(c, role, s);
	if (!payload && seq <= bare)
		return;
	if (bare && payload) {
		kinds_unclear(model, MODEL_ALL_KINDS, "data after a bare FIN");
		return;
	}
	if (payload && seq <= 0 && !side->judged) {
		if (role == MODEL_CLIENT)
			judge_client(model, c, s, silent);
		else
			judge_server(model, c, s, silent);
		side->judged = true;
		side->sign = silent ? SIGN_SILENT : SIGN_HEARD;
		side->by_seq = false;
	}
	side->later |= seq > 0;
	side->more |= payload || seq > 1;
	if (side->sign == SIGN_NONE) {
		side->sign = silent ? SIGN_SILENT : SIGN_HEARD;
		side->by_seq = !payload;
	}
}

/* --- before the SYN-ACK */

void events_syn_data(struct model *model, struct model_connection *c, __u32 len)
{
	struct model_side *client = &c->sides[MODEL_CLIENT];

	if (c->syn_len && len && len != c->syn_len)
		kinds_unclear(model, CLIENT_KINDS,
			      "SYNs with data of different lengths");
	if (len > c->syn_len)
		c->syn_packet = model->packet;
	if (!c->synack_seen || !len || client->judged)
		return;
	kinds_unclear(model, CLIENT_KINDS | MODEL_BIT(MODEL_RESPONSE),
		      "a SYN with data after its SYN-ACK");
}

void events_synack(struct model *model, struct model_connection *c, __u32 ack)
{
	struct model_side *client = &c->sides[MODEL_CLIENT];
	struct event_seen event = event_here(model, MODEL_REQUEST);

	c->sides[MODEL_SERVER] = (struct model_side){};
	client->received = client->preceded = false;
	if (!c->syn_len || client->judged)
		return;
	client->sign = SIGN_SILENT;
	client->more = true;
	c->syn_refused = ack == c->isn[MODEL_CLIENT] + 1;
	if (c->syn_refused)
		return;
	client->judged = true;
	if (!c->counted) { /* case 14: it is not proven yet */
		kinds_unclear(model, MODEL_ALL_KINDS,
			      "a SYN's data accepted beside a connection");
		return;
	}
	event.source = c->syn_packet;
	event.len = c->syn_len;
	if (need_met(model, c, MODEL_REQUEST))
		add(model, c, &event);
}

void events_early(struct model *model, struct model_connection *c,
		  const struct early_segment *early)
{
	struct model_side *client = &c->sides[MODEL_CLIENT];
	bool silent = shows_nothing_of(c, MODEL_SERVER, early->ack);

	kinds_unclear(model, MODEL_BIT(MODEL_OPEN),
		      "a client segment before the SYN-ACK");
	c->sides[MODEL_SERVER].received |= !silent;
	c->sides[MODEL_SERVER].preceded |= !silent && !early->payload;
	if (!early->payload) {
		/* It need not be remembered that the server has said more. */
		if (!silent)
			kinds_unclear(model, MODEL_BIT(MODEL_RESPONSE),
				      "server data acknowledged before the "
				      "SYN-ACK");
		return;
	}
	client->later |= !early->covers;
	client->more = true;
	if (early->covers)
		kinds_unclear(model, CLIENT_KINDS,
			      "the client's first bytes before the SYN-ACK");
	if (client->sign == SIGN_NONE)
		client->sign = silent ? SIGN_SILENT : SIGN_HEARD;
}

/* --- why an event was not logged */

/* How the connection ended, where nothing else is to be said. */
static unsigned int ending(const struct model_connection *c, enum reason open)
{
	bool fins = c->fin[MODEL_CLIENT] && c->fin[MODEL_SERVER];

	if (c->outcome == REASON_NO_SERVER)
		return MODEL_BIT(REASON_NO_SERVER);
	if (c->reset) /* after both FINs there was nothing to reset */
		return MODEL_BIT(REASON_RESET) |
		       (fins ? MODEL_BIT(REASON_NO_DATA) : 0);
	if (!c->synack_seen && open != REASON_OPEN)
		return MODEL_BIT(REASON_SYNACK_UNSEEN);
	if (fins && open != REASON_OPEN)
		return MODEL_BIT(REASON_NO_DATA);
	if (c->fin[MODEL_CLIENT] || c->fin[MODEL_SERVER])
		return MODEL_BIT(REASON_NO_DATA) | MODEL_BIT(open);
	return MODEL_BIT(open);
}

/*
 * That first bytes were missed is known, or cannot be distinguished from the
 * ending.
 */
static unsigned int unseen_or(const struct model_connection *c,
			      enum model_role role, enum reason unseen,
			      unsigned int end)
{
	const struct model_side *side = &c->sides[role];
	bool live = end & MODEL_BIT(REASON_OPEN);

	if (side->judged || (!side->later && !side->received))
		return end;
	if (c->reset || live || (side->by_seq && !side->received))
		return end | MODEL_BIT(unseen);
	return MODEL_BIT(unseen);
}

static unsigned int why_no_request(const struct model_connection *c,
				   unsigned int end)
{
	const struct model_side *server = &c->sides[MODEL_SERVER];
	unsigned int first =
		MODEL_BIT(server->by_seq ? REASON_SERVER_FIRST_BY_SEQ :
					   REASON_SERVER_FIRST);

	if (c->denied[MODEL_REPLY])
		return c->denied[MODEL_REPLY];
	if (found(c, MODEL_REPLY) || found(c, MODEL_BANNER))
		return first;
	end = unseen_or(c, MODEL_CLIENT, REASON_CLIENT_DATA_UNSEEN, end);
	/* Nothing can follow it; but the client's bytes may have been missed.
	 */
	if ((server->sign == SIGN_SILENT && !found(c, MODEL_RESPONSE)) ||
	    c->outcome == REASON_SYN_UNSEEN ||
	    c->outcome == REASON_HANDSHAKE_UNSEEN)
		return first | end;
	return end;
}

static unsigned int why_not(const struct model_connection *c,
			    enum model_kind kind, unsigned int end)
{
	if (c->denied[kind])
		return c->denied[kind];
	switch (kind) {
	case MODEL_REQUEST:
		return why_no_request(c, end);
	case MODEL_RESPONSE:
		if (c->outcome == REASON_BANNER)
			return MODEL_BIT(REASON_SERVER_FIRST);
		if (c->outcome == REASON_SYN_UNSEEN ||
		    c->outcome == REASON_HANDSHAKE_UNSEEN)
			return MODEL_BIT(c->outcome);
		return unseen_or(c, MODEL_SERVER, REASON_SERVER_DATA_UNSEEN,
				 end);
	case MODEL_REPLY:
		if (c->sides[MODEL_CLIENT].judged)
			return MODEL_BIT(REASON_CLIENT_FIRST);
		return unseen_or(c, MODEL_CLIENT, REASON_CLIENT_DATA_UNSEEN,
				 end);
	default:
		if (!c->synack_seen || c->reset ||
		    c->outcome == REASON_NO_SERVER)
			return end;
		return end | MODEL_BIT(REASON_HANDSHAKE_UNSEEN);
	}
}

void events_end(struct model *model, const struct model_connection *c,
		enum reason open)
{
	unsigned int end = ending(c, open);

	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++) {
		int at = model->reason_count[kind];

		if (!(model->asked & MODEL_BIT(kind)) ||
		    at == MODEL_CONNECTIONS)
			continue;
		model->reasons[kind][at] = found(c, kind) ?
						   MODEL_BIT(REASON_LOGGED) :
						   why_not(c, kind, end);
		model->reason_count[kind]++;
	}
}
