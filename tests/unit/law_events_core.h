/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Plays a conversation to the core. */
#ifndef BANNERPROBE_TESTS_LAW_EVENTS_CORE_H
#define BANNERPROBE_TESTS_LAW_EVENTS_CORE_H

#include "events.h"

/* Before the first conversation; false without memory. */
bool core_open(void);
void core_close(void);

/* Which kinds the core is asked for from now on, by MODEL_BIT(); first: all. */
void core_ask(unsigned int kinds);

/* An event_player. */
void core_play(const struct conversation *c, struct event_list *list,
	       int counted[MODEL_KINDS][REASON_MAX]);

/*
 * The same packet by packet, with others between those of the conversation:
 * core_packet() for each, `at` the packet of the conversation that it is, or
 * that comes next.
 */
void core_begin(const struct conversation *c, struct event_list *list);
void core_packet(const struct model_segment *s, int at);
void core_end(int counted[MODEL_KINDS][REASON_MAX]);

/*
 * Whether each connection of the last conversation came to one fate of each
 * kind.
 */
bool core_balances(void);

#endif
