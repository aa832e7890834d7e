/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Plays a conversation to the model and to the core, and compares them. */
#ifndef BANNERPROBE_TESTS_LAW_PLAY_H
#define BANNERPROBE_TESTS_LAW_PLAY_H

#include "conversations.h"

/* The first difference. */
struct difference {
	char text[96]; /* empty: nothing, or the model is not sure */
	int at;	       /* the packet, or -1: a count */
};

/* The model's state after the last conversation. */
extern struct model model;

/* Plays it to both; `file`: shows it there, too, or NULL. */
struct difference play(const struct conversation *c, FILE *file);

/* Leaves out all packets that are not needed for the same difference. */
void shrink(struct conversation *c, const char *text);

/* Prints a table of the packets and their results. */
void show(FILE *file, const struct conversation *c);

/* For more packets than a conversation holds; true: a banner was logged. */
void play_begin(const struct conversation *c);
bool play_to_core(const struct model_segment *s, int at);

#endif
