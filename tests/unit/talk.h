/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two honest ends of TCP that talk at random. */
#ifndef BANNERPROBE_TESTS_TALK_H
#define BANNERPROBE_TESTS_TALK_H

#include "chance.h"
#include "conversations.h"

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

/* Appends one connection after the other to a conversation. */
void converse(struct conversation *c, struct chance *chance);

/* The parts of a conversation, for a forger of both ends. */
__u32 some_len(struct chance *chance);
__u32 some_isn(struct chance *chance);
void choose_isn(struct talk *talk, __u8 end, __u32 isn);
void shake_hands(struct talk *talk);
/* Sends what comes next; the SYN's number is taken by the caller. */
void say(struct talk *talk, __u8 from, __u8 flags, __u32 len);

#endif
