/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a connection begins with, as a list of events that two sides can be
 * compared by: what the model demands, and what a player of packets has seen.
 */
#ifndef BANNERPROBE_TESTS_EVENTS_H
#define BANNERPROBE_TESTS_EVENTS_H

#include <stdio.h>

#include "conversations.h"

struct event_list {
	int count;
	struct event_seen seen[MODEL_LOGGED];
};

struct event_difference {
	char text[96]; /* empty: none, or the model is not sure */
	int packet;    /* where it is; -1: nowhere */
};

/*
 * Plays a conversation to what is to be judged, with all kinds of events asked
 * for: fills `list` in the order of the packets, and `counted` by kind and
 * reason for what was not logged (REASON_LOGGED for what was).
 */
typedef void event_player(const struct conversation *c, struct event_list *list,
			  int counted[MODEL_KINDS][REASON_MAX]);

extern const char *const event_names[MODEL_KINDS];

/* For a player: one event more. False: there is no room for it. */
bool event_add(struct event_list *list, const struct event_seen *event);

/* What the model has logged, likewise. */
void events_of_model(struct event_list *list, const struct model *model);

/*
 * The first difference between what the model demands and what was seen. A
 * kind of event of which the model is not sure is left out.
 */
struct event_difference events_compare(const struct model *model,
				       const struct event_list *seen);

/* "request 0+5@3", "response 0+4@4x" (crossed): for tables and messages. */
void events_text(char *text, size_t size, const struct event_list *list);

/*
 * Why the model has none of a kind, for each connection: "reply: client first;
 * open: reset". "either": the model is not sure whether there is one.
 */
void events_none_text(char *text, size_t size, const struct model *model);

/* NULL: EVENT_REASONS has no such reason for this kind. */
const char *events_reason_meaning(enum model_kind kind, enum reason reason);

/*
 * A table of the conversation for a person: each packet, what the model
 * demands at it and what was seen, and the differences.
 */
void events_show(FILE *file, const struct conversation *c,
		 const struct model *model, const struct event_list *seen);

/*
 * Whether the reasons that were counted for the events that were not logged
 * are some that the model allows, and as many. Where not, the text has the
 * kind and what the model allows. Those of a banner are not looked at.
 */
struct event_difference
events_compare_reasons(const struct model *model,
		       const int counted[MODEL_KINDS][REASON_MAX]);

/* Plays it to the model; `kinds`: those asked for, by MODEL_BIT(). */
void events_play_model(struct model *model, const struct conversation *c,
		       unsigned int kinds);

/* Plays it to both; the first difference, of events or else of reasons. */
struct event_difference events_judge(const struct conversation *c,
				     event_player *player);

/*
 * Leaves out all packets that are not needed for the same difference, and
 * shows the rest.
 */
void events_show_difference(FILE *file, const struct conversation *c,
			    event_player *player,
			    const struct event_difference *difference);

#endif
