/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* how many links the kernel follows */
/* NAME.PID.new is the unfinished file beside NAME. */
#define END_OF_NEW ".new"

/*
 * Opening never waits, whatever the path is. A FIFO that no process reads is an
 * error (ENXIO); later, a write to a full FIFO returns an error.
 */
#define FLAGS (O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* --- places ------------------------------------------------------------- */

static void close_place(struct place *place)
{
	if (place->dir >= 0)
		close(place->dir);
	place->dir = -1;
}

/* Splits a path into directory and name, and opens the directory. */
static int open_place(struct place *place, char *path)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dir = !slash ? "." : slash == path ? "/" : path;

	if (strlen(name) >= sizeof(place->name))
		return -ENAMETOOLONG;
	strcpy(place->name, name);
	if (slash)
		*slash = '\0';
	place->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place->dir < 0 ? -errno : 0;
}

/* The place that a path leads to; a dangling link is a place itself. */
static int find_place(struct place *place, const char *path)
{
	char *real = realpath(path, NULL);
	int error;

	if (!real)
		real = strdup(path);
	if (!real)
		return -ENOMEM;
	error = open_place(place, real);
	free(real);
	return error;
}

/* Replaces a link's path by its target; false: it is no link. */
static bool follow_link(char path[PATH_MAX])
{
	char target[PATH_MAX];
	const ssize_t len = readlink(path, target, sizeof(target));
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0;

	if (len > 0 && *target == '/')
		dir = 0;
	if (len <= 0 || dir + (size_t)len >= PATH_MAX)
		return false;
	memcpy(path + dir, target, (size_t)len);
	path[dir + (size_t)len] = '\0';
	return true;
}

/* The place of a log that does not exist yet, through dangling links. */
static void find_new_log(struct place *log, const char *path)
{
	char end[PATH_MAX];

	if (strlen(path) >= sizeof(end))
		return;
	strcpy(end, path);
	for (int links = 0; links < LINKS_MAX && follow_link(end); links++)
		;
	find_place(log, end);
}

int files_open_log(struct files *files, const char *path)
{
	int fd = open(path, (FLAGS & ~O_CREAT) | O_APPEND);
	struct stat opened, found;

	if (fd < 0) {
		fd = -errno;
		if (fd == -ENOENT)
			find_new_log(&files->log, path);
		return fd;
	}
	/*
	 * A file that is not where its path says, like /dev/stdout or a file
	 * that was renamed meanwhile, cannot be opened again.
	 */
	if (!find_place(&files->log, path) &&
	    (fstat(fd, &opened) ||
	     fstatat(files->log.dir, files->log.name, &found,
		     AT_SYMLINK_NOFOLLOW) ||
	     !is_same(&opened, &found)))
		close_place(&files->log);
	return fd;
}

int files_may_create(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	if (slash && !slash[1])
		return -EISDIR;
	if (snprintf(directory, sizeof(directory), "%.*s",
		     slash ? (int)(slash - path) + 1 : 1,
		     slash ? path : ".") >= (int)sizeof(directory))
		return -ENAMETOOLONG;
	return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) ?
		       -errno :
		       0;
}

bool files_end_within_line(int fd)
{
	char path[32], last = '\n';
	struct stat status;
	int reader;

	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) ||
	    !status.st_size)
		return false;
	/* The descriptor is for writing only. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		return false;
	if (pread(reader, &last, 1, status.st_size - 1) < 1)
		last = '\n';
	close(reader);
	return last != '\n';
}

int files_find_metrics(struct files *files, const char *path)
{
	return find_place(&files->metrics, path);
}

void files_close(struct files *files)
{
	close_place(&files->log);
	close_place(&files->metrics);
}

/* --- the log ------------------------------------------------------------- */

/*
 * The owner of the directory can make a hard link to another user's file in it,
 * unless the kernel forbids that (fs.protected_hardlinks).
 */
static bool is_elsewhere(const struct place *place, int fd)
{
	struct stat file, dir;

	return fstat(fd, &file) || fstat(place->dir, &dir) ||
	       (S_ISREG(file.st_mode) && file.st_nlink > 1 &&
		file.st_uid != dir.st_uid);
}

static int reopen_log(const struct place *log)
{
	int fd;

	if (log->dir < 0)
		return -EOPNOTSUPP;
	fd = openat(log->dir, log->name, FLAGS | O_APPEND | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (!is_elsewhere(log, fd))
		return fd;
	close(fd);
	return -EMLINK;
}

/* --- the metrics ---------------------------------------------------------- */

static bool is_log(const struct files *files, const struct stat *file)
{
	struct stat log;

	return files->log.dir >= 0 &&
	       !fstatat(files->log.dir, files->log.name, &log,
			AT_SYMLINK_NOFOLLOW) &&
	       is_same(&log, file);
}

/*
 * Refuses to replace a file that has another purpose: the log, /dev/null, or a
 * link that led nowhere or did not exist at the start. 0 or negative errno.
 */
static int may_replace(const struct files *files)
{
	const struct place *metrics = &files->metrics;
	struct stat file;

	if (fstatat(metrics->dir, metrics->name, &file, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(file.st_mode))
		return -EISDIR;
	return S_ISREG(file.st_mode) && !is_log(files, &file) ? 0 : -EEXIST;
}

/*
 * A new file is locked until it is renamed or removed. An unlocked one is
 * stale: its process has ended. -EAGAIN: another process has removed it as
 * stale.
 */
static int lock_new(int fd)
{
	struct stat file;

	if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &file) && file.st_nlink)
		return fd;
	close(fd);
	return -EAGAIN;
}

/*
 * Always creates a new file, because a file in a directory like /tmp may be a
 * link of another user. It is readable for all, whatever the umask, because
 * other users read the metrics.
 */
static int open_beside(const struct files *files)
{
	int fd;

	unlinkat(files->metrics.dir, files->beside, 0);
	fd = openat(files->metrics.dir, files->beside,
		    FLAGS | O_EXCL | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	fchmod(fd, 0644);
	return lock_new(fd);
}

static int new_metrics(struct files *files)
{
	/*
	 * With the process ID in the name, two processes with the same place by
	 * mistake do not write to one file.
	 */
	const int len = snprintf(files->beside, sizeof(files->beside),
				 "%s.%d" END_OF_NEW, files->metrics.name,
				 (int)getpid());
	int fd = len < (int)sizeof(files->beside) ? may_replace(files) :
						    -ENAMETOOLONG;

	if (!fd)
		fd = open_beside(files);
	if (fd < 0)
		*files->beside = '\0';
	return fd;
}

static int drop_metrics(struct files *files)
{
	if (*files->beside)
		unlinkat(files->metrics.dir, files->beside, 0);
	*files->beside = '\0';
	return 0;
}

static int set_metrics(struct files *files)
{
	const struct place *metrics = &files->metrics;
	int error;

	if (!*files->beside)
		return -ENOENT;
	error = renameat(metrics->dir, files->beside, metrics->dir,
			 metrics->name) ?
			-errno :
			0;
	if (!error)
		*files->beside = '\0';
	drop_metrics(files);
	return error;
}

/* --- what was left behind ------------------------------------------------ */

/* Whether new_metrics() creates files of this name. */
static bool is_beside(const struct place *metrics, const char *name)
{
	const size_t len = strlen(metrics->name);
	const char *digits = name + len + 1, *end = digits;

	if (strncmp(name, metrics->name, len) || name[len] != '.')
		return false;
	while (isdigit((unsigned char)*end))
		end++;
	return end > digits && !strcmp(end, END_OF_NEW);
}

static void remove_if_stale(const struct place *metrics, const char *name)
{
	const int fd = openat(metrics->dir, name,
			      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat file;

	if (fd < 0)
		return;
	if (!fstat(fd, &file) && S_ISREG(file.st_mode) &&
	    !flock(fd, LOCK_EX | LOCK_NB))
		unlinkat(metrics->dir, name, 0);
	close(fd);
}

void files_clear_stale(const struct files *files)
{
	const struct place *metrics = &files->metrics;
	const int fd = metrics->dir < 0 ?
			       -1 :
			       openat(metrics->dir, ".",
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (is_beside(metrics, entry->d_name))
			remove_if_stale(metrics, entry->d_name);
	}
	closedir(dir);
}

int files_serve(struct files *files, enum file_request request)
{
	if (request == FILE_LOG)
		return reopen_log(&files->log);
	if (files->metrics.dir < 0)
		return -ENOENT;
	switch (request) {
	case FILE_NEW_METRICS:
		return new_metrics(files);
	case FILE_SET_METRICS:
		return set_metrics(files);
	case FILE_DROP_METRICS:
		return drop_metrics(files);
	default:
		return -EINVAL;
	}
}
