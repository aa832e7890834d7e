/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cases of the definition as small conversations, each with the expected
 * result. They test the model itself.
 */
#ifndef BANNERPROBE_TESTS_LAW_CASES_H
#define BANNERPROBE_TESTS_LAW_CASES_H

#include "conversations.h"

/*
 * `packets`, for each: "i" in or "o" out, or nothing; ">" from end 0 or "<"
 * from end 1; flags (S A F R P, or "." for none); seq "/" ack ":" payload
 * length. Both numbers are relative to the initial ones of their ends.
 */
struct law_case {
	const char *name; /* begins with the number of the case */
	enum model_need need;
	const char *own; /* "0", "1", "01" or "" */
	const char *packets;
	int banner_at; /* which packet; -1: none */
	/* Outcomes, then " / " and why segments were ignored. */
	const char *expected;
};

extern const struct law_case law_cases[];
extern const int law_case_count;

void law_case_make(struct conversation *conversation,
		   const struct law_case *law_case);

#endif
