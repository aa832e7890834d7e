/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rules in their order: the first that matches answers. */
#ifndef BANNERPROBE_IDENTIFY_RULESET_H
#define BANNERPROBE_IDENTIFY_RULESET_H

#include "answer.h"
#include "pattern.h"
#include "candidates.h"

/* All strings belong to the loader, and must stay valid as long as the set. */
struct rule {
	struct pattern pattern;
	bool is_soft; /* nmap's softmatch: it sets the service only */
	const char *service;
	const char *header; /* match its value; NULL: match the text */
	const char *templates[FIELD_COUNT]; /* without the service */
	const char *cpes[ANSWER_CPES];
	int cpe_count;
};

struct ruleset {
	struct matcher *matcher;
	/*
	 * Follow nmap exactly: a cut value is used as it is, and a CPE that
	 * cannot be filled in removes the one of its kind before it.
	 */
	bool is_strict;
	bool prefers_firm; /* a soft rule counts if no firm one does */
	struct prefilter *prefilter;
	struct rule *rules;
	unsigned int count, room;
};

/* 0 or negative errno. */
int ruleset_open(struct ruleset *set, struct matcher *matcher);
void ruleset_close(struct ruleset *set);

/* Adds a copy of the rule. 0 or negative errno. */
int ruleset_add(struct ruleset *set, const struct rule *rule);

/* Called when all rules are added. 0 or negative errno. */
int ruleset_build(struct ruleset *set);

/* Sets an empty answer by the first rule that matches. False: none does. */
bool ruleset_answer(struct ruleset *set, const struct text *text,
		    struct answer *answer);

#endif
