/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Regular expressions with limits, each compiled when it is first needed. */
#ifndef BANNERPROBE_IDENTIFY_PATTERN_H
#define BANNERPROBE_IDENTIFY_PATTERN_H

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>

#include "identify.h"
#include "text.h"

/* The file and line of a rule. */
struct place {
	const char *file;
	unsigned int line;
};

struct pattern {
	const char *regex;
	uint32_t len;
	uint32_t options; /* PCRE2_CASELESS and such */
	struct place place;
	pcre2_code *code;
	bool refused;
};

/* The state that all patterns of an identifier share. */
struct matcher {
	pcre2_match_data *data;
	pcre2_match_context *context;
	identify_message *message;
	struct identify_statistics statistics;
	unsigned int limits; /* how many the current banner has reached */
};

/* A match: valid until the next one. */
struct match {
	const uint8_t *subject;
	const PCRE2_SIZE *offsets;
	uint32_t groups; /* one more than the highest that is set */
	size_t cut;	 /* offset at which the text was cut, or SIZE_MAX */
};

/* 0 or negative errno. */
int matcher_open(struct matcher *matcher, identify_message *message);
void matcher_close(struct matcher *matcher);

/* Reports once that a rule cannot be used, and counts it. */
void matcher_refuse(struct matcher *matcher, const struct place *place,
		    const char *why);

/*
 * Whether the current banner has cost so much that no more patterns are tried.
 */
bool matcher_is_tired(const struct matcher *matcher);

/* Compiles a pattern. False: it cannot be used, and was refused. */
bool pattern_compile(struct matcher *matcher, struct pattern *pattern);
void pattern_free(struct pattern *pattern);

bool pattern_match(struct matcher *matcher, struct pattern *pattern,
		   const struct text *text, struct match *match);

/*
 * The bytes of a group. False: it is not set. A group that ends where the text
 * was cut counts as not set, because its value, a version perhaps, may go on.
 */
bool match_group(const struct match *match, uint32_t group, struct text *bytes);

#endif
