/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The captures to read: those named, and those below named directories. */
#ifndef BANNERPROBE_CAPTURE_LIST_H
#define BANNERPROBE_CAPTURE_LIST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* A directory that was named. */
struct capture_directory {
	const char *path;
	size_t left;	 /* files below it that are not yet read */
	size_t captures; /* files below it that are captures */
	size_t unlike;	 /* files below it that are no captures */
	size_t special;	 /* links, devices, pipes and the like below it */
	bool is_unread;	 /* a part of it could not be read */
};

struct capture_file {
	char *path;
	__u64 size;			     /* 0: not known */
	struct capture_directory *directory; /* NULL: the file was named */
};

struct capture_list {
	struct capture_file *files;
	size_t count, room;
	struct capture_directory *directories; /* one for each name */
	__u64 size;			       /* of all files */
	bool is_incomplete; /* a directory was not read, or no capture is below
			     * it; a message was printed */
};

/*
 * Lists the named files, and the files below a named directory by name in
 * natural order (x2 before x10). Links below a directory are not followed.
 * False without memory.
 */
bool capture_list_fill(struct capture_list *list, const char *const *names,
		       int count);
void capture_list_free(struct capture_list *list);

/*
 * Called after each file. After the last one below its directory, prints what
 * was skipped there.
 */
void capture_list_done(struct capture_list *list, struct capture_file *file,
		       bool is_capture);

#endif
