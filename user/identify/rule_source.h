/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files of rules, read whole; and the names of those in a folder. */
#ifndef BANNERPROBE_IDENTIFY_RULE_SOURCE_H
#define BANNERPROBE_IDENTIFY_RULE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct rule_source {
	struct rule_source *next;
	char *path;
	char *bytes; /* a NUL stands after them */
	size_t len;
};

/* Reads one and puts it before the others. 0 or negative errno. */
int rule_source_read(struct rule_source **sources, const char *path);

void rule_source_free(struct rule_source *sources);

/*
 * Ends the line at `line` with a NUL in place of its newline, and returns where
 * the next one begins; NULL where there is no line at `line`. The first line is
 * at `bytes`.
 */
char *rule_source_end_line(const struct rule_source *source, char *line);

/*
 * Calls `take` with the path of each file whose name ends so, in the names'
 * order, until it returns another value than 0; or with the path itself, where
 * that is no folder. 0, that value or negative errno.
 */
int rule_source_each(const char *path, const char *suffix,
		     int (*take)(const char *path, void *context),
		     void *context);

#endif
