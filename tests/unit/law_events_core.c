/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_events_core.h"

#include "packet.h"
#include "play.h"

#include <string.h>

#define LENGTH 256	     /* bytes of an event kept */
#define PACKET_NS 1000000ULL /* between two packets */

static struct engine engine;
static struct event_list *seen;
static const struct conversation *played;
static int packet;
static unsigned int asked = EVENTS_ALL;
static bool own[2];

/* The addresses are those of packet.c, which differ in the last byte. */
static bool is_own(const __u32 address[4], __u8 family)
{
	__u8 end = ((const __u8 *)address)[family == 4 ? 3 : 15];

	return own[end == 10];
}

static void on_event(const struct event *event, void *context)
{
	const int source = (int)(event->time / PACKET_NS) - 1;
	const struct model_segment *segment = &played->packets[source].segment;

	(void)context;
	event_add(seen, &(struct event_seen){
				.kind = event->kind,
				.crossed = event->crossed,
				.packet = packet,
				.source = source,
				.offset = event->kind == EVENT_OPEN ?
						  0 :
						  segment->len - event->len,
				.len = event->len,
			});
}

bool core_open(void)
{
	return engine_open(&engine, 64, LENGTH, on_event, NULL);
}

void core_ask(unsigned int kinds)
{
	asked = kinds;
}

void core_close(void)
{
	engine_close(&engine);
}

void core_packet(const struct model_segment *s, int at)
{
	static const enum direction directions[] = {
		[WAY_UNKNOWN] = DIRECTION_NONE,
		[WAY_IN] = DIRECTION_IN,
		[WAY_OUT] = DIRECTION_OUT,
	};
	static char payload[PACKET_MAX];
	const struct test_packet built = {
		.from_server = s->from,
		.client_port = 40001,
		.server_port = 25,
		.flags = s->flags,
		.seq = s->seq,
		.ack = s->ack,
		.payload = payload,
		.payload_len = s->len,
	};
	struct segment segment;
	struct bytes bytes;

	packet = at;
	packet_build(&bytes, &built);
	engine.direction = directions[s->way];
	play_packet(&engine, bytes.data, bytes.len, bytes.len, false,
		    (__u64)(packet + 1) * PACKET_NS, &segment);
}

/* The model's name of a fate; REASON_NONE: it has none for this kind. */
static enum reason reason_of(int kind, int fate)
{
	static const enum reason same[FATE_MAX] = {
		[FATE_LOGGED] = REASON_LOGGED,
		[FATE_OTHER_FIRST_BY_ACK] = REASON_SERVER_FIRST_BY_ACK,
		[FATE_OTHER_FIRST_BY_SEQ] = REASON_SERVER_FIRST_BY_SEQ,
		[FATE_ORDER_UNKNOWN] = REASON_ORDER_UNKNOWN,
		[FATE_SYNACK_UNSEEN] = REASON_SYNACK_UNSEEN,
		[FATE_RESET] = REASON_RESET,
		[FATE_NO_SERVER] = REASON_NO_SERVER,
		[FATE_SYN_UNSEEN] = REASON_SYN_UNSEEN,
		[FATE_HANDSHAKE_UNSEEN] = REASON_HANDSHAKE_UNSEEN,
		[FATE_NO_DATA] = REASON_NO_DATA,
		[FATE_CUT_OFF] = REASON_CUT_OFF,
		[FATE_OPEN] = REASON_OPEN,
	};

	if (fate == FATE_OTHER_FIRST)
		return kind == MODEL_REPLY ? REASON_CLIENT_FIRST :
					     REASON_SERVER_FIRST;
	if (fate == FATE_DATA_UNSEEN)
		return kind == MODEL_RESPONSE ? REASON_SERVER_DATA_UNSEEN :
						REASON_CLIENT_DATA_UNSEEN;
	return same[fate];
}

static bool balanced;

bool core_balances(void)
{
	return balanced;
}

void core_end(int counted[MODEL_KINDS][REASON_MAX])
{
	struct event_counts counts;

	if (played->live)
		engine_read_events(&engine, &counts);
	engine_finish(&engine);
	if (!played->live)
		counts = engine.event_counts;
	balanced = true;
	for (int kind = EVENT_REQUEST; kind < EVENT_KINDS; kind++) {
		__u64 all = 0;

		for (int fate = FATE_NONE + 1; fate < FATE_MAX; fate++) {
			all += counts.by[kind][fate];
			counted[kind][reason_of(kind, fate)] +=
				(int)counts.by[kind][fate];
		}
		balanced &= all == engine.counters[COUNT_CONNECTIONS] &&
			    !counts.by[kind][FATE_EVICTED];
		counted[kind][REASON_NONE] = 0;
	}
}

void core_begin(const struct conversation *c, struct event_list *list)
{
	static const enum need needs[] = {
		[MODEL_NEED_NONE] = NEED_NONE,
		[MODEL_NEED_OWN] = NEED_OWN,
		[MODEL_NEED_SYN] = NEED_SYN,
		[MODEL_NEED_HANDSHAKE] = NEED_HANDSHAKE,
	};

	seen = list;
	played = c;
	memcpy(own, c->own, sizeof(own));
	engine.settings.track.need = needs[c->need];
	engine.settings.track.events = asked;
	engine.is_own = is_own;
	memset(engine.counters, 0, sizeof(engine.counters));
	memset(&engine.event_counts, 0, sizeof(engine.event_counts));
}

void core_play(const struct conversation *c, struct event_list *list,
	       int counted[MODEL_KINDS][REASON_MAX])
{
	core_begin(c, list);
	for (int i = 0; i < c->count; i++)
		core_packet(&c->packets[i].segment, i);
	core_end(counted);
}
