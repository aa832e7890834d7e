/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The files that are opened while the program runs: the log again after a
 * rotation, and the metrics each time anew. Their directories are kept open
 * from the start: what a directory's owner puts into it later, a link for one,
 * leads nowhere else.
 */
#ifndef BANNERPROBE_FILES_H
#define BANNERPROBE_FILES_H

#include <limits.h>

struct place {
	int dir; /* -1: none */
	char name[NAME_MAX + 1];
};

struct files {
	struct place log, metrics;
	char beside[NAME_MAX + 1]; /* the new metrics' name meanwhile; "": none
				    */
};

enum file_request {
	FILE_LOG,	   /* for appending, made if need be: a descriptor */
	FILE_NEW_METRICS,  /* an empty file beside, for all to read: likewise */
	FILE_SET_METRICS,  /* that file in the place of the metrics: 0 */
	FILE_DROP_METRICS, /* that file is not wanted, after all: 0 */
};

/* The places before anything is opened. */
#define FILES_NONE                                                             \
	{                                                                      \
		.log = { .dir = -1 }, .metrics = { .dir = -1 },                \
	}

/*
 * Opens the log, if it is there, whatever link leads to it; its place is where
 * that leads. The descriptor or negative errno; -ENOENT: FILE_LOG makes it.
 */
int files_open_log(struct files *files, const char *path);

/* Finds the metrics' place. Negative errno where there is no directory. */
int files_find_metrics(struct files *files, const char *path);

void files_close(struct files *files);

/*
 * Removes what others of this program have left beside the metrics that were
 * killed while they wrote.
 */
void files_clear_stale(const struct files *files);

/* A descriptor or 0, as is said there; or negative errno. */
int files_serve(struct files *files, enum file_request request);

#endif
