/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "model.h"

#include "model_events.h"
#include "segment.h"

/* The most that a side can offer before it has spoken. */
#define WINDOW 65535
/* Early client segments that are remembered for certain: "the first few". */
#define FEW 2

const char *const reason_names[REASON_MAX] = {
#define REASON_NAME(id, name) [REASON_##id] = name,
	REASONS(REASON_NAME)
#undef REASON_NAME
};

static const struct model_event nothing;

static void raise_to(__u32 *number, __u32 to)
{
	if (beyond(to, *number) > 0)
		*number = to;
}

static void unclear(struct model *model, const char *why)
{
	if (!model->unclear)
		model->unclear = why;
}

static bool closed(const struct model_connection *c)
{
	return c->reset || (c->fin[MODEL_CLIENT] && c->fin[MODEL_SERVER]);
}

static bool banner_waits(const struct model_connection *c)
{
	return c->outcome == REASON_NONE && !c->reset;
}

/* Whether an event that was asked for may still come. */
static bool waits(const struct model *model, const struct model_connection *c)
{
	for (int kind = 0; kind < MODEL_KINDS; kind++)
		if (model->asked & MODEL_BIT(kind) && kind_waits(c, kind))
			return true;
	return false;
}

/* Whether the outcome of a connection is decided. */
static bool decided(const struct model *model, const struct model_connection *c)
{
	return c->found & model->asked ||
	       (c->outcome != REASON_NONE && !waits(model, c));
}

static int waiting(const struct model *model)
{
	int count = 0;

	for (int i = 0; i < model->connection_count; i++)
		count += waits(model, &model->connections[i]);
	return count;
}

/* Whether the connection that is counted waits, so that segments count. */
static bool counts(const struct model *model)
{
	for (int i = 0; i < model->connection_count; i++)
		if (!model->connections[i].synack_seen &&
		    model->connections[i].syn_len)
			return false;
	for (int i = 0; i < model->connection_count; i++)
		if (model->connections[i].counted)
			return waits(model, &model->connections[i]);
	return false;
}

/*
 * Counts an ignored segment. Not certain: the definition does not say that it
 * is counted there.
 */
static void ignore(struct model *model, enum reason reason, bool certain)
{
	model->ignored[reason].most++;
	model->ignored[reason].least += certain;
}

/* --- connections and their outcomes */

static void count_outcome(struct model *model, const struct model_connection *c)
{
	int at = model->alternative_count;

	model->outcomes[c->outcome]++;
	if (c->also == REASON_NONE)
		return;
	if (at == MODEL_ALTERNATIVES) {
		unclear(model, "more alternatives than the model holds");
		return;
	}
	model->alternatives[at].outcome = c->outcome;
	model->alternatives[at].also = c->also;
	model->alternative_count++;
}

/* `also`: the definition would allow this outcome, too; or REASON_NONE. */
static void decide_or(struct model *model, struct model_connection *c,
		      enum reason outcome, enum reason also)
{
	if (c->outcome != REASON_NONE)
		return;
	c->outcome = outcome;
	c->also = also == outcome ? REASON_NONE : also;
	if (c->counted)
		count_outcome(model, c);
}

static void decide(struct model *model, struct model_connection *c,
		   enum reason outcome)
{
	decide_or(model, c, outcome, REASON_NONE);
}

static void count(struct model *model, struct model_connection *c)
{
	c->counted = true;
	model->begun++;
	if (c->outcome != REASON_NONE)
		count_outcome(model, c);
}

static void forget(struct model *model, int first, int number)
{
	model->connection_count -= number;
	memmove(model->connections + first, model->connections + first + number,
		(size_t)(model->connection_count - first) *
			sizeof(*model->connections));
}

static struct model_connection *counted(struct model *model)
{
	for (int i = 0; i < model->connection_count; i++)
		if (model->connections[i].counted)
			return &model->connections[i];
	return NULL;
}

/* The outcome of a waiting connection that has ended. */
static void end(struct model *model, struct model_connection *c,
		enum reason open)
{
	enum reason other = closed(c) ? REASON_NO_DATA : open;
	/* "Closed by FIN": by one, or by both? */
	enum reason also = c->fin[MODEL_CLIENT] ? REASON_NO_DATA : REASON_NONE;

	if (!c->synack_seen)
		decide_or(model, c, REASON_SYNACK_UNSEEN,
			  c->syn_len ? REASON_CLIENT_FIRST : REASON_NONE);
	else if (c->server_spoke && c->only_hinted && also && also != other)
		unclear(model, "a FIN and a hint of server data");
	else if (c->server_spoke)
		decide_or(model, c, REASON_SERVER_DATA_UNSEEN,
			  c->only_hinted ? other : REASON_NONE);
	else
		decide_or(model, c, other, also);
}

/*
 * Case 14: the connection takes the place of the one that it stood beside;
 * all that are older are forgotten. Returns its new place.
 */
static struct model_connection *take_over(struct model *model,
					  struct model_connection *c)
{
	struct model_connection *old = counted(model);
	int place = (int)(c - model->connections);

	if (c->counted)
		return c;
	if (c->untold)
		unclear(model, "a server segment beside a connection");
	if (c->displaced)
		unclear(model, "two SYN-ACKs beside a connection");
	if (old) {
		end(model, old, REASON_NO_DATA);
		events_end(model, old, REASON_NO_DATA);
	}
	forget(model, 0, place);
	for (int i = 1; i < model->connection_count; i++)
		model->connections[i].left_over = true;
	c = &model->connections[0];
	c->was_beside = true;
	count(model, c);
	return c;
}

static void start(struct model_connection *c, __u8 client, __u32 cisn)
{
	*c = (struct model_connection){ .client = client };
	c->isn[MODEL_CLIENT] = cisn;
	c->sent[MODEL_CLIENT] = cisn + 1;
}

static struct model_connection *begin(struct model *model, __u8 client,
				      __u32 cisn)
{
	struct model_connection *c;

	if (model->connection_count == MODEL_CONNECTIONS) {
		unclear(model, "more connections than the model holds");
		forget(model, 1, 1);
	}
	c = &model->connections[model->connection_count++];
	start(c, client, cisn);
	if (model->connection_count == 1)
		count(model, c);
	return c;
}

/* --- validity */

static bool has_data_beyond(const struct model_segment *s, __u32 isn)
{
	return s->len && beyond(s->seq + s->len, isn + 1) > 0;
}

/* Cases 23 and 23c, for either side: a part of it at least lies within. */
static bool within_window(const struct model_connection *c,
			  enum model_role role, const struct model_segment *s)
{
	__s32 from = beyond(s->seq, c->isn[role] + 1);

	if (from < -1) { /* its end, a FIN too, has to be a part of it */
		__u32 reach = s->len + !!(s->flags & TCP_FIN);

		return beyond(s->seq + reach, c->isn[role] + 1) > 0 &&
		       s->len <= WINDOW;
	}
	return beyond(s->seq, c->sent[role]) <= WINDOW;
}

/* Cases 23b and 24b: an acknowledgement that its sender can have earned. */
static bool ack_earned(const struct model_connection *c, enum model_role other,
		       const struct model_segment *s)
{
	return s->flags & TCP_ACK && beyond(s->ack, c->isn[other] + 1) >= 0 &&
	       beyond(s->ack, c->sent[other]) <= WINDOW;
}

static enum model_role role_of(const struct model_connection *c, __u8 from)
{
	return c->client == from ? MODEL_CLIENT : MODEL_SERVER;
}

static bool valid(const struct model_connection *c,
		  const struct model_segment *s)
{
	enum model_role role = role_of(c, s->from);

	return c->synack_seen && !c->reset && within_window(c, role, s) &&
	       ack_earned(c, !role, s);
}

/* --- segments of a connection */

/* Notes what a valid segment proves to be sent, by either side. */
static void note_numbers(struct model_connection *c, enum model_role role,
			 const struct model_segment *s)
{
	bool fin = s->flags & TCP_FIN &&
		   beyond(s->seq + s->len, c->isn[role] + 1) >= 0;

	raise_to(&c->sent[!role], s->ack);
	if (!c->acked_known[!role])
		c->acked[!role] = s->ack;
	c->acked_known[!role] = true;
	raise_to(&c->acked[!role], s->ack);
	raise_to(&c->sent[role], s->seq + s->len + fin);
	if (fin && !c->fin[role]) {
		c->fin[role] = true;
		c->fin_at[role] = s->seq + s->len;
	}
}

/*
 * Case 11; `hinted`: by a pure ACK of the server, of which nothing is said, or
 * by what came before the SYN-ACK.
 */
static void prove_server_spoke(struct model_connection *c, bool hinted)
{
	c->only_hinted = hinted && (!c->server_spoke || c->only_hinted);
	c->server_spoke = true;
}

static void client_spoke(struct model *model, struct model_connection *c,
			 enum reason reason)
{
	/* Case 11: the missed server data may have been first. */
	if (!c->server_spoke)
		decide(model, c, reason);
	else if (c->only_hinted)
		decide_or(model, c, reason, REASON_SERVER_DATA_UNSEEN);
	else
		decide_or(model, c, REASON_SERVER_DATA_UNSEEN,
			  c->only_hinted || reason != REASON_CLIENT_FIRST ?
				  reason :
				  REASON_NONE);
}

static void take_client(struct model *model, struct model_connection *c,
			const struct model_segment *s)
{
	__s32 seq = beyond(s->seq, c->isn[MODEL_CLIENT] + 1);
	__s32 bare = bare_fin(c, MODEL_CLIENT);
	bool missed = !s->len && seq > bare;

	c = take_over(model, c);
	c->answered = true;
	if (beyond(s->ack, c->isn[MODEL_SERVER] + 1) >
	    bare_fin(c, MODEL_SERVER))
		prove_server_spoke(c, false);
	note_numbers(c, MODEL_CLIENT, s);
	if (has_data_beyond(s, c->isn[MODEL_CLIENT]))
		client_spoke(model, c, REASON_CLIENT_FIRST);
	else if (missed)
		client_spoke(model, c, REASON_CLIENT_FIRST_BY_SEQ);
	events_segment(model, c, MODEL_CLIENT, s, bare);
}

/* Rule 3. */
static bool proves_silence(const struct model_connection *c, __u32 ack)
{
	return shows_nothing_of(c, MODEL_CLIENT, ack);
}

/* Judges the payload that begins at sisn+1 or before it. */
static struct model_event judge_banner(struct model *model,
				       struct model_connection *c,
				       const struct model_segment *s)
{
	struct model_event banner = { .banner = true };

	if (!banner_waits(c))
		return nothing;
	banner.skip = c->isn[MODEL_SERVER] + 1 - s->seq;
	banner.len = s->len - banner.skip;
	if (!proves_silence(c, s->ack)) {
		if (c->counted)
			client_spoke(model, c, REASON_CLIENT_FIRST_BY_ACK);
		return nothing;
	}
	c = take_over(model, c);
	if (model->need >= MODEL_NEED_SYN && !c->syn_seen) {
		decide(model, c, REASON_SYN_UNSEEN);
		return nothing;
	}
	if (model->need >= MODEL_NEED_HANDSHAKE && !c->answered) {
		if (c->maybe_answered)
			unclear(model, "a handshake out of order");
		decide(model, c, REASON_HANDSHAKE_UNSEEN);
		return nothing;
	}
	decide(model, c, REASON_BANNER);
	events_banner(model, c, &banner);
	return banner;
}

/* Whether the connection that is counted has nothing but its SYN. */
static bool beside_a_syn(struct model *model)
{
	const struct model_connection *c = counted(model);

	return c && !c->synack_seen;
}

/* Judges a server segment: it may be a banner. */
static struct model_event judge_server_segment(struct model *model,
					       struct model_connection *c,
					       const struct model_segment *s,
					       __s32 bare)
{
	__s32 seq = beyond(s->seq, c->isn[MODEL_SERVER] + 1);
	__s32 end = beyond(s->seq + s->len, c->isn[MODEL_SERVER] + 1);
	struct model_event event = nothing;
	bool was_counted = c->counted; /* else it may have another place now */

	if (seq <= 0 && end > 0)
		event = judge_banner(model, c, s);
	if (!event.banner && was_counted)
		events_segment(model, c, MODEL_SERVER, s, bare);
	/* Case 14 proves a connection by a banner; of a response it is silent.
	 */
	else if (!event.banner && seq <= 0 && end > 0 && beside_a_syn(model))
		kinds_unclear(model, MODEL_ALL_KINDS & ~MODEL_BIT(MODEL_OPEN),
			      "a response beside a SYN");
	return event;
}

/*
 * Case 14: what a server sends before its connection is proven need not be
 * followed. Only its banner is a proof.
 */
static void note_untold(struct model_connection *c,
			const struct model_segment *s)
{
	bool tells = s->len || s->flags & TCP_FIN ||
		     s->seq != c->isn[MODEL_SERVER] + 1 ||
		     s->ack != c->sent[MODEL_CLIENT];

	c->untold |= !c->counted && tells;
}

static struct model_event take_server(struct model *model,
				      struct model_connection *c,
				      const struct model_segment *s)
{
	__s32 seq = beyond(s->seq, c->isn[MODEL_SERVER] + 1);
	__s32 end = beyond(s->seq + s->len, c->isn[MODEL_SERVER] + 1);
	__s32 bare = bare_fin(c, MODEL_SERVER);
	struct model_event event;

	if (c->untold && !c->counted && seq <= 0 && end > 0)
		unclear(model, "a server segment beside a connection");
	if (seq > 0 || end <= 0 || !banner_waits(c) ||
	    !proves_silence(c, s->ack))
		note_untold(c, s);
	if (seq > bare)
		prove_server_spoke(c, !s->len && !(s->flags & TCP_FIN));
	note_numbers(c, MODEL_SERVER, s);
	event = judge_server_segment(model, c, s, bare);
	if (seq <= 0 && end == 0 && s->flags & TCP_FIN)
		decide_or(model, c, REASON_NO_DATA,
			  proves_silence(c, s->ack) ?
				  REASON_NONE :
				  REASON_CLIENT_FIRST_BY_ACK);
	return event;
}

/* Case 4: a client segment before its SYN-ACK, or before the right SYN-ACK. */
static bool remember_early(struct model *model, struct model_connection *c,
			   const struct model_segment *s)
{
	struct early_segment *early = &c->early[c->early_count];
	bool payload = has_data_beyond(s, c->isn[MODEL_CLIENT]), second;

	if (c->client != s->from || !c->syn_seen || !(s->flags & TCP_ACK) ||
	    !within_window(c, MODEL_CLIENT, s))
		return false;
	second = payload && !c->counted && model->early_beside++;
	if (c->answered || !waits(model, c) || c->early_count == MODEL_EARLY)
		return false;
	early->covers =
		payload && beyond(s->seq, c->isn[MODEL_CLIENT] + 1) <= 0;
	early->ack = s->ack;
	early->end = s->seq + s->len;
	early->payload = payload;
	early->aside = !c->counted;
	early->beside = second;
	early->tells = s->flags & TCP_FIN ||
		       (!early->payload &&
			beyond(s->seq, c->isn[MODEL_CLIENT] + 1) > 0);
	c->early_count++;
	return true;
}

/* Cases 23 and 23b: where both hold, either reason will do. */
static void ignore_client(struct model *model, const struct model_connection *c,
			  const struct model_segment *s, bool certain)
{
	bool by_seq = !within_window(c, MODEL_CLIENT, s);
	bool by_ack = !ack_earned(c, MODEL_SERVER, s);

	if (by_seq || !c->synack_seen)
		ignore(model, REASON_OUT_OF_WINDOW, certain && !by_ack);
	if (by_ack || !c->synack_seen || !by_seq)
		ignore(model, REASON_INVALID_CLIENT_SEGMENT,
		       certain && !by_seq);
	if (!by_seq && !by_ack) /* it is valid for one that is decided */
		ignore(model, REASON_OUT_OF_WINDOW, false);
}

/*
 * Counts a segment that is valid for no connection. Not certain: it is valid
 * for one, but that one is decided.
 */
static void ignore_segment(struct model *model, const struct model_segment *s,
			   bool no_match)
{
	bool one = no_match && waiting(model) == 1 && counts(model);

	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];
		bool certain =
			one && waits(model, c) && c->synack_seen && s->len;

		certain &= !remember_early(model, c, s);
		if (c->client != s->from)
			ignore(model, REASON_INVALID_SERVER_SEGMENT,
			       certain && !ack_earned(c, MODEL_CLIENT, s) &&
				       has_data_beyond(s,
						       c->isn[MODEL_SERVER]));
		else
			ignore_client(model, c, s,
				      certain &&
					      has_data_beyond(
						      s, c->isn[MODEL_CLIENT]));
	}
}

/* Data in a SYN may decide at once, or when the SYN-ACK comes. */
static bool may_be_decided(const struct model *model,
			   const struct model_connection *c)
{
	return !waits(model, c) || (c->syn_len && !c->synack_seen);
}

/*
 * A decided connection need not be followed any more: then a FIN or a RST with
 * numbers near its first ones is taken for its own, and no other.
 */
static void judge_near(struct model *model, const struct model_segment *s,
		       bool (*is_valid)(const struct model_connection *c,
					const struct model_segment *s))
{
	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];
		enum model_role role = role_of(c, s->from);
		bool near = s->seq - (c->isn[role] + 1) <= WINDOW &&
			    (!(s->flags & TCP_ACK) || !c->synack_seen ||
			     s->ack - (c->isn[!role] + 1) <= WINDOW);

		if (may_be_decided(model, c) && !closed(c) &&
		    near != is_valid(c, s))
			c->doubt = true;
		if (c->doubt && !c->counted)
			unclear(model, "near a decided connection's numbers");
	}
}

/*
 * A server segment with the right acknowledgement, far beyond what the server
 * is known to have sent: 24b has no window. Its numbers tell nothing, but
 * server data may have been missed.
 */
static void judge_far(struct model *model, const struct model_segment *s)
{
	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];

		if (c->client != s->from && c->synack_seen && waits(model, c) &&
		    (s->len || s->flags & TCP_FIN) &&
		    beyond(s->seq, c->isn[MODEL_SERVER] + 1) > 0 &&
		    !within_window(c, MODEL_SERVER, s) &&
		    ack_earned(c, MODEL_CLIENT, s)) {
			note_untold(c, s);
			prove_server_spoke(c, true);
		}
	}
}

/*
 * A client segment before the SYN-ACK of a connection that stands beside
 * another one: it need not be seen beside one that is open and decided, and it
 * may be taken for a segment of the other one.
 */
static void judge_beside(struct model *model, const struct model_segment *s)
{
	const struct model_connection *old = counted(model);

	for (int i = 0; old && i < model->connection_count; i++) {
		const struct model_connection *c = &model->connections[i];

		if (s->len && !c->counted && c->client == s->from &&
		    waits(model, c) && within_window(c, MODEL_CLIENT, s) &&
		    (valid(old, s) ||
		     (!c->synack_seen && may_be_decided(model, old) &&
		      (old->doubt || !closed(old)))))
			unclear(model, "a client segment beside a connection");
	}
}

/*
 * Whether an acknowledgement that came before the SYN-ACK says what the server
 * has sent is open (23c names valid segments, 4 names payload).
 */
static void judge_early_ack(struct model *model,
			    const struct model_connection *c,
			    const struct model_segment *s)
{
	if (c->synack_seen && !ack_earned(c, MODEL_SERVER, s) &&
	    s->flags & TCP_ACK && beyond(s->ack, c->isn[MODEL_SERVER]) > 0 &&
	    beyond(s->ack, c->early_ack) <= WINDOW)
		unclear(model, "earned by an early acknowledgement");
}

static struct model_event on_segment(struct model *model,
				     const struct model_segment *s)
{
	struct model_connection *match = NULL;

	if (s->flags & TCP_FIN)
		judge_near(model, s, valid);
	judge_far(model, s);
	judge_beside(model, s);

	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];

		if (c->client == s->from && c->early_count)
			judge_early_ack(model, c, s);
		if (!valid(c, s))
			continue;
		if (match)
			unclear(model,
				"a segment is valid for two connections");
		match = c;
	}
	if (!match) {
		ignore_segment(model, s, true);
		return nothing;
	}
	if (!waits(model, match) || !match->counted)
		ignore_segment(model, s, false);
	if (match->client != s->from)
		return take_server(model, match, s);
	take_client(model, match, s);
	return nothing;
}

/* --- RST */

/* Case 21. */
static bool rst_valid(const struct model_connection *c,
		      const struct model_segment *s)
{
	enum model_role role = role_of(c, s->from);

	if (c->reset)
		return false;
	if (!c->synack_seen && role == MODEL_SERVER)
		return c->syn_seen && s->flags & TCP_ACK &&
		       s->ack == c->isn[MODEL_CLIENT] + 1;
	return s->seq == c->sent[role] ||
	       (c->acked_known[role] && s->seq == c->acked[role]);
}

/* A refusal that acknowledges the SYN's data, too: case 21 is silent on it. */
static bool refuses_data(const struct model_connection *c,
			 const struct model_segment *s)
{
	__s32 acked = beyond(s->ack, c->isn[MODEL_CLIENT] + 1);

	return c->client != s->from && !c->synack_seen && s->flags & TCP_ACK &&
	       acked > 0 && (__u32)acked <= c->syn_len;
}

static void on_rst(struct model *model, const struct model_segment *s)
{
	bool certain = counts(model), any = false, known = false;

	judge_near(model, s, rst_valid);
	if (model->many_syns)
		unclear(model, "more than two SYNs beside a connection");
	for (int i = model->connection_count - 1; i >= 0; i--) {
		struct model_connection *c = &model->connections[i];

		if (c->untold && !c->counted)
			unclear(model, "a server segment beside a connection");
		if (c->displaced)
			unclear(model, "two SYN-ACKs beside a connection");
		if (c->left_over)
			unclear(model, "a SYN before another connection");
		if (refuses_data(c, s))
			unclear(model, "a RST that acknowledges data of a SYN");
		if (c->early_count && waits(model, c) && c->synack_seen &&
		    c->client != s->from &&
		    (!c->answered ||
		     beyond(c->early_ack, c->sent[MODEL_SERVER]) > 0 ||
		     beyond(c->early_ack, c->acked[MODEL_SERVER]) > 0))
			unclear(model, "a RST after an early client segment");
		if (c->early_unsure && c->client == s->from)
			unclear(model, "a RST after early payload that need "
				       "not be remembered");
		if (!rst_valid(c, s))
			continue;
		if (!c->synack_seen && c->client == s->from)
			unclear(model, "a client's RST before the SYN-ACK");
		if (any)
			unclear(model, "a RST is valid for two connections");
		any = true;
		known |= waits(model, c);
		if (c->server_spoke)
			decide_or(model, c, REASON_SERVER_DATA_UNSEEN,
				  REASON_RESET);
		else
			decide_or(model, c, REASON_RESET,
				  c->syn_len ? REASON_CLIENT_FIRST :
					       REASON_NONE);
		c->reset = true;
		if (c->counted)
			continue;
		model->refused++;
		forget(model, i, 1);
	}
	if (!known && model->connection_count)
		ignore(model, REASON_INVALID_RST, certain && !any);
}

/* --- SYN and SYN-ACK */

/* A connection begins beside one that is open, and replaces one that is not. */
static void judge_doubt(struct model *model)
{
	const struct model_connection *c = counted(model);

	if (c && c->doubt)
		unclear(model, "near a decided connection's numbers");
}

static void on_syn(struct model *model, const struct model_segment *s)
{
	struct model_connection *c = NULL;
	int beside = 0;

	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *other = &model->connections[i];

		beside += !other->counted && other->syn_seen &&
			  other->client == s->from;
		if (other->client != s->from) {
			if (other->synack_seen &&
			    other->isn[MODEL_SERVER] == s->seq)
				unclear(model,
					"a server's SYN after its SYN-ACK");
			continue;
		}
		if (other->isn[MODEL_CLIENT] == s->seq && !closed(other))
			c = other;
	}
	if (!c) {
		c = begin(model, s->from, s->seq);
		model->beside += !c->counted;
		if (beside >= 2)
			model->many_syns = true;
	}
	if (c->left_over)
		unclear(model, "a SYN before another connection");
	c->syn_seen = true;
	events_syn_data(model, c, s->len);
	if (s->len > c->syn_len)
		c->syn_len = s->len;
	if (s->len && c->synack_seen)
		decide(model, c, REASON_CLIENT_FIRST);
}

/* Case 24. True: it is no server's. */
static bool no_server(struct model *model, const struct model_segment *s)
{
	bool found = false;

	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];

		if (c->client != s->from || !c->syn_seen ||
		    c->isn[MODEL_CLIENT] != s->seq)
			continue;
		found = true;
		if (c->synack_seen)
			unclear(model, "a SYN-ACK with the number of an "
				       "answered SYN");
	}
	for (int i = 0; found && i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];
		bool own =
			c->client == s->from && c->isn[MODEL_CLIENT] == s->seq;
		bool asked = c->client != s->from &&
			     c->isn[MODEL_CLIENT] + 1 == s->ack;

		if (asked && c->synack_seen && !c->counted)
			unclear(model, "a SYN-ACK with another number before "
				       "the one of a SYN");
		if (own || asked)
			decide_or(model, c, REASON_NO_SERVER,
				  c->syn_len ? REASON_CLIENT_FIRST :
					       REASON_NONE);
		else if (c->counted)
			unclear(model, "no server beside another connection");
	}
	return found;
}

/* The first early payload that is valid by the SYN-ACK's numbers, or -1. */
static int judge_early(struct model *model, struct model_connection *c)
{
	int valid_early = -1, places = 0;

	c->early_ack = c->isn[MODEL_SERVER] + 1;
	for (int i = 0; i < c->early_count; i++) {
		struct model_segment s = { .flags = TCP_ACK };

		s.ack = c->early[i].ack;
		if (ack_earned(c, MODEL_SERVER, &s)) {
			events_early(model, c, &c->early[i]);
			c->maybe_answered = true;
			raise_to(&c->early_ack, s.ack);
			if (beyond(s.ack, c->isn[MODEL_SERVER] + 1) > 0)
				prove_server_spoke(c, true);
			if (c->early[i].payload) /* cases 4 and 23c */
				raise_to(&c->sent[MODEL_CLIENT],
					 c->early[i].end);
			c->early_unsure |= c->early[i].payload &&
					   (c->early[i].aside || places >= FEW);
			if (c->early[i].tells)
				unclear(model, "an early client segment that "
					       "tells without payload");
			if (c->early[i].payload && valid_early < 0) {
				valid_early = i;
				if (places >= FEW)
					unclear(model, "more early client "
						       "payload than a few");
				if (c->early[i].beside)
					unclear(model, "a second early client "
						       "payload beside");
			}
		}
		judge_early_ack(model, c, &s);
		/* A pure ACK need be remembered only where nothing else is. */
		places += c->early[i].payload || c->early[i].tells || !i;
	}
	return valid_early;
}

/* Of the SYN-ACKs beside a connection, only the latest need be remembered. */
static void displace_others(struct model *model, struct model_connection *c)
{
	for (int i = 0; !c->counted && i < model->connection_count; i++)
		if (!model->connections[i].counted &&
		    model->connections[i].synack_seen)
			model->connections[i].displaced = true;
	c->displaced = false;
}

/* The SYN-ACK counts: the connection has its numbers from now on. */
static struct model_event accept_synack(struct model *model,
					struct model_connection *c,
					const struct model_segment *s)
{
	const struct model_connection *old = counted(model);
	struct model_segment data = *s;
	int valid_early;

	displace_others(model, c);
	if (c->synack_seen && c->early_count)
		unclear(model, "two SYN-ACKs and client segments before");
	c->synack_seen = true;
	c->server_spoke = c->fin[MODEL_SERVER] = c->acked_known[MODEL_SERVER] =
		false;
	c->isn[MODEL_SERVER] = s->seq;
	c->sent[MODEL_SERVER] = s->seq + 1 + s->len;
	c->sent[MODEL_CLIENT] = c->acked[MODEL_CLIENT] = s->ack;
	c->acked_known[MODEL_CLIENT] = true;
	if (!c->counted && (!old || closed(old)))
		c = take_over(model, c);
	if (c->syn_len)
		decide(model, c, REASON_CLIENT_FIRST);
	events_synack(model, c, s->ack);
	valid_early = judge_early(model, c);
	if (valid_early >= 0) {
		c = take_over(model, c);
		c->answered = true;
		client_spoke(model, c, REASON_CLIENT_FIRST);
	}
	if (!s->len)
		return nothing;
	data = *s;
	data.seq++; /* the SYN takes a number, the data begins behind it */
	c->untold |=
		!c->counted && !(banner_waits(c) && proves_silence(c, s->ack));
	return judge_server_segment(model, c, &data, 0);
}

/* Case 13 for a SYN-ACK: but data may be in the second one only. */
static struct model_event repeat_synack(struct model *model,
					struct model_connection *c,
					const struct model_segment *s)
{
	const struct model_connection *old = counted(model);
	struct model_segment data = *s;

	if (c->displaced)
		unclear(model, "two SYN-ACKs beside a connection");
	displace_others(model, c);
	if (!c->counted && (!old || closed(old))) /* it closed in between */
		c = take_over(model, c);
	data.seq++;
	if (!s->len || !waits(model, c))
		return nothing;
	c->untold |= !c->counted && !proves_silence(c, s->ack);
	raise_to(&c->sent[MODEL_SERVER], data.seq + data.len);
	return judge_server_segment(model, c, &data, bare_fin(c, MODEL_SERVER));
}

/* Whether the SYN-ACK is an answer to this connection's SYN. */
static bool answers(const struct model_connection *c,
		    const struct model_segment *s)
{
	__s32 acked = beyond(s->ack, c->isn[MODEL_CLIENT] + 1);

	return c->client != s->from && c->syn_seen && acked >= 0 &&
	       (__u32)acked <= c->syn_len;
}

static bool answers_open(const struct model *model,
			 const struct model_segment *s)
{
	for (int i = 0; i < model->connection_count; i++)
		if (answers(&model->connections[i], s) &&
		    !closed(&model->connections[i]))
			return true;
	return false;
}

static bool same_numbers(const struct model_connection *c,
			 const struct model_segment *s)
{
	return c->client != s->from && c->synack_seen &&
	       c->isn[MODEL_SERVER] == s->seq &&
	       c->isn[MODEL_CLIENT] + 1 == s->ack;
}

/*
 * Case 15b: whether another SYN-ACK still counts. What the SYN's data decided
 * is no answer, but nothing depends on it once the connection is counted.
 */
static bool settled(const struct model *model, const struct model_connection *c)
{
	return c->answered || closed(c) || (decided(model, c) && c->counted);
}

/* Whether a SYN-ACK without a SYN may not begin another connection now. */
static bool yields_to_none(const struct model *model,
			   const struct model_connection *c)
{
	if (closed(c))
		return false;
	return c->answered || c->outcome == REASON_NO_SERVER ||
	       (c->synack_seen && decided(model, c)) ||
	       (!c->counted && c->syn_seen && c->synack_seen);
}

/* The connection without a SYN, with a SYN-ACK for the same number; or NULL. */
static struct model_connection *
same_answer(struct model *model, const struct model_segment *s, bool is_counted)
{
	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];

		if (c->client != s->from && !c->syn_seen && !closed(c) &&
		    c->counted == is_counted &&
		    c->isn[MODEL_CLIENT] + 1 == s->ack)
			return c;
	}
	return NULL;
}

static bool any_yields_to_none(struct model *model)
{
	for (int i = 0; i < model->connection_count; i++) {
		const struct model_connection *c = &model->connections[i];

		if (c->maybe_answered && !c->answered && !closed(c))
			unclear(model, "a handshake out of order");
		if (c->outcome == REASON_NO_SERVER &&
		    (!c->counted || c->syn_len))
			unclear(model, "no server beside another connection");
		if (!c->counted && c->untold)
			unclear(model, "a server segment beside a connection");
		if (yields_to_none(model, c))
			return true;
	}
	return false;
}

/* Case 15 where no SYN is remembered: case 2. */
static struct model_event on_unasked_synack(struct model *model,
					    const struct model_segment *s)
{
	struct model_connection *c = same_answer(model, s, true);

	if (c && !yields_to_none(model, c))
		return accept_synack(model, c, s); /* as case 15b */
	if (any_yields_to_none(model)) {
		ignore(model, REASON_STALE_SYNACK, counts(model));
		return nothing;
	}
	c = same_answer(model, s, false);
	if (c)
		return accept_synack(model, c, s);
	/* Of those that stand beside a connection, the latest counts. */
	for (int i = model->connection_count - 1; i >= 0; i--)
		if (!model->connections[i].counted &&
		    !model->connections[i].syn_seen)
			forget(model, i, 1);
	return accept_synack(model, begin(model, !s->from, s->ack - 1), s);
}

/* Of an older one's data, it need not be known how much it was. */
static bool newest_syn(const struct model *model,
		       const struct model_connection *c)
{
	const struct model_connection *last =
		&model->connections[model->connection_count - 1];

	if (c->counted)
		return true;
	while (last->client != c->client)
		last--;
	return last == c;
}

/* The SYNs of the SYN-ACK's direction, and the latest that it answers. */
struct asked {
	struct model_connection *by;
	bool remembered; /* one that is open */
	bool past;	 /* one that is closed */
};

static struct asked find_asked(struct model *model,
			       const struct model_segment *s)
{
	struct asked asked = {};

	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];

		if (c->client == s->from || !c->syn_seen)
			continue;
		if (closed(c))
			asked.past = true;
		else
			asked.remembered = true;
		if (!answers(c, s))
			continue;
		if (asked.by && !closed(asked.by))
			unclear(model, "a SYN-ACK that answers two SYNs");
		asked.by = c;
	}
	return asked;
}

/* A SYN-ACK that answers the SYN of this connection. */
static struct model_event answer(struct model *model,
				 struct model_connection *c,
				 const struct model_segment *s)
{
	if (s->ack != c->isn[MODEL_CLIENT] + 1 &&
	    (closed(c) || c->was_beside || !newest_syn(model, c)))
		unclear(model, "a SYN-ACK for the data of an older SYN");
	if (c->untold && !c->counted)
		unclear(model, "a server segment beside a connection");
	if (c->synack_seen && c->isn[MODEL_SERVER] == s->seq)
		return repeat_synack(model, c, s);
	if (c->outcome == REASON_NO_SERVER)
		unclear(model, "a SYN-ACK with another number after the one "
			       "of a SYN");
	if (c->synack_seen && !settled(model, c) && c->maybe_answered)
		unclear(model, "a handshake out of order");
	if (!closed(c) && (!c->synack_seen || !settled(model, c)))
		return accept_synack(model, c, s);
	ignore(model, REASON_STALE_SYNACK, counts(model));
	if (closed(c) && model->own[!s->from])
		ignore(model, REASON_UNSOLICITED, false);
	return nothing;
}

/* Marks what the definition leaves open about any SYN-ACK. */
static void judge_synack(struct model *model)
{
	for (int i = 0; i < model->connection_count; i++)
		if (model->connections[i].left_over)
			unclear(model, "a SYN before another connection");
	if (model->many_syns)
		unclear(model, "more than two SYNs beside a connection");
}

static struct model_event on_synack(struct model *model,
				    const struct model_segment *s)
{
	struct asked asked;

	judge_synack(model);
	if (no_server(model, s))
		return nothing;
	for (int i = 0; i < model->connection_count; i++) {
		struct model_connection *c = &model->connections[i];

		if (same_numbers(c, s) && !c->syn_seen &&
		    !(closed(c) && answers_open(model, s)))
			return repeat_synack(model, c, s);
	}
	asked = find_asked(model, s);
	if (asked.by)
		return answer(model, asked.by, s);
	if (asked.remembered) {
		ignore(model, REASON_STALE_SYNACK, counts(model));
		if (!counts(model) && model->own[!s->from])
			ignore(model, REASON_UNSOLICITED, false);
		return nothing;
	}
	if (model->need != MODEL_NEED_NONE && model->own[!s->from]) {
		ignore(model, REASON_UNSOLICITED, !asked.past);
		if (asked.past)
			ignore(model, REASON_STALE_SYNACK, false);
		return nothing;
	}
	return on_unasked_synack(model, s);
}

/* --- packets */

void model_open(struct model *model, enum model_need need, bool own0, bool own1,
		bool live)
{
	model->need = need;
	model->own[0] = own0;
	model->own[1] = own1;
	model->live = live;
	model->connection_count = model->begun = model->beside = 0;
	model->many_syns = false;
	model->early_beside = 0;
	model->refused = 0;
	model->alternative_count = 0;
	memset(model->outcomes, 0, sizeof(model->outcomes));
	memset(model->ignored, 0, sizeof(model->ignored));
	model->unclear = NULL;
	model->asked = MODEL_BANNER_ONLY;
	model->packet = -1;
	model->logged_count = 0;
	memset(model->kind_unclear, 0, sizeof(model->kind_unclear));
	memset(model->reason_count, 0, sizeof(model->reason_count));
}

void model_ask(struct model *model, unsigned int kinds)
{
	model->asked = kinds;
}

struct model_event model_packet(struct model *model,
				const struct model_segment *s)
{
	model->packet++;
	if (model->need != MODEL_NEED_NONE && model->own[s->from] &&
	    s->way == WAY_IN) {
		ignore(model, REASON_NOT_SEEN_LEAVING,
		       s->flags & TCP_SYN || counts(model));
		return nothing;
	}
	if (s->flags & TCP_SYN && s->flags & (TCP_FIN | TCP_RST)) {
		ignore(model, REASON_INVALID_FLAGS, counts(model));
		return nothing;
	}
	if (s->flags & TCP_RST) {
		on_rst(model, s);
		return nothing;
	}
	if (!(s->flags & TCP_SYN))
		return on_segment(model, s);
	judge_doubt(model);
	if (s->flags & TCP_ACK)
		return on_synack(model, s);
	on_syn(model, s);
	return nothing;
}

void model_finish(struct model *model)
{
	struct model_connection *c = counted(model);

	if (!c)
		return;
	if (model->live)
		decide_or(model, c, REASON_OPEN,
			  c->syn_len ? REASON_CLIENT_FIRST : REASON_NONE);
	else
		end(model, c, REASON_CUT_OFF);
	events_end(model, c, model->live ? REASON_OPEN : REASON_CUT_OFF);
}
