/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup_walk.h"

#include "cgroup_ids.h"
#include "pace.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define USERS "/user.slice/"

/* A cgroup with children that have not been read yet. */
struct waiting {
	struct waiting *next;
	char path[]; /* "" for the root, "/system.slice" */
};

struct queue {
	struct waiting *first, **last;
};

struct walk {
	int root;
	cgroup_met *met;
	void *context;
	uint64_t end;
	unsigned int met_count;
	size_t bytes;
	struct queue others, users;
};

/*
 * A user can make any number of cgroups below user.slice: they are read last.
 */
static struct queue *queue_of(struct walk *walk, const char *path)
{
	return strncmp(path, USERS, strlen(USERS)) ? &walk->others :
						     &walk->users;
}

static void enqueue(struct walk *walk, const char *path)
{
	struct queue *queue = queue_of(walk, path);
	const size_t size = sizeof(struct waiting) + strlen(path) + 1;
	struct waiting *waiting;

	if (walk->bytes + size > CGROUP_WALK_BYTES)
		return;
	waiting = malloc(size);
	if (!waiting)
		return;
	waiting->next = NULL;
	strcpy(waiting->path, path);
	*queue->last = waiting;
	queue->last = &waiting->next;
	walk->bytes += size;
}

static struct waiting *dequeue(struct walk *walk)
{
	struct queue *queue = walk->others.first ? &walk->others : &walk->users;
	struct waiting *waiting = queue->first;

	if (!waiting)
		return NULL;
	queue->first = waiting->next;
	if (!queue->first)
		queue->last = &queue->first;
	walk->bytes -= sizeof(*waiting) + strlen(waiting->path) + 1;
	return waiting;
}

static bool is_over(const struct walk *walk)
{
	return walk->met_count >= CGROUP_WALK_MAX ||
	       pace_processor() > walk->end;
}

static DIR *open_directory(const struct walk *walk, const char *path)
{
	int fd = openat(walk->root, *path ? path + 1 : ".",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory && fd >= 0)
		close(fd);
	return directory;
}

static bool is_child(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
	       strcmp(entry->d_name, "..");
}

static void read_children(struct walk *walk, const char *parent)
{
	DIR *directory = open_directory(walk, parent);
	char path[CGROUP_PATH_MAX];
	const struct dirent *entry;

	if (!directory)
		return;
	while (walk->met_count < CGROUP_WALK_MAX &&
	       (entry = readdir(directory))) {
		if (!is_child(entry) ||
		    snprintf(path, sizeof(path), "%s/%s", parent,
			     entry->d_name) >= (int)sizeof(path))
			continue;
		walk->met(entry->d_ino, path, walk->context);
		walk->met_count++;
		enqueue(walk, path);
	}
	closedir(directory);
}

void cgroup_walk(int root, cgroup_met *met, void *context)
{
	struct walk walk = { .root = root,
			     .met = met,
			     .context = context,
			     .end = pace_processor() + CGROUP_WALK_NS };
	struct waiting *waiting;
	struct stat status;

	walk.others.last = &walk.others.first;
	walk.users.last = &walk.users.first;
	if (!fstat(root, &status))
		met(status.st_ino, "/", context);
	enqueue(&walk, "");
	while ((waiting = dequeue(&walk))) {
		if (!is_over(&walk))
			read_children(&walk, waiting->path);
		free(waiting);
	}
}
