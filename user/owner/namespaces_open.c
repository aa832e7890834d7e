/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens other network namespaces, and sockets in them. */
#include "namespaces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMED "/run/netns"
#define ENTRIES_MAX 65536 /* of a directory */
#define NAMESPACES_MAX 4096

struct listing {
	netns_met *met;
	void *context;
	size_t count;
	uint32_t seen[NAMESPACES_MAX]; /* inodes */
};

static bool was_seen(struct listing *listing, uint32_t inode)
{
	for (size_t i = 0; i < listing->count; i++) {
		if (listing->seen[i] == inode)
			return true;
	}
	if (listing->count < NAMESPACES_MAX)
		listing->seen[listing->count++] = inode;
	return false;
}

static void try_open(struct listing *listing, struct netns *netns)
{
	struct stat status;

	/* What lies in /run/netns may be anything, and nothing waits for it. */
	netns->fd = open(netns->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (netns->fd < 0)
		return;
	if (!fstat(netns->fd, &status)) {
		netns->inode = (uint32_t)status.st_ino;
		netns->nsid = was_seen(listing, netns->inode) ?
				      -EEXIST :
				      namespaces_id_of_fd(netns->fd);
		if (netns->nsid >= 0)
			listing->met(netns, listing->context);
	}
	close(netns->fd);
}

static void try_named(struct listing *listing, const char *entry)
{
	struct netns netns = {};

	if (*entry != '.' &&
	    snprintf(netns.path, sizeof(netns.path), NAMED "/%s", entry) <
		    (int)sizeof(netns.path))
		try_open(listing, &netns);
}

static void try_process(struct listing *listing, const char *entry)
{
	struct netns netns = {};

	if (!isdigit((unsigned char)*entry))
		return;
	netns.pid = (uint32_t)strtoul(entry, NULL, 10);
	snprintf(netns.path, sizeof(netns.path), "/proc/%u/ns/net", netns.pid);
	try_open(listing, &netns);
}

static void for_entries(struct listing *listing, const char *path,
			void (*try)(struct listing *, const char *))
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (!directory)
		return;
	for (int i = 0; i < ENTRIES_MAX && (entry = readdir(directory)); i++)
		try(listing, entry->d_name);
	closedir(directory);
}

void namespaces_list(netns_met *met, void *context)
{
	struct listing *listing = calloc(1, sizeof(*listing));

	if (!listing)
		return;
	listing->met = met;
	listing->context = context;
	for_entries(listing, NAMED, try_named);
	for_entries(listing, "/proc", try_process);
	free(listing);
}

bool netns_is_alive(const struct netns *netns)
{
	struct stat status;

	/* No privilege is needed for that, as it is for /proc/PID/ns/net. */
	if (netns->pid)
		return namespaces_id_of_pid(netns->pid) == netns->nsid;
	return !stat(netns->path, &status) &&
	       (uint32_t)status.st_ino == netns->inode;
}

/* --- sockets ---------------------------------------------------------------*/

struct opening {
	int fd, error;
	struct diag *diag;
};

static void *open_inside(void *context)
{
	struct opening *opening = context;

	if (!setns(opening->fd, CLONE_NEWNET))
		opening->diag = diag_open();
	opening->error = errno;
	return NULL;
}

/* A thread of its own enters the namespace, and ends there. */
struct diag *netns_open_diag(int fd)
{
	struct opening opening = { .fd = fd };
	pthread_t thread;
	int error = pthread_create(&thread, NULL, open_inside, &opening);

	if (error) {
		errno = error;
		return NULL;
	}
	pthread_join(thread, NULL);
	errno = opening.error;
	return opening.diag;
}
