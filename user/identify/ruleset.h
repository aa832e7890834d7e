/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rules in their order: the first that matches answers. */
#ifndef BANNERPROBE_IDENTIFY_RULESET_H
#define BANNERPROBE_IDENTIFY_RULESET_H

#include "answer.h"
#include "pattern.h"
#include "candidates.h"

/* All strings are the loader's, and must live as long as the set. */
struct rule {
	struct pattern pattern;
	bool is_soft; /* nmap's softmatch: it knows the service alone */
	const char *service;
	const char *header; /* matched is its value; NULL: the whole text */
	const char *templates[FIELD_COUNT]; /* without the service */
	const char *cpes[ANSWER_CPES];
	int cpe_count;
};

struct ruleset {
	struct matcher *matcher;
	/*
	 * In all as nmap does: what was cut is taken as it is, and a CPE that
	 * cannot be filled takes away the one of its kind before it.
	 */
	bool is_strict;
	bool prefers_firm; /* a soft rule answers only if no other does */
	struct prefilter *prefilter;
	struct rule *rules;
	unsigned int count, room;
};

/* 0 or negative errno. */
int ruleset_open(struct ruleset *set, struct matcher *matcher);
void ruleset_close(struct ruleset *set);

/* Adds a copy of the rule. 0 or negative errno. */
int ruleset_add(struct ruleset *set, const struct rule *rule);

/* To be called when all are added. 0 or negative errno. */
int ruleset_build(struct ruleset *set);

/* Whether one of them matched; the answer was empty, and then is set. */
bool ruleset_answer(struct ruleset *set, const struct text *text,
		    struct answer *answer);

#endif
