/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "beginnings.h"

#include "packet.h"
#include "talk.h"

#define TICKS 90
#define DELAY 6		 /* ticks from one end to the other */
#define RETRANSMISSION 9 /* ticks until something is sent again */
#define CHUNKS 4	 /* that each end sends; the last may be a FIN */
#define NEVER (-1)

/* Data or a FIN, or both. Each has its place in the stream. */
struct chunk {
	__u32 seq, len;
	bool fin;
	bool arrived;
	bool acknowledged;
	int again; /* when it is sent again, or NEVER */
};

struct side {
	__u8 end; /* 0 or 1 of the conversation */
	__u32 isn;
	bool established;
	bool quiet;    /* it sends no ACK of its own accord */
	bool answers;  /* it speaks only when it has received something */
	bool closed;   /* it sends nothing more */
	int speaks_at; /* a tick */
	int closes_at; /* likewise, or NEVER */
	int chunk_count, chunks_to_send;
	struct chunk chunks[CHUNKS + 1];
	__u32 base; /* where its first chunk begins: after accepted SYN data */
	__u32 heard_of_syn; /* bytes of the other's SYN that were accepted */
};

enum fast_open { FAST_NONE, FAST_WHOLE, FAST_PART, FAST_REFUSED, FAST_DROPPED };

struct flight {
	struct model_segment segment;
	int passes; /* tick at which it passes the probe, or NEVER */
	int arrives;
	int chunk; /* or -1 */
};

struct wire {
	struct conversation *c;
	struct chance *chance;
	bool loss;
	int probe; /* ticks from the client to the probe */
	int now;
	enum fast_open fast;
	__u32 syn_len;
	struct side sides[2]; /* client, server */
	struct flight flights[CONVERSATION_MAX];
	int flight_count;
};

static __u32 received(const struct wire *w, enum model_role role)
{
	const struct side *other = &w->sides[!role];
	__u32 next = other->isn + 1 + w->sides[role].heard_of_syn;

	for (int i = 0; i < other->chunk_count; i++) {
		if (!other->chunks[i].arrived)
			break;
		next = other->chunks[i].seq + other->chunks[i].len +
		       other->chunks[i].fin;
	}
	return next;
}

static bool received_data(const struct wire *w, enum model_role role)
{
	const struct side *other = &w->sides[!role];

	return w->sides[role].heard_of_syn ||
	       (other->chunk_count && other->chunks[0].arrived &&
		other->chunks[0].len);
}

/* --- packets on their way */

static void transmit(struct wire *w, enum model_role role, __u8 flags,
		     __u32 seq, __u32 len, int chunk)
{
	struct flight *f = &w->flights[w->flight_count];
	int to_probe = role == MODEL_CLIENT ? w->probe : DELAY - w->probe;
	bool lost = w->loss && chunk >= 0 && one_in(w->chance, 4);
	bool before = lost && one_in(w->chance, 2);

	if (w->flight_count == CONVERSATION_MAX / 2)
		return;
	w->flight_count++;
	*f = (struct flight){ .chunk = chunk };
	f->segment.from = w->sides[role].end;
	f->segment.flags = flags;
	f->segment.seq = seq;
	f->segment.len = len;
	if (flags & TCP_ACK)
		f->segment.ack = received(w, role);
	f->passes = before ? NEVER : w->now + to_probe;
	f->arrives = lost ? NEVER : w->now + DELAY;
}

static void send_chunk(struct wire *w, enum model_role role, int number)
{
	struct side *side = &w->sides[role];
	struct chunk *chunk = &side->chunks[number];
	__u8 flags = TCP_ACK;

	if (chunk->len)
		flags |= TCP_PSH;
	if (chunk->fin)
		flags |= TCP_FIN;
	transmit(w, role, flags, chunk->seq, chunk->len, number);
	chunk->again = w->now + RETRANSMISSION;
}

static void note_truth(struct wire *w, enum model_role role, __u32 len)
{
	struct side_truth *truth = &w->c->truth[role];

	if (truth->spoke || !len)
		return;
	truth->spoke = true;
	truth->heard = received_data(w, role);
	truth->len = len;
}

static void add_chunk(struct wire *w, enum model_role role, __u32 len, bool fin)
{
	struct side *side = &w->sides[role];
	struct chunk *chunk = &side->chunks[side->chunk_count];
	const struct chunk *last = chunk - 1;

	chunk->seq = side->base;
	if (side->chunk_count)
		chunk->seq = last->seq + last->len;
	chunk->len = len;
	chunk->fin = fin;
	note_truth(w, role, len);
	send_chunk(w, role, side->chunk_count++);
	side->closed |= fin;
}

static void send_ack(struct wire *w, enum model_role role)
{
	const struct side *side = &w->sides[role];
	__u32 seq = side->base;

	if (side->chunk_count) {
		const struct chunk *last = &side->chunks[side->chunk_count - 1];

		seq = last->seq + last->len + last->fin;
	}
	transmit(w, role, TCP_ACK, seq, 0, -1);
}

/* --- the handshake */

static void send_syn(struct wire *w)
{
	transmit(w, MODEL_CLIENT, TCP_SYN, w->sides[MODEL_CLIENT].isn,
		 w->syn_len, -1);
}

static __u32 accepted(const struct wire *w)
{
	switch (w->fast) {
	case FAST_WHOLE:
		return w->syn_len;
	case FAST_PART:
		return w->syn_len / 2;
	default:
		return 0;
	}
}

/* The server may speak in its SYN-ACK (Fast Open), where it has heard. */
static void send_synack(struct wire *w)
{
	struct side *server = &w->sides[MODEL_SERVER];
	__u32 len = 0;

	server->heard_of_syn = accepted(w);
	w->sides[MODEL_CLIENT].base += server->heard_of_syn;
	if (server->heard_of_syn && one_in(w->chance, 4))
		len = some_len(w->chance);
	if (!len) {
		transmit(w, MODEL_SERVER, TCP_SYN | TCP_ACK, server->isn, 0,
			 -1);
		return;
	}
	note_truth(w, MODEL_SERVER, len);
	server->chunks[0].seq = server->base;
	server->chunks[0].len = len;
	server->chunks[0].again = NEVER;
	server->chunk_count = 1;
	transmit(w, MODEL_SERVER, TCP_SYN | TCP_ACK, server->isn, len, 0);
	/* It is not lost: nothing sends it again. */
	w->flights[w->flight_count - 1].passes = w->now + DELAY - w->probe;
	w->flights[w->flight_count - 1].arrives = w->now + DELAY;
}

static void on_synack(struct wire *w)
{
	struct side *client = &w->sides[MODEL_CLIENT];
	__u32 rest = w->syn_len - accepted(w);

	client->established = true;
	if (w->fast == FAST_DROPPED)
		rest = 0;
	if (rest && !one_in(w->chance, 3)) /* in the handshake's ACK */
		add_chunk(w, MODEL_CLIENT, rest, false);
	else
		send_ack(w, MODEL_CLIENT);
	if (w->fast == FAST_DROPPED)
		client->chunks_to_send = 0;
	else if (rest && !client->chunk_count)
		add_chunk(w, MODEL_CLIENT, rest, false);
}

/* --- arriving packets */

static void note_acknowledged(struct wire *w, enum model_role role, __u32 ack)
{
	struct side *side = &w->sides[role];

	for (int i = 0; i < side->chunk_count; i++) {
		struct chunk *chunk = &side->chunks[i];

		if ((__s32)(ack - chunk->seq - chunk->len - chunk->fin) < 0)
			continue;
		chunk->acknowledged = true;
		chunk->again = NEVER;
	}
}

static void arrive(struct wire *w, const struct flight *f)
{
	enum model_role from = f->segment.from == w->sides[MODEL_SERVER].end ?
				       MODEL_SERVER :
				       MODEL_CLIENT;
	struct side *to = &w->sides[!from];

	if (f->chunk >= 0)
		w->sides[from].chunks[f->chunk].arrived = true;
	if (f->segment.flags & TCP_SYN) {
		if (from == MODEL_CLIENT)
			send_synack(w);
		else
			on_synack(w);
		return;
	}
	to->established = true;
	note_acknowledged(w, !from, f->segment.ack);
	if (f->chunk >= 0 && !(to->quiet && one_in(w->chance, 2)))
		send_ack(w, !from);
}

/* --- packets that an end sends of its own accord */

static bool wants_to_speak(const struct wire *w, enum model_role role)
{
	const struct side *side = &w->sides[role];

	return side->chunks_to_send && w->now >= side->speaks_at &&
	       (!side->answers || received_data(w, role));
}

static void act(struct wire *w, enum model_role role)
{
	struct side *side = &w->sides[role];

	if (!side->established)
		return;
	for (int i = 0; i < side->chunk_count; i++)
		if (side->chunks[i].again == w->now)
			send_chunk(w, role, i);
	if (side->closed || side->chunk_count == CHUNKS)
		return;
	if (wants_to_speak(w, role)) {
		side->chunks_to_send--;
		side->speaks_at = w->now + below(w->chance, 8);
		add_chunk(w, role, some_len(w->chance),
			  !side->chunks_to_send && one_in(w->chance, 8));
	} else if (side->closes_at != NEVER && w->now >= side->closes_at) {
		add_chunk(w, role, 0, true);
	}
}

static void set_up(struct wire *w, enum model_role role)
{
	struct side *side = &w->sides[role];
	struct chance *chance = w->chance;

	side->end = (__u8)role;
	side->isn = some_isn(chance);
	side->base = side->isn + 1;
	side->quiet = one_in(chance, 2);
	side->answers = one_in(chance, 3);
	side->speaks_at = 2 * DELAY + below(chance, 20);
	side->closes_at =
		one_in(chance, 3) ? 2 * DELAY + below(chance, 60) : NEVER;
	side->chunks_to_send = one_in(chance, 5) ? 0 : 1 + below(chance, 3);
	conversation_note_base(w->c, side->isn, side->end);
	w->c->truth[role] = (struct side_truth){};
}

/* In the order in which they pass the probe; first sent, first seen. */
static void record(struct wire *w)
{
	for (int tick = 0; tick <= TICKS + DELAY; tick++)
		for (int i = 0; i < w->flight_count; i++)
			if (w->flights[i].passes == tick)
				conversation_insert(w->c, w->c->count,
						    &w->flights[i].segment,
						    ORIGIN_HONEST);
}

/* A RST at the end, with the number that the other side expects. */
static void reset(struct wire *w)
{
	enum model_role role = (enum model_role)below(w->chance, 2);

	transmit(w, role, TCP_RST | TCP_ACK, received(w, !role), 0, -1);
	w->sides[MODEL_CLIENT].closed = w->sides[MODEL_SERVER].closed = true;
}

void begin_connection(struct conversation *c, struct chance *chance, bool loss)
{
	struct wire w = { .c = c, .chance = chance, .loss = loss };
	int resets_at =
		one_in(chance, 8) ? 2 * DELAY + below(chance, 40) : NEVER;

	w.probe = below(chance, DELAY + 1);
	if (one_in(chance, 5)) {
		w.fast = FAST_WHOLE + (enum fast_open)below(chance, 4);
		w.syn_len = 2 + some_len(chance);
	}
	set_up(&w, MODEL_CLIENT);
	set_up(&w, MODEL_SERVER);
	if (w.syn_len)
		note_truth(&w, MODEL_CLIENT, w.syn_len);
	c->truth[MODEL_CLIENT].in_syn = accepted(&w);
	c->truth[MODEL_CLIENT].undelivered = w.fast == FAST_DROPPED;
	send_syn(&w);
	for (w.now = 0; w.now < TICKS; w.now++) {
		for (int i = 0; i < w.flight_count; i++)
			if (w.flights[i].arrives == w.now)
				arrive(&w, &w.flights[i]);
		act(&w, MODEL_CLIENT);
		act(&w, MODEL_SERVER);
		if (w.now == resets_at) {
			reset(&w);
			break;
		}
	}
	record(&w);
}
