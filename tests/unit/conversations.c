/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "conversations.h"

#include "beginnings.h"
#include "packet.h"
#include "talk.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

void conversation_insert(struct conversation *c, int at,
			 const struct model_segment *segment,
			 enum origin origin)
{
	if (c->count == CONVERSATION_MAX)
		return;
	memmove(c->packets + at + 1, c->packets + at,
		(size_t)(c->count - at) * sizeof(*c->packets));
	c->packets[at].segment = *segment;
	c->packets[at].origin = origin;
	c->count++;
}

void conversation_note_base(struct conversation *c, __u32 isn, __u8 end)
{
	if (c->base_count == CONVERSATION_BASES)
		return;
	c->bases[c->base_count].isn = isn;
	c->bases[c->base_count++].end = end;
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
			conversation_insert(c, at + 1, &segment, ORIGIN_COPY);
			break;
		case 3: /* again, late */
			conversation_insert(c, later, &segment, ORIGIN_COPY);
			break;
		default: /* late */
			take_out(c, at);
			later = at + 1 + below(chance, 3);
			conversation_insert(c,
					    later < c->count ? later : c->count,
					    &segment, ORIGIN_HONEST);
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

/* A number near those of `end`, or any of 2^32. */
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

		conversation_insert(c, below(chance, c->count + 1), &s,
				    ORIGIN_FORGED);
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

		conversation_insert(c, at, &s, ORIGIN_FORGED);
		at += 1 + below(chance, 2);
		if (at > c->count)
			at = c->count;
	}
}

/* A whole conversation that neither end takes part in. */
static void forge_both_ends(struct conversation *c, struct chance *chance)
{
	struct conversation other = { .count = 0 };
	struct talk talk = { .conversation = &other, .chance = chance };
	int at = below(chance, c->count + 1);

	talk.client = one_in(chance, 4);
	choose_isn(&talk, 0, some_isn(chance));
	choose_isn(&talk, 1, some_isn(chance));
	conversation_note_base(c, talk.ends[0].isn, 0);
	conversation_note_base(c, talk.ends[1].isn, 1);
	shake_hands(&talk);
	if (!one_in(chance, 4))
		say(&talk, !talk.client, TCP_ACK, some_len(chance));
	for (int i = 0; i < other.count; i++) {
		if (one_in(chance, 6))
			continue;
		conversation_insert(c, at, &other.packets[i].segment,
				    ORIGIN_FORGED);
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

/*
 * Whether a SYN-ACK with any numbers is ignored at this place: there was a SYN,
 * and no FIN yet. Elsewhere it may begin a connection that replaces one.
 */
static bool synack_is_stale(const struct conversation *c, int at)
{
	bool asked = false;

	for (int i = 0; i < at; i++) {
		const struct conversation_packet *p = &c->packets[i];

		if (p->origin == ORIGIN_FORGED)
			continue;
		if (p->segment.flags & (TCP_FIN | TCP_RST))
			return false;
		asked |= (p->segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	}
	return asked;
}

/*
 * Forgeries of an attacker that knows the addresses and ports, but no number.
 */
static void forge_blindly(struct conversation *c, struct chance *chance)
{
	int times = 1 + below(chance, 12);

	for (int i = 0; i < times; i++) {
		int at = below(chance, c->count + 1);
		struct model_segment s = {
			.from = (__u8)below(chance, 2),
			.flags = forged_flags[below(chance,
						    COUNT(forged_flags))],
		};

		s.seq = (__u32)draw(chance);
		s.ack = s.flags & TCP_ACK ? (__u32)draw(chance) : 0;
		if (one_in(chance, 2))
			s.len = some_len(chance);
		if ((s.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
		    (!s.from || !synack_is_stale(c, at)))
			continue;
		conversation_insert(c, at, &s, ORIGIN_FORGED);
	}
}

/* --- the way of each packet */

/* Both ends are on this host: each packet leaves and comes in (loopback). */
static void loop_back(struct conversation *c)
{
	for (int i = 0; i < c->count; i++) {
		struct conversation_packet *p = &c->packets[i];

		if (p->origin == ORIGIN_FORGED || p->segment.way != WAY_OUT)
			continue;
		conversation_insert(c, i + 1, &p->segment, ORIGIN_COPY);
		c->packets[i + 1].segment.way = WAY_IN;
	}
}

static void give_ways(struct conversation *c, struct chance *chance)
{
	static const enum model_need needs[] = { MODEL_NEED_OWN, MODEL_NEED_OWN,
						 MODEL_NEED_SYN,
						 MODEL_NEED_HANDSHAKE,
						 MODEL_NEED_NONE };

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
	c->need = MODEL_NEED_NONE;
	c->own[0] = c->own[1] = c->live = false;
	if (ingredients & INGREDIENT_BEGINNINGS)
		begin_connection(c, &chance, ingredients & INGREDIENT_LOSS);
	else
		converse(c, &chance);
	if (ingredients & INGREDIENT_DISTURBED)
		disturb(c, &chance);
	if (ingredients & INGREDIENT_FORGED)
		forge_some(c, &chance);
	if (ingredients & INGREDIENT_BLIND)
		forge_blindly(c, &chance);
	if (ingredients & INGREDIENT_LIVE)
		give_ways(c, &chance);
}

/* --- as a table */

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
