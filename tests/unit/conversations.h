/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random TCP conversations on one four-tuple, with disturbances and forgeries
 * in them. Each comes from its seed alone.
 */
#ifndef BANNERPROBE_TESTS_CONVERSATIONS_H
#define BANNERPROBE_TESTS_CONVERSATIONS_H

#include <stdio.h>

#include "model.h"

#define CONVERSATION_MAX 160 /* packets */
#define CONVERSATION_BASES 8

/* What a conversation may have in it. */
enum ingredient {
	INGREDIENT_DISTURBED = 1, /* lost, repeated, late, out of order */
	INGREDIENT_FORGED = 2,
	INGREDIENT_LIVE = 4, /* own addresses, and the way of each packet */
	/* One connection with simulated ends: see beginnings.h. */
	INGREDIENT_BEGINNINGS = 8,
	INGREDIENT_LOSS = 16,  /* with that: packets sent again */
	INGREDIENT_BLIND = 32, /* forged by an attacker that sees no packet */
};

/* What a side of a simulated connection has really done. */
struct side_truth {
	bool spoke;
	bool heard;	  /* it had received data before it spoke */
	bool in_syn;	  /* it spoke in its SYN, and some was accepted */
	bool undelivered; /* in its SYN, refused, and never sent again */
	__u32 len;	  /* of what it said first */
};

enum origin { ORIGIN_HONEST, ORIGIN_COPY, ORIGIN_FORGED };

struct conversation_packet {
	struct model_segment segment;
	enum origin origin;
};

struct conversation {
	__u64 seed;
	unsigned int ingredients;
	enum model_need need;
	bool own[2];
	bool live;
	struct side_truth truth[2]; /* client, server: INGREDIENT_BEGINNINGS */
	/* A base that other numbers are near to, and the end that it belongs
	 * to.
	 */
	struct {
		__u32 isn;
		__u8 end;
	} bases[CONVERSATION_BASES];
	int base_count;
	int count;
	struct conversation_packet packets[CONVERSATION_MAX];
};

void conversation_make(struct conversation *conversation, __u64 seed,
		       unsigned int ingredients);

/* The seed of one of a run's conversations. */
static inline __u64 seed_of(__u64 seed, __u64 number)
{
	return seed * 0x9e3779b97f4a7c15 + number;
}

/* For the generators: add a packet, and a base for numbers. */
void conversation_insert(struct conversation *c, int at,
			 const struct model_segment *segment,
			 enum origin origin);
void conversation_note_base(struct conversation *c, __u32 isn, __u8 end);

/* One packet as a line of a table, without a newline. */
void conversation_show_packet(FILE *file, const struct conversation *c, int at);

#endif
