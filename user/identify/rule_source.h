/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads whole rule files, and lists those of a folder. */
#ifndef BANNERPROBE_IDENTIFY_RULE_SOURCE_H
#define BANNERPROBE_IDENTIFY_RULE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct rule_source {
	struct rule_source *next;
	char *path;
	char *bytes; /* followed by a NUL */
	size_t len;
};

/* Reads a file and puts it before the others. 0 or negative errno. */
int rule_source_read(struct rule_source **sources, const char *path);

void rule_source_free(struct rule_source *sources);

/*
 * Calls `take` with each line, with a NUL in place of its newline, until `take`
 * returns another value than 0. Returns 0 or that value.
 */
int rule_source_each_line(struct rule_source *source,
			  int (*take)(char *line, void *context),
			  void *context);

/*
 * Calls `take` with the path of each file in a folder that has this suffix, in
 * the order of the names, until `take` returns another value than 0. If `path`
 * is no folder, calls `take` with it. Returns 0, that value or negative errno.
 */
int rule_source_each(const char *path, const char *suffix,
		     int (*take)(const char *path, void *context),
		     void *context);

#endif
