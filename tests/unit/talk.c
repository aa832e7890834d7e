/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "talk.h"

#include "packet.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

static void append(struct conversation *c, __u8 from, __u8 flags, __u32 seq,
		   __u32 ack, __u32 len)
{
	struct model_segment segment = { .from = from, .flags = flags };

	segment.seq = seq;
	segment.ack = flags & TCP_ACK ? ack : 0;
	segment.len = len;
	conversation_insert(c, c->count, &segment, ORIGIN_HONEST);
}

void say(struct talk *talk, __u8 from, __u8 flags, __u32 len)
{
	struct end *end = &talk->ends[from];

	append(talk->conversation, from, flags, end->next, end->heard, len);
	end->next += len + !!(flags & TCP_FIN);
	end->fin |= flags & TCP_FIN;
}

static void hear(struct talk *talk, __u8 end)
{
	talk->ends[end].heard = talk->ends[!end].next;
}

__u32 some_len(struct chance *chance)
{
	static const __u32 lens[] = { 1, 1, 2, 4, 8, 22, 40, 512, 1400 };

	return lens[below(chance, COUNT(lens))];
}

__u32 some_isn(struct chance *chance)
{
	__u32 number = (__u32)draw(chance);

	switch (below(chance, 8)) {
	case 0: /* about to wrap around */
		return 0 - (number & 15);
	case 1:
		return 0 - (number & 0x1ffff);
	case 2:
		return 0x80000000 - (number & 15);
	default:
		return number;
	}
}

void choose_isn(struct talk *talk, __u8 end, __u32 isn)
{
	talk->ends[end] = (struct end){ .isn = isn, .next = isn + 1 };
	conversation_note_base(talk->conversation, isn, end);
}

/* --- handshakes */

static void send_syn(struct talk *talk, __u32 len)
{
	append(talk->conversation, talk->client, TCP_SYN,
	       talk->ends[talk->client].isn, 0, len);
}

static void send_synack(struct talk *talk, __u32 len)
{
	__u8 server = !talk->client;

	append(talk->conversation, server, TCP_SYN | TCP_ACK,
	       talk->ends[server].isn, talk->ends[server].heard, len);
	talk->ends[server].next = talk->ends[server].isn + 1 + len;
}

static void send_ack(struct talk *talk, __u8 from)
{
	hear(talk, from);
	say(talk, from, TCP_ACK, 0);
}

void shake_hands(struct talk *talk)
{
	send_syn(talk, 0);
	if (one_in(talk->chance, 8))
		send_syn(talk, 0);
	hear(talk, !talk->client);
	send_synack(talk,
		    one_in(talk->chance, 10) ? some_len(talk->chance) : 0);
	if (one_in(talk->chance, 8))
		send_synack(talk, 0);
	send_ack(talk, talk->client);
}

/* TCP Fast Open, accepted or not. */
static void shake_hands_fast(struct talk *talk)
{
	__u32 len = some_len(talk->chance);
	struct end *client = &talk->ends[talk->client];

	send_syn(talk, len);
	if (one_in(talk->chance, 4))
		send_syn(talk, 0);
	if (one_in(talk->chance, 2))
		client->next += len;
	hear(talk, !talk->client);
	send_synack(talk, one_in(talk->chance, 4) ? some_len(talk->chance) : 0);
	send_ack(talk, talk->client);
}

static void open_simultaneously(struct talk *talk, bool split)
{
	__u8 client = talk->client;

	send_syn(talk, 0);
	append(talk->conversation, !client, TCP_SYN, talk->ends[!client].isn, 0,
	       0);
	hear(talk, client);
	hear(talk, !client);
	append(talk->conversation, client, TCP_SYN | TCP_ACK,
	       talk->ends[client].isn, talk->ends[client].heard, 0);
	if (split)
		send_ack(talk, !client);
	else
		append(talk->conversation, !client, TCP_SYN | TCP_ACK,
		       talk->ends[!client].isn, talk->ends[!client].heard, 0);
}

static void be_refused(struct talk *talk)
{
	send_syn(talk, 0);
	if (one_in(talk->chance, 4))
		send_syn(talk, 0);
	append(talk->conversation, !talk->client, TCP_RST | TCP_ACK, 0,
	       talk->ends[talk->client].next, 0);
}

/* A server that forgot its first answer (a restart, SYN cookies renewed). */
static void answer_twice(struct talk *talk)
{
	send_syn(talk, 0);
	hear(talk, !talk->client);
	send_synack(talk, 0);
	choose_isn(talk, !talk->client, some_isn(talk->chance));
	hear(talk, !talk->client);
	send_synack(talk, 0);
	send_ack(talk, talk->client);
}

/* False: nothing comes after it. */
static bool open_talk(struct talk *talk)
{
	choose_isn(talk, talk->client, some_isn(talk->chance));
	choose_isn(talk, !talk->client, some_isn(talk->chance));
	switch (below(talk->chance, 24)) {
	case 0:
		send_syn(talk, 0);
		if (one_in(talk->chance, 2))
			send_syn(talk, 0);
		return false;
	case 1:
		be_refused(talk);
		return false;
	case 2:
	case 3:
		shake_hands_fast(talk);
		return true;
	case 4:
		open_simultaneously(talk, one_in(talk->chance, 2));
		return true;
	case 5:
		answer_twice(talk);
		return true;
	default:
		shake_hands(talk);
		return true;
	}
}

/* --- what is said */

/* Sends again something that this end has sent, perhaps with more behind it. */
static void send_again(struct talk *talk, __u8 from)
{
	struct conversation *c = talk->conversation;
	struct model_segment segment;
	int at = talk->first + below(talk->chance, c->count - talk->first);

	segment = c->packets[at].segment;
	if (segment.from != from || segment.flags & (TCP_SYN | TCP_RST))
		return;
	segment.ack = talk->ends[from].heard;
	conversation_insert(c, c->count, &segment, ORIGIN_HONEST);
}

/* One that begins before what is new, and overlaps it. */
static void overlap(struct talk *talk, __u8 from)
{
	struct end *end = &talk->ends[from];
	__u32 sent = end->next - end->isn - 1;
	__u32 back = sent ? 1 + (__u32)below(talk->chance, (int)sent) : 1;
	__u32 len;

	if (back > 200)
		back = 200;
	len = back + some_len(talk->chance);
	append(talk->conversation, from, TCP_ACK, end->next - back, end->heard,
	       len);
	end->next += len - back;
}

static void reset(struct talk *talk, __u8 from)
{
	static const __s32 wrong[] = { -1, 1, 2, 1000, 65535, -70000 };
	struct end *end = &talk->ends[from];
	bool right = !one_in(talk->chance, 4);
	__u8 flags = TCP_RST | (one_in(talk->chance, 2) ? TCP_ACK : 0);
	__u32 seq =
		one_in(talk->chance, 2) ? end->next : talk->ends[!from].heard;

	if (!right)
		seq += (__u32)wrong[below(talk->chance, COUNT(wrong))];
	append(talk->conversation, from, flags, seq, end->heard, 0);
}

static void keep_alive(struct talk *talk, __u8 from)
{
	struct end *end = &talk->ends[from];

	append(talk->conversation, from, TCP_ACK, end->next - 1, end->heard,
	       one_in(talk->chance, 2));
}

static void act(struct talk *talk, __u8 from, int shyness)
{
	struct chance *chance = talk->chance;
	struct end *end = &talk->ends[from];

	if (!one_in(chance, 4))
		hear(talk, from);
	if (end->fin) {
		if (one_in(chance, 3))
			send_again(talk, from);
		else
			say(talk, from, TCP_ACK, 0);
		return;
	}
	switch (below(chance, 16)) {
	default:
		if (!one_in(chance, shyness))
			break;
		say(talk, from, TCP_ACK | TCP_PSH, some_len(chance));
		return;
	case 0:
		if (one_in(chance, shyness))
			overlap(talk, from);
		return;
	case 1:
		say(talk, from, TCP_FIN | TCP_ACK, 0);
		return;
	case 2:
		if (one_in(chance, shyness))
			say(talk, from, TCP_FIN | TCP_ACK, some_len(chance));
		return;
	case 3:
		keep_alive(talk, from);
		return;
	case 4:
		send_again(talk, from);
		return;
	case 5:
		if (one_in(chance, 2))
			reset(talk, from);
		return;
	}
	say(talk, from, TCP_ACK, 0);
}

static void speak(struct talk *talk)
{
	struct chance *chance = talk->chance;
	int shyness[2], steps = below(chance, 14);

	/* Which end is likely to be first, or whether none says anything. */
	shyness[talk->client] = one_in(chance, 3) ? 1 : 8;
	shyness[!talk->client] = one_in(chance, 4) ? 8 : 1;
	for (int i = 0; i < steps; i++) {
		__u8 from = (__u8)below(chance, 2);

		act(talk, from, shyness[from]);
	}
}

static void close_talk(struct talk *talk)
{
	__u8 first = (__u8)below(talk->chance, 2);

	switch (below(talk->chance, 4)) {
	case 0: /* nothing more is heard of it */
		return;
	case 1:
		append(talk->conversation, first, TCP_RST,
		       talk->ends[first].next, 0, 0);
		return;
	default:
		break;
	}
	for (int i = 0; i < 2; i++) {
		__u8 from = i ? !first : first;

		hear(talk, from);
		if (!talk->ends[from].fin)
			say(talk, from, TCP_FIN | TCP_ACK, 0);
	}
	send_ack(talk, first);
}

void converse(struct conversation *c, struct chance *chance)
{
	struct talk talk = { .conversation = c, .chance = chance };

	do {
		bool open;

		talk.first = c->count;
		open = open_talk(&talk);
		if (open)
			speak(&talk);
		if (!one_in(chance, 5))
			return;
		if (open)
			close_talk(&talk);
		/* The port is used again. */
		if (one_in(chance, 6))
			talk.client = !talk.client;
	} while (c->count < CONVERSATION_MAX / 2);
}
