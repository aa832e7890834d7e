/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup_ids.h"

#include "system/hash_table.h"
#include "cgroup_walk.h"
#include "pace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ROOT_ID 1	     /* id of the hierarchy's root */
#define HANDLE_KERNFS 0xfe   /* FILEID_KERNFS, 5.5: the handle is the id */
#define DELETED " (deleted)" /* what the kernel appends to such a path */

static const char *const roots[] = { "/sys/fs/cgroup",
				     "/sys/fs/cgroup/unified" };

struct entry {
	uint64_t id;
	struct cgroup cgroup;
	UT_hash_handle hh;
	bool failed; /* no memory to add it */
	char path[];
};

struct cgroup_ids {
	int root;	/* descriptor of the directory; -1: there is none */
	bool is_whole;	/* the hierarchy's own root, not a part of it */
	bool by_handle; /* directories can be opened by their id */
	struct pace walk;
	unsigned int walks;
	struct entry *entries; /* in the order of last use */
};

/* --- remembered cgroups ----------------------------------------------------*/

static void forget(struct cgroup_ids *ids, struct entry *entry)
{
	HASH_DEL(ids->entries, entry);
	free(entry);
}

static struct entry *remember(struct cgroup_ids *ids, uint64_t id,
			      const char *path)
{
	const size_t size = strlen(path) + 1;
	struct entry *entry;

	if (size > CGROUP_PATH_MAX)
		return NULL;
	entry = calloc(1, sizeof(*entry) + size);
	if (!entry)
		return NULL;
	entry->id = id;
	memcpy(entry->path, path, size);
	entry->cgroup.path = entry->path;
	cgroup_path_read(&entry->cgroup.owner, entry->path);
	HASH_ADD(hh, ids->entries, id, sizeof(entry->id), entry);
	if (entry->failed) {
		free(entry);
		return NULL;
	}
	if (HASH_COUNT(ids->entries) > CGROUP_IDS_MAX)
		forget(ids, ids->entries);
	return entry;
}

static struct entry *recall(const struct cgroup_ids *ids, uint64_t id)
{
	struct entry *entry;

	HASH_FIND(hh, ids->entries, &id, sizeof(id), entry);
	return entry;
}

/* Moves an entry to the end: the first one is the next to be forgotten. */
static struct entry *use(struct cgroup_ids *ids, struct entry *entry)
{
	if (!entry->hh.next)
		return entry;
	HASH_DEL(ids->entries, entry);
	HASH_ADD(hh, ids->entries, id, sizeof(entry->id), entry);
	if (!entry->failed)
		return entry;
	free(entry);
	return NULL;
}

/* --- by its id -------------------------------------------------------------*/

static ssize_t path_of_descriptor(int fd, char path[CGROUP_PATH_MAX])
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, CGROUP_PATH_MAX);
	if (len < 0 || len >= CGROUP_PATH_MAX)
		return -1;
	path[len] = '\0';
	return len;
}

/* The path of an open directory below the root; false: it is not certain. */
static bool path_below_root(const struct cgroup_ids *ids, int fd,
			    char path[CGROUP_PATH_MAX])
{
	const size_t deleted = strlen(DELETED);
	char root[CGROUP_PATH_MAX];
	ssize_t root_len = path_of_descriptor(ids->root, root);
	ssize_t len = path_of_descriptor(fd, path);

	if (root_len < 0 || len < root_len || memcmp(root, path, root_len))
		return false;
	if ((size_t)len >= deleted && !strcmp(path + len - deleted, DELETED))
		return false;
	if (len > root_len && path[root_len] != '/')
		return false;
	memmove(path, path + root_len, (size_t)(len - root_len) + 1);
	if (!*path)
		strcpy(path, "/");
	return true;
}

static int open_by_id(const struct cgroup_ids *ids, uint64_t id)
{
	struct {
		struct file_handle header;
		unsigned char id[sizeof(id)];
	} handle = { .header = { .handle_bytes = sizeof(id),
				 .handle_type = HANDLE_KERNFS } };

	memcpy(handle.id, &id, sizeof(id));
	return open_by_handle_at(ids->root, &handle.header, O_PATH | O_CLOEXEC);
}

/* NULL: the cgroup is gone (*is_gone), or only a walk can find it. */
static struct entry *find_by_handle(struct cgroup_ids *ids, uint64_t id,
				    bool *is_gone)
{
	char path[CGROUP_PATH_MAX];
	struct entry *entry = NULL;
	int fd = open_by_id(ids, id);

	*is_gone = fd < 0 && (errno == ESTALE || errno == ENOENT);
	if (fd < 0) {
		if (!*is_gone)
			ids->by_handle = false;
		return NULL;
	}
	if (path_below_root(ids, fd, path))
		entry = remember(ids, id, path);
	close(fd);
	return entry;
}

/* --- by a walk -------------------------------------------------------------*/

struct search {
	struct cgroup_ids *ids;
	uint64_t id;
};

static void on_cgroup(uint64_t id, const char *path, void *context)
{
	const struct search *search = context;
	struct cgroup_ids *ids = search->ids;

	/* In a full table only the wanted cgroup replaces another one. */
	if (id == search->id || HASH_COUNT(ids->entries) < CGROUP_IDS_MAX) {
		if (!recall(ids, id))
			remember(ids, id, path);
	}
}

static void walk(struct cgroup_ids *ids, uint64_t id)
{
	struct search search = { ids, id };

	if (!pace_is_due(&ids->walk, monotonic_ns()))
		return;
	pace_begin(&ids->walk);
	cgroup_walk(ids->root, on_cgroup, &search);
	pace_end(&ids->walk);
	ids->walks++;
}

/* --- all of it -------------------------------------------------------------*/

static int open_root(const char *path)
{
	struct statfs file_system;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (!fstatfs(fd, &file_system) &&
	    file_system.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	close(fd);
	return -1;
}

static void find_root(struct cgroup_ids *ids, const char *root)
{
	struct stat status;

	ids->root = -1;
	if (root)
		ids->root = open_root(root);
	for (size_t i = 0; !root && ids->root < 0 && i < COUNT(roots); i++)
		ids->root = open_root(roots[i]);
	ids->is_whole = ids->root >= 0 && !fstat(ids->root, &status) &&
			status.st_ino == ROOT_ID;
}

struct cgroup_ids *cgroup_ids_open(const char *root, unsigned int flags)
{
	struct cgroup_ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return NULL;
	find_root(ids, root);
	ids->by_handle = !(flags & CGROUP_IDS_WALK);
	return ids;
}

void cgroup_ids_close(struct cgroup_ids *ids)
{
	if (!ids)
		return;
	while (ids->entries)
		forget(ids, ids->entries);
	if (ids->root >= 0)
		close(ids->root);
	free(ids);
}

const struct cgroup *cgroup_ids_find(struct cgroup_ids *ids, uint64_t id)
{
	struct entry *entry = recall(ids, id);
	bool is_gone = false;

	if (entry) {
		entry = use(ids, entry);
		return entry ? &entry->cgroup : NULL;
	}
	if (ids->root < 0 || !id)
		return NULL;
	if (ids->by_handle)
		entry = find_by_handle(ids, id, &is_gone);
	if (!entry && !is_gone) {
		walk(ids, id);
		entry = recall(ids, id);
	}
	return entry ? &entry->cgroup : NULL;
}

const char *cgroup_ids_reason(const struct cgroup_ids *ids)
{
	if (ids->root < 0)
		return "no cgroup v2 hierarchy at /sys/fs/cgroup or "
		       "/sys/fs/cgroup/unified: unit, container, pod and "
		       "cgroup are not known";
	if (!ids->is_whole)
		return "/sys/fs/cgroup shows a part of the cgroups only, as "
		       "in a container: mount the host's to know the others";
	return NULL;
}

unsigned int cgroup_ids_count(const struct cgroup_ids *ids)
{
	return HASH_COUNT(ids->entries);
}

unsigned int cgroup_ids_walks(const struct cgroup_ids *ids)
{
	return ids->walks;
}
