/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The project's own rule files. One rule a line:
 *
 *   service /pattern/flags product=... version=$1 os=...
 * cpe:/a:vendor:product:$1
 *
 *   http Server: /pattern/ ...       the pattern is for a header's value
 *
 * and below it, indented, what a server really said, and what comes out:
 *
 *       "220 bytes\r\n" version=1.2 cpe:/a:vendor:product:1.2
 */
#ifndef BANNERPROBE_IDENTIFY_RULEFILE_H
#define BANNERPROBE_IDENTIFY_RULEFILE_H

#include "ruleset.h"
#include "rule_source.h"

/* An example, and the fields that are written beside it. */
struct example {
	struct place place;
	struct place rule;
	struct text text;
	const char *service;
	const char *fields[FIELD_COUNT];
	const char *cpes[ANSWER_CPES + 1];
};

typedef void rulefile_example(const struct example *example, void *context);

/*
 * Adds a file's rules, in their order. The source is written to, and must live
 * as long as they. Each example is given to `example`, unless that is NULL,
 * and lives no longer. 0 or negative errno.
 */
int rulefile_load(struct rule_source *source, struct ruleset *set,
		  rulefile_example *example, void *context);

#endif
