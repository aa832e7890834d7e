/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "capture_list.h"

#include "system/message.h"
#include "system/stopping.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool add(struct capture_list *list, const char *path, __u64 size,
		struct capture_directory *directory)
{
	struct capture_file *files = list->files;

	if (list->count == list->room) {
		list->room = list->room * 2 + 1;
		files = reallocarray(files, list->room, sizeof(*files));
		if (!files)
			return false;
		list->files = files;
	}
	files[list->count] =
		(struct capture_file){ strdup(path), size, directory };
	if (!files[list->count].path)
		return false;
	list->count++;
	list->size += size;
	return true;
}

static int by_name(const FTSENT **one, const FTSENT **other)
{
	return strverscmp((*one)->fts_name, (*other)->fts_name);
}

/*
 * Reports the files that were skipped, and a directory without captures: that
 * is bad input, as a file is that is no capture.
 */
static void report(struct capture_list *list,
		   const struct capture_directory *directory)
{
	const char *what = directory->captures ?
				   "skipped below it" :
				   "no capture is below this directory, but";

	if (!directory->captures) {
		list->is_incomplete = true;
		if (directory->is_unread) /* there may be captures */
			return;
	}
	if (directory->unlike || directory->special)
		message("%s: %s: files that are no captures (%zu), links and "
			"special files (%zu)",
			directory->path, what, directory->unlike,
			directory->special);
	else if (!directory->captures)
		message("%s: no capture is below this directory",
			directory->path);
}

static bool add_entry(struct capture_list *list, const FTSENT *entry,
		      struct capture_directory *directory)
{
	switch (entry->fts_info) {
	case FTS_F:
		directory->left++;
		return add(list, entry->fts_path,
			   (__u64)entry->fts_statp->st_size, directory);
	case FTS_D:
	case FTS_DP:
		return true;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		message("%s: %s", entry->fts_path, strerror(entry->fts_errno));
		list->is_incomplete = directory->is_unread = true;
		return true;
	default: /* a link, a device, a pipe, a socket */
		directory->special++;
		return true;
	}
}

static bool add_directory(struct capture_list *list, const char *path,
			  struct capture_directory *directory)
{
	char *paths[] = { strdup(path), NULL };
	FTS *tree = paths[0] ?
			    fts_open(paths,
				     FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR,
				     by_name) :
			    NULL;
	FTSENT *entry;
	bool done = tree;

	directory->path = path;
	while (done && !stopping() && (errno = 0, entry = fts_read(tree)))
		done = add_entry(list, entry, directory);
	if (done && errno) {
		message("%s: %s", path, strerror(errno));
		list->is_incomplete = directory->is_unread = true;
	}
	if (tree)
		fts_close(tree);
	free(paths[0]);
	if (done && !directory->left && !stopping())
		report(list, directory);
	return done;
}

bool capture_list_fill(struct capture_list *list, const char *const *names,
		       int count)
{
	bool done;

	*list = (struct capture_list){
		.directories = calloc((size_t)count, sizeof(*list->directories))
	};
	done = list->directories;
	for (int i = 0; i < count && done; i++) {
		struct stat status = {};

		/* A failure of stat() is reported when the file is opened. */
		if (strcmp(names[i], "-") && !stat(names[i], &status) &&
		    S_ISDIR(status.st_mode))
			done = add_directory(list, names[i],
					     &list->directories[i]);
		else
			done = add(list, names[i],
				   S_ISREG(status.st_mode) ?
					   (__u64)status.st_size :
					   0,
				   NULL);
	}
	return done;
}

void capture_list_free(struct capture_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->files[i].path);
	free(list->files);
	free(list->directories);
	*list = (struct capture_list){};
}

void capture_list_done(struct capture_list *list, struct capture_file *file,
		       bool is_capture)
{
	struct capture_directory *directory = file->directory;

	if (!directory)
		return;
	directory->captures += is_capture;
	directory->unlike += !is_capture;
	directory->left--;
	if (!directory->left)
		report(list, directory);
}
