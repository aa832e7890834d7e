/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_events_attacks.h"

#include "attacks.h"
#include "events.h"
#include "law_cases.h"
#include "law_events_core.h"
#include "segment.h"

#define SYNS_MAX 2 /* that are remembered beside a connection (case 15) */

/* Honest connections: each must have these events, whatever else passes. */
static const struct {
	const char *name, *packets;
	unsigned int kinds;
	/*
	 * The attack is played to the core, too, before this packet; 0: it is
	 * not, which takes less time.
	 */
	int core_at;
	__u32 len[MODEL_KINDS];
} honest[] = {
	{ "request and response",
	  ">S0 <SA0/1 >A1/1 >A1/1:5 <A1/6:4 >A6/5",
	  MODEL_BIT(MODEL_OPEN) | MODEL_BIT(MODEL_REQUEST) |
		  MODEL_BIT(MODEL_RESPONSE),
	  0,
	  { [MODEL_REQUEST] = 5, [MODEL_RESPONSE] = 4 } },
	{ "banner and reply",
	  ">S0 <SA0/1 >A1/1 <A1/1:4 >A1/5:5 <A5/6",
	  MODEL_BIT(MODEL_OPEN) | MODEL_BIT(MODEL_BANNER) |
		  MODEL_BIT(MODEL_REPLY),
	  4,
	  { [MODEL_BANNER] = 4, [MODEL_REPLY] = 5 } },
	{ "crossed",
	  ">S0 <SA0/1 >A1/1 >A1/1:5 <A1/1:4 >A6/5",
	  MODEL_BIT(MODEL_OPEN) | MODEL_BIT(MODEL_REQUEST) |
		  MODEL_BIT(MODEL_RESPONSE),
	  0,
	  { [MODEL_REQUEST] = 5, [MODEL_RESPONSE] = 4 } },
	{ "the client closes after its request",
	  ">S0 <SA0/1 >A1/1 >FA1/1:5 <A1/7:4 <FA5/7 >A7/6",
	  MODEL_BIT(MODEL_OPEN) | MODEL_BIT(MODEL_REQUEST) |
		  MODEL_BIT(MODEL_RESPONSE),
	  4,
	  { [MODEL_REQUEST] = 5, [MODEL_RESPONSE] = 4 } },
	{ "open, and nothing more",
	  ">S0 <SA0/1 >A1/1 >A1/1 <A1/1 >A1/1",
	  MODEL_BIT(MODEL_OPEN),
	  0,
	  {} },
	{ "a SYN-ACK, and nothing more", ">S0 <SA0/1 <SA0/1", 0, 0, {} },
};

static struct model model;
static struct conversation conversation;

static bool as_honest(int number, const struct event_list *list)
{
	unsigned int kinds = 0;

	for (int i = 0; i < list->count; i++) {
		const struct event_seen *event = &list->seen[i];

		if (event->len != honest[number].len[event->kind])
			return false;
		kinds |= MODEL_BIT(event->kind);
	}
	return kinds == honest[number].kinds;
}

static int times(const struct attack *attack)
{
	return attack->flags == TCP_SYN && attack->times > SYNS_MAX ?
		       SYNS_MAX :
		       attack->times;
}

/* The whole attack comes before packet `when`. */
static bool model_withstands(int number, const struct attack *attack, int when)
{
	struct event_list list;

	model_open(&model, MODEL_NEED_NONE, false, false, false);
	model_ask(&model, MODEL_ALL_KINDS);
	for (int i = 0; i < conversation.count; i++) {
		for (int j = 0; i == when && j < times(attack); j++) {
			struct model_segment s = attack_segment(attack, j);

			model_packet(&model, &s);
		}
		model_packet(&model, &conversation.packets[i].segment);
	}
	model_finish(&model);
	events_of_model(&list, &model);
	return as_honest(number, &list);
}

static bool core_withstands(int number, const struct attack *attack, int when)
{
	int counted[MODEL_KINDS][REASON_MAX] = {};
	struct event_list list = {};

	core_begin(&conversation, &list);
	for (int i = 0; i < conversation.count; i++) {
		for (int j = 0; i == when && j < times(attack); j++) {
			struct model_segment s = attack_segment(attack, j);

			core_packet(&s, i);
		}
		core_packet(&conversation.packets[i].segment, i);
	}
	core_end(counted);
	return as_honest(number, &list);
}

static bool withstands_at_all_times(int number, const struct attack *attack)
{
	/* Before any SYN, a SYN-ACK may answer one that was missed. */
	bool synack = attack->flags == (TCP_SYN | TCP_ACK);
	bool all = true;

	for (int when = synack; when < conversation.count; when++) {
		bool by_model = model_withstands(number, attack, when);

		if (by_model && (!when || honest[number].core_at != when ||
				 core_withstands(number, attack, when)))
			continue;
		printf("# %s: the %s hides or makes events by %d %s before "
		       "packet %d\n",
		       honest[number].name, by_model ? "core" : "model",
		       times(attack), attack->name, when);
		all = false;
	}
	return all;
}

bool events_withstand_attacks(void)
{
	bool all = true;

	for (size_t i = 0; i < sizeof(honest) / sizeof(*honest); i++) {
		const struct law_case law_case = {
			.need = MODEL_NEED_NONE,
			.own = "",
			.packets = honest[i].packets,
		};

		law_case_make(&conversation, &law_case);
		for (int j = 0; j < attack_count; j++)
			all &= withstands_at_all_times((int)i, &attacks[j]);
	}
	return all;
}
