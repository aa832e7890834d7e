/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Recog's fingerprints: patterns, and the named values that they assert. */
#ifndef BANNERPROBE_IDENTIFY_FINGERPRINT_H
#define BANNERPROBE_IDENTIFY_FINGERPRINT_H

#include "pattern.h"
#include "candidates.h"

struct assertion {
	char *name;
	char *value;	/* may hold {another.name} */
	uint32_t group; /* 0: the value as it is */
};

struct fingerprint {
	struct pattern pattern;
	struct assertion *assertions;
	int count;
};

/* The fingerprints for one kind of text. */
struct database {
	struct database *next;
	char *kind; /* the kind of text, as its file names it */
	char *service;
	struct fingerprint *fingerprints;
	unsigned int count;
	struct prefilter *prefilter;
};

#define ASSERTION_MAX 256

struct database *database_new(void);
void database_free(struct database *databases);

/*
 * Makes room for another fingerprint, all zeros. The caller sets its pattern,
 * and then calls database_take(), which counts it. NULL without memory.
 */
struct fingerprint *database_next(struct database *database);
int database_take(struct database *database, struct matcher *matcher);

/* Adds an assertion. 0 or negative errno. */
int fingerprint_assert(struct fingerprint *fingerprint, const char *name,
		       const char *value, uint32_t group);

/* The first one with a matching pattern, or NULL. */
const struct fingerprint *database_match(struct database *database,
					 struct matcher *matcher,
					 const struct text *text,
					 struct match *match);

/*
 * The value that a match asserts by this name: at most ASSERTION_MAX bytes with
 * the NUL. False: there is none.
 */
bool fingerprint_value(const struct fingerprint *fingerprint,
		       const struct match *match, const char *name, char *out);

#endif
