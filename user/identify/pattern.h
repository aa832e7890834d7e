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

/* Where a rule stands. */
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

/* What all patterns of an identifier share. */
struct matcher {
	pcre2_match_data *data;
	pcre2_match_context *context;
	identify_message *message;
	struct identify_statistics statistics;
	unsigned int limits; /* met by the banner at hand */
};

/* What matched: valid until the next match. */
struct match {
	const uint8_t *subject;
	const PCRE2_SIZE *offsets;
	uint32_t groups; /* the highest that is set, and 1 */
	size_t cut;	 /* where the text was cut, or SIZE_MAX */
};

/* 0 or negative errno. */
int matcher_open(struct matcher *matcher, identify_message *message);
void matcher_close(struct matcher *matcher);

/* Tells once that a rule cannot be used, and counts it. */
void matcher_refuse(struct matcher *matcher, const struct place *place,
		    const char *why);

/* Whether a banner has cost so much that no more is to be tried for it. */
bool matcher_is_tired(const struct matcher *matcher);

/* Whether it can be used. One that cannot is refused. */
bool pattern_compile(struct matcher *matcher, struct pattern *pattern);
void pattern_free(struct pattern *pattern);

bool pattern_match(struct matcher *matcher, struct pattern *pattern,
		   const struct text *text, struct match *match);

/*
 * The bytes of a group. Whether it is set; one that ends where the text was cut
 * might go on, as a version does, and is not.
 */
bool match_group(const struct match *match, uint32_t group, struct text *bytes);

#endif
