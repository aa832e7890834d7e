/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_events_kinds.h"

#include "conversations.h"
#include "law_events_core.h"

#include <string.h>

struct played {
	struct event_list list;
	int counted[MODEL_KINDS][REASON_MAX];
};

static void play(const struct conversation *c, unsigned int kinds,
		 struct played *played)
{
	*played = (struct played){};
	core_ask(kinds);
	core_play(c, &played->list, played->counted);
	core_ask(MODEL_ALL_KINDS);
}

/* Leaves what belongs to the kinds. */
static void reduce(struct played *played, unsigned int kinds)
{
	struct event_list all = played->list;

	played->list = (struct event_list){};
	for (int i = 0; i < all.count; i++) {
		if (kinds & MODEL_BIT(all.seen[i].kind))
			event_add(&played->list, &all.seen[i]);
	}
	for (int kind = 0; kind < MODEL_KINDS; kind++) {
		if (!(kinds & MODEL_BIT(kind)))
			memset(played->counted[kind], 0,
			       sizeof(played->counted[kind]));
	}
}

static bool is_independent(const struct conversation *c, unsigned int kinds,
			   bool show)
{
	static struct model model;
	struct played all, some;
	char texts[2][256];

	play(c, MODEL_ALL_KINDS, &all);
	play(c, kinds, &some);
	reduce(&all, kinds);
	events_text(texts[0], sizeof(texts[0]), &all.list);
	events_text(texts[1], sizeof(texts[1]), &some.list);
	if (!strcmp(texts[0], texts[1]) &&
	    !memcmp(all.counted, some.counted, sizeof(all.counted)))
		return true;
	if (!show)
		return false;
	printf("# kinds %#x, seed %llu: asked for all: %s; for these: %s%s\n",
	       kinds, c->seed, texts[0], texts[1],
	       strcmp(texts[0], texts[1]) ? "" : " (counted otherwise)");
	events_play_model(&model, c, MODEL_ALL_KINDS);
	events_show(stdout, c, &model, &some.list);
	return false;
}

bool core_kinds_are_independent(unsigned int ingredients, __u64 number,
				__u64 seed, __u64 differ_most)
{
	static struct conversation conversation;
	__u64 differ = 0;

	for (__u64 i = 0; i < number; i++) {
		conversation_make(&conversation, seed_of(seed, i), ingredients);
		differ += !is_independent(&conversation,
					  1 + (unsigned int)i % MODEL_ALL_KINDS,
					  differ == differ_most);
	}
	printf("# %llu of %llu differ\n", differ, number);
	return differ <= differ_most;
}
