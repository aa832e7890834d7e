/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "conversations.h"

#include "packet.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* --- chance */

struct chance {
	__u64 state;
};

/* SplitMix64. */
static __u64 draw(struct chance *chance)
{
	__u64 z = chance->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int below(struct chance *chance, int limit)
{
	return (int)((draw(chance) >> 32) * (__u64)limit >> 32);
}

static bool one_in(struct chance *chance, int number)
{
	return below(chance, number) == 0;
}

/* --- honest ends */

struct end {
	__u32 isn;
	__u32 next;  /* the number of what it sends next */
	__u32 heard; /* what it acknowledges */
	bool fin;
};

struct talk {
	struct conversation *conversation;
	struct chance *chance;
	struct end ends[2];
	__u8 client;
	int first; /* its first packet */
};

static void insert(struct conversation *c, int at,
		   const struct model_segment *segment, enum origin origin)
{
	if (c->count == CONVERSATION_MAX)
		return;
	memmove(c->packets + at + 1, c->packets + at,
		(size_t)(c->count - at) * sizeof(*c->packets));
	c->packets[at].segment = *segment;
	c->packets[at].origin = origin;
	c->count++;
}

static void append(struct conversation *c, __u8 from, __u8 flags, __u32 seq,
		   __u32 ack, __u32 len)
{
	struct model_segment segment = { .from = from, .flags = flags };

	segment.seq = seq;
	segment.ack = flags & TCP_ACK ? ack : 0;
	segment.len = len;
	insert(c, c->count, &segment, ORIGIN_HONEST);
}

/* Sends what comes next; the SYN's number is taken by the caller. */
static void say(struct talk *talk, __u8 from, __u8 flags, __u32 len)
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

static __u32 some_len(struct chance *chance)
{
	static const __u32 lens[] = { 1, 1, 2, 4, 8, 22, 40, 512, 1400 };

	return lens[below(chance, COUNT(lens))];
}

static __u32 some_isn(struct chance *chance)
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

static void note_base(struct conversation *c, __u32 isn, __u8 end)
{
	if (c->base_count == CONVERSATION_BASES)
		return;
	c->bases[c->base_count].isn = isn;
	c->bases[c->base_count++].end = end;
}

static void choose_isn(struct talk *talk, __u8 end, __u32 isn)
{
	talk->ends[end] = (struct end){ .isn = isn, .next = isn + 1 };
	note_base(talk->conversation, isn, end);
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

static void shake_hands(struct talk *talk)
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

/* Again something that this end has sent, perhaps with more behind it. */
static void send_again(struct talk *talk, __u8 from)
{
	struct conversation *c = talk->conversation;
	struct model_segment segment;
	int at = talk->first + below(talk->chance, c->count - talk->first);

	segment = c->packets[at].segment;
	if (segment.from != from || segment.flags & (TCP_SYN | TCP_RST))
		return;
	segment.ack = talk->ends[from].heard;
	insert(c, c->count, &segment, ORIGIN_HONEST);
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

static void converse(struct conversation *c, struct chance *chance)
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

/* --- disturbances */

static void take_out(struct conversation *c, int at)
{
	c->count--;
	memmove(c->packets + at, c->packets + at + 1,
		(size_t)(c->count - at) * sizeof(*c->packets));
}

static void disturb(struct conversation *c, struct chance *chance)
{
	int times = 1 + below(chance, 4);

	for (int i = 0; i < times && c->count > 1; i++) {
		int at = below(chance, c->count);
		struct model_segment segment = c->packets[at].segment;
		int later = at + 1 + below(chance, c->count - at);

		switch (below(chance, 5)) {
		case 0: /* lost, or missed */
		case 1:
			take_out(c, at);
			break;
		case 2: /* again, at once */
			insert(c, at + 1, &segment, ORIGIN_COPY);
			break;
		case 3: /* again, late */
			insert(c, later, &segment, ORIGIN_COPY);
			break;
		default: /* late */
			take_out(c, at);
			later = at + 1 + below(chance, 3);
			insert(c, later < c->count ? later : c->count, &segment,
			       ORIGIN_HONEST);
		}
	}
}

/* --- forgeries */

static const __u8 forged_flags[] = {
	TCP_SYN,	   TCP_SYN | TCP_ACK, TCP_RST,
	TCP_RST | TCP_ACK, TCP_ACK,	      TCP_ACK | TCP_PSH,
	TCP_FIN | TCP_ACK, TCP_FIN,	      0,
	TCP_PSH,	   TCP_SYN | TCP_FIN, TCP_ACK,
	TCP_ACK | TCP_PSH,
};

/* Distances at which a rule may draw a line. */
static const __s32 distances[] = {
	0,     0,      0,      1,      1,	2,	3,
	-1,    -2,     5,      100,    1000,	32768,	65533,
	65534, 65535,  65536,  65537,  65538,	131071, 0x7fffffff,
	-100,  -65535, -65536, -65537, -131072,
};

/* A number as `end` could use it, if it is not one out of 2^32. */
static __u32 forge_number(struct conversation *c, struct chance *chance,
			  __u8 end, bool blind)
{
	int at;

	if (blind || !c->count)
		return (__u32)draw(chance);
	if (one_in(chance, 2)) { /* from a packet of the conversation */
		const struct model_segment *s =
			&c->packets[below(chance, c->count)].segment;

		if (s->from == end)
			return s->seq + s->len +
			       (__u32)distances[below(chance,
						      COUNT(distances))];
		return s->ack;
	}
	at = below(chance, c->base_count);
	if (c->bases[at].end != end)
		at = below(chance, c->base_count);
	return c->bases[at].isn + 1 +
	       (__u32)distances[below(chance, COUNT(distances))];
}

static struct model_segment forge(struct conversation *c, struct chance *chance,
				  __u8 from, __u8 flags)
{
	struct model_segment s = { .from = from, .flags = flags };
	bool blind = one_in(chance, 3);

	s.seq = forge_number(c, chance, from, blind || one_in(chance, 4));
	s.ack = forge_number(c, chance, !from, blind || one_in(chance, 4));
	if (!one_in(chance, 3) && (!(flags & TCP_SYN) || one_in(chance, 4)))
		s.len = some_len(chance);
	if (!(flags & TCP_ACK) && one_in(chance, 2))
		s.ack = 0;
	return s;
}

/* Some of all kinds, anywhere. */
static void forge_scattered(struct conversation *c, struct chance *chance)
{
	int times = 1 + below(chance, 8);

	for (int i = 0; i < times; i++) {
		struct model_segment s =
			forge(c, chance, (__u8)below(chance, 2),
			      forged_flags[below(chance, COUNT(forged_flags))]);

		insert(c, below(chance, c->count + 1), &s, ORIGIN_FORGED);
	}
}

/* Many of one kind, one after the other. */
static void forge_burst(struct conversation *c, struct chance *chance)
{
	int times = 2 + below(chance, 10), at = below(chance, c->count + 1);
	__u8 flags = forged_flags[below(chance, COUNT(forged_flags))];
	__u8 from = (__u8)below(chance, 2);

	for (int i = 0; i < times; i++) {
		struct model_segment s = forge(c, chance, from, flags);

		insert(c, at, &s, ORIGIN_FORGED);
		at += 1 + below(chance, 2);
		if (at > c->count)
			at = c->count;
	}
}

/* A whole conversation of which neither end knows. */
static void forge_both_ends(struct conversation *c, struct chance *chance)
{
	struct conversation other = { .count = 0 };
	struct talk talk = { .conversation = &other, .chance = chance };
	int at = below(chance, c->count + 1);

	talk.client = one_in(chance, 4);
	choose_isn(&talk, 0, some_isn(chance));
	choose_isn(&talk, 1, some_isn(chance));
	note_base(c, talk.ends[0].isn, 0);
	note_base(c, talk.ends[1].isn, 1);
	shake_hands(&talk);
	if (!one_in(chance, 4))
		say(&talk, !talk.client, TCP_ACK, some_len(chance));
	for (int i = 0; i < other.count; i++) {
		if (one_in(chance, 6))
			continue;
		insert(c, at, &other.packets[i].segment, ORIGIN_FORGED);
		at += 1 + one_in(chance, 4);
		if (at > c->count)
			at = c->count;
	}
}

static void forge_some(struct conversation *c, struct chance *chance)
{
	switch (below(chance, 4)) {
	case 0:
		forge_burst(c, chance);
		return;
	case 1:
		forge_both_ends(c, chance);
		return;
	default:
		forge_scattered(c, chance);
	}
}

/* --- the way of each packet */

/* Both ends are here: what leaves comes in again (loopback). */
static void loop_back(struct conversation *c)
{
	for (int i = 0; i < c->count; i++) {
		struct conversation_packet *p = &c->packets[i];

		if (p->origin == ORIGIN_FORGED || p->segment.way != WAY_OUT)
			continue;
		insert(c, i + 1, &p->segment, ORIGIN_COPY);
		c->packets[i + 1].segment.way = WAY_IN;
	}
}

static void give_ways(struct conversation *c, struct chance *chance)
{
	static const enum need needs[] = { NEED_OWN, NEED_OWN, NEED_SYN,
					   NEED_HANDSHAKE, NEED_NONE };

	c->live = true;
	c->need = needs[below(chance, COUNT(needs))];
	c->own[0] = one_in(chance, 2);
	c->own[1] = one_in(chance, 2);
	for (int i = 0; i < c->count; i++) {
		struct conversation_packet *p = &c->packets[i];
		bool out = c->own[p->segment.from];

		/* A forgery comes in, wherever it says that it is from. */
		if (p->origin == ORIGIN_FORGED && !one_in(chance, 8))
			out = false;
		if (p->origin == ORIGIN_COPY && one_in(chance, 4))
			out = false;
		p->segment.way = out ? WAY_OUT : WAY_IN;
	}
	if (c->own[0] && c->own[1])
		loop_back(c);
}

void conversation_make(struct conversation *c, __u64 seed,
		       unsigned int ingredients)
{
	struct chance chance = { seed };

	c->seed = seed;
	c->ingredients = ingredients;
	c->count = c->base_count = 0;
	c->need = NEED_NONE;
	c->own[0] = c->own[1] = c->live = false;
	converse(c, &chance);
	if (ingredients & INGREDIENT_DISTURBED)
		disturb(c, &chance);
	if (ingredients & INGREDIENT_FORGED)
		forge_some(c, &chance);
	if (ingredients & INGREDIENT_LIVE)
		give_ways(c, &chance);
}

/* --- a table for a person */

static void show_number(FILE *file, const struct conversation *c, __u8 end,
			__u32 number)
{
	char text[32];

	snprintf(text, sizeof(text), "%#x", number);
	for (int i = 0; i < c->base_count; i++) {
		__s32 distance = (__s32)(number - c->bases[i].isn);

		if (c->bases[i].end != end || distance < -200000 ||
		    distance > 200000)
			continue;
		snprintf(text, sizeof(text), "isn%d%+d", i, distance);
	}
	fprintf(file, " %-13s", text);
}

void conversation_show_packet(FILE *file, const struct conversation *c, int at)
{
	static const char *const origins[] = { "", "copy", "forged" };
	static const char *const ways[] = { "", "in", "out" };
	const struct model_segment *s = &c->packets[at].segment;
	char flags[] = "FSRPA";
	static const __u8 bits[] = { TCP_FIN, TCP_SYN, TCP_RST, TCP_PSH,
				     TCP_ACK };

	for (int i = 0; i < COUNT(bits); i++)
		if (!(s->flags & bits[i]))
			flags[i] = '-';
	fprintf(file, "%3d  %s %-3s %s seq", at, s->from ? "0<1" : "0>1",
		ways[s->way], flags);
	show_number(file, c, s->from, s->seq);
	fprintf(file, " ack");
	show_number(file, c, !s->from, s->ack);
	fprintf(file, " len %4u  %-6s", s->len, origins[c->packets[at].origin]);
}
