/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The files that are opened while the program runs: the log again after a
 * rotation, and the metrics each time. Their directories are opened at the
 * start and stay open, so a symbolic link that is created later does not lead
 * elsewhere.
 */
#ifndef BANNERPROBE_FILES_H
#define BANNERPROBE_FILES_H

#include <limits.h>
#include <stdbool.h>

struct place {
	int dir; /* descriptor of the directory; -1: none */
	char name[NAME_MAX + 1];
};

struct files {
	struct place log, metrics;
	char beside[NAME_MAX + 1]; /* unfinished metrics; "": none */
};

enum file_request {
	FILE_LOG,	   /* opens the log to append, or creates it: returns a
			    * descriptor */
	FILE_NEW_METRICS,  /* creates an empty file beside the metrics: returns
			    * a descriptor */
	FILE_SET_METRICS,  /* renames that file to the metrics: returns 0 */
	FILE_DROP_METRICS, /* removes that file: returns 0 */
};

/* No places; nothing is open. */
#define FILES_NONE                                                             \
	{                                                                      \
		.log = { .dir = -1 }, .metrics = { .dir = -1 },                \
	}

/*
 * Opens the log if it exists, also through links; then the last target is its
 * place. Returns the descriptor or negative errno; -ENOENT: FILE_LOG creates
 * it.
 */
int files_open_log(struct files *files, const char *path);

/* Whether a missing log could be created: 0 or negative errno. */
int files_may_create(const char *path);

/*
 * Whether a log ends within a line, as after a crash or on a full disk. False
 * if it cannot be read.
 */
bool files_end_within_line(int fd);

/* Finds the metrics' place. Negative errno where there is no directory. */
int files_find_metrics(struct files *files, const char *path);

void files_close(struct files *files);

/*
 * Removes the unfinished metrics of other processes of this program that were
 * killed while they wrote.
 */
void files_clear_stale(const struct files *files);

/*
 * Does a request of enum file_request. A descriptor or 0, as listed there; or
 * negative errno.
 */
int files_serve(struct files *files, enum file_request request);

#endif
