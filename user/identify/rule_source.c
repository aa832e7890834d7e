/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rule_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* nmap's file has 2.5 MB. */
#define SIZE_MAX_READ (64L << 20)

static int read_all(int file, struct rule_source *source, size_t size)
{
	while (true) {
		const ssize_t count = read(file, source->bytes + source->len,
					   size - source->len);

		if (count < 0)
			return -errno;
		if (!count)
			return 0;
		source->len += (size_t)count;
	}
}

/* Reads the file up to its size at the start, even if it grows meanwhile. */
static int read_regular(int file, struct rule_source *source)
{
	struct stat status;
	int error;

	if (fstat(file, &status))
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	/* Anything but a regular file might never end. */
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > SIZE_MAX_READ)
		return -EFBIG;
	source->bytes = malloc((size_t)status.st_size + 1);
	if (!source->bytes)
		return -ENOMEM;
	error = read_all(file, source, (size_t)status.st_size);
	if (error)
		return error;
	source->bytes[source->len] = '\0';
	return 0;
}

static int read_path(const char *path, struct rule_source *source)
{
	const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error;

	if (file < 0)
		return -errno;
	source->path = strdup(path);
	error = source->path ? read_regular(file, source) : -ENOMEM;
	close(file);
	return error;
}

int rule_source_read(struct rule_source **sources, const char *path)
{
	struct rule_source *source = calloc(1, sizeof(*source));
	int error;

	if (!source)
		return -ENOMEM;
	error = read_path(path, source);
	if (error) {
		rule_source_free(source);
		return error;
	}
	source->next = *sources;
	*sources = source;
	return 0;
}

int rule_source_each_line(struct rule_source *source,
			  int (*take)(char *line, void *context), void *context)
{
	char *line = source->bytes, *end = line + source->len, *next;
	int error = 0;

	for (; !error && line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		*next++ = '\0';
		error = take(line, context);
	}
	return error;
}

void rule_source_free(struct rule_source *sources)
{
	while (sources) {
		struct rule_source *next = sources->next;

		free(sources->path);
		free(sources->bytes);
		free(sources);
		sources = next;
	}
}

static bool ends_with(const char *name, const char *suffix)
{
	const size_t len = strlen(name), end = strlen(suffix);

	return *name != '.' && len > end && !strcmp(name + len - end, suffix);
}

static int take_one(const char *folder, const char *name,
		    int (*take)(const char *path, void *context), void *context)
{
	char *path;
	int result;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	result = take(path, context);
	free(path);
	return result;
}

int rule_source_each(const char *path, const char *suffix,
		     int (*take)(const char *path, void *context),
		     void *context)
{
	struct dirent **entries;
	const int count = scandir(path, &entries, NULL, alphasort);
	int result = 0;

	if (count < 0)
		return errno == ENOTDIR ? take(path, context) : -errno;
	for (int i = 0; i < count; i++) {
		if (!result && ends_with(entries[i]->d_name, suffix))
			result = take_one(path, entries[i]->d_name, take,
					  context);
		free(entries[i]);
	}
	free(entries);
	return result;
}
