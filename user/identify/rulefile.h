/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The project's own rule files. One rule a line:
 *
 *   service /pattern/flags product=... version=$1 os=...
 * cpe:/a:vendor:product:$1
 *
 *   http Server: /pattern/ ...       the pattern is for a header's value
 *
 * and below it, indented, bytes of a real server and the expected fields:
 *
 *       "220 bytes\r\n" version=1.2 cpe:/a:vendor:product:1.2
 */
#ifndef BANNERPROBE_IDENTIFY_RULEFILE_H
#define BANNERPROBE_IDENTIFY_RULEFILE_H

#include "ruleset.h"
#include "rule_source.h"

/* An example: bytes of a server, and the expected fields. */
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
 * Adds a file's rules, in their order. The source is changed, and must stay
 * valid as long as the rules. `example`, unless it is NULL, is called with each
 * example, which is valid during the call. 0 or negative errno.
 */
int rulefile_load(struct rule_source *source, struct ruleset *set,
		  rulefile_example *example, void *context);

#endif
