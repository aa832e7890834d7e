/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lists of a connection's events, to compare the model's with those that a
 * player of packets has logged.
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
 * Plays a conversation to the implementation under test, with all kinds of
 * events asked for. Fills `list` in the order of the packets, and `counted` by
 * kind and by the reason why the event was not logged (REASON_LOGGED: it was).
 */
typedef void event_player(const struct conversation *c, struct event_list *list,
			  int counted[MODEL_KINDS][REASON_MAX]);

extern const char *const event_names[MODEL_KINDS];

/* For a player: adds an event. False: there is no room. */
bool event_add(struct event_list *list, const struct event_seen *event);

/* What the model has logged, likewise. */
void events_of_model(struct event_list *list, const struct model *model);

/*
 * The first difference between the model's events and those seen. A kind of
 * event that the model is not sure about is left out.
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
 * Prints the conversation as a table: each packet, the model's events and those
 * seen at it, and the differences.
 */
void events_show(FILE *file, const struct conversation *c,
		 const struct model *model, const struct event_list *seen);

/*
 * Checks the reasons that were counted for events that were not logged: the
 * model must allow each, in this number. Otherwise the text has the kind, and
 * what the model allows. Reasons of banners are not checked.
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
