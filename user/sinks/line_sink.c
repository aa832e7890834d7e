/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "line_sink.h"

#include "system/descriptors.h"
#include "system/message.h"
#include "system/stopping.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE (1 << 18)
_Static_assert(BUFFER_SIZE > 2 * LINE_MAX_BYTES,
	       "a line and the rest of another fit");

static const char *name_of(const struct output *output)
{
	return output->path ? output->path : "standard output";
}

/* Whether a file could be made that is not there. */
static int try_directory(const char *path)
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

static void use(struct output *output, int fd)
{
	struct stat status;

	output->fd = fd;
	output->waits = fstat(fd, &status) || !S_ISREG(status.st_mode);
	output->used += format_header(
		output->format, output->buffer + output->used, time(NULL));
}

/* Records among whole lines; the lines of a header are none. */
static __u64 count_records(const char *text, size_t len)
{
	const char *end = text + len, *newline;
	__u64 records = 0;

	while ((newline = memchr(text, '\n', (size_t)(end - text)))) {
		records += *text != '#';
		text = newline + 1;
	}
	return records;
}

/* Records that are whole when so many bytes of the buffer are written. */
static __u64 count_written(const struct output *output, size_t done)
{
	const size_t rest = output->broken_line;

	if (done < rest)
		return 0;
	return (rest && output->broken_record) +
	       count_records(output->buffer + rest, done - rest);
}

/* Writes some of it, at most as much as a pipe takes in one. */
static ssize_t write_some(const struct output *output, const char *text,
			  size_t len)
{
	if (!output->waits)
		return write(output->fd, text, len);
	return descriptor_write(output->fd, text,
				len < PIPE_BUF ? len : PIPE_BUF);
}

/*
 * Writes as much as it can; *done is how much. A reader is waited for as long
 * as it takes, but when the program is to end it is given up. 0 or an errno.
 */
static int write_out(struct output *output, size_t *done)
{
	*done = 0;
	while (*done < output->used) {
		ssize_t written;

		if (output->waits &&
		    !wait_ready(output->fd, POLLOUT, WAIT_READER,
				wait_end(WAIT_READER)))
			return ETIMEDOUT;
		written = write_some(output, output->buffer + *done,
				     output->used - *done);
		if (written > 0)
			*done += (size_t)written;
		else if (written < 0 && errno != EINTR && errno != EAGAIN)
			return errno;
	}
	return 0;
}

bool output_reader_left(const struct output *output)
{
	return output->closed && !output->path;
}

static void complain(struct output *output, int error)
{
	if (error == output->error || (error == EPIPE && !output->path))
		return;
	message("%s: %s: records are being lost", name_of(output),
		strerror(error));
}

/* Of what can be asked for it. */
static off_t size_of(const struct output *output)
{
	struct stat status;

	return fstat(output->fd, &status) ? 0 : status.st_size;
}

/*
 * After a failed write of `done` bytes: a line whose beginning is written
 * will be completed when there is room again; the lines after it are lost.
 */
static void give_up(struct output *output, size_t done)
{
	const char *rest = output->buffer + done, *newline;
	size_t len = output->used - done, keep = 0;
	const bool within_line =
		done < output->broken_line || (done && rest[-1] != '\n');

	if (within_line)
		keep = (size_t)((const char *)memchr(rest, '\n', len) + 1 -
				rest);
	if (within_line && done >= output->broken_line) {
		newline = memrchr(output->buffer, '\n', done);
		output->broken_record =
			(newline ? newline[1] : output->buffer[0]) != '#';
	}
	output->lost += count_records(rest + keep, len - keep);
	memmove(output->buffer, rest, keep);
	output->used = output->broken_line = keep;
	if (keep)
		output->broken_at = size_of(output);
}

/* Of a file that was emptied: the line's end would begin it. */
static void drop_end_without_beginning(struct output *output)
{
	const size_t rest = output->broken_line;

	if (!rest || output->waits || size_of(output) >= output->broken_at)
		return;
	output->lost += output->broken_record;
	output->used -= rest;
	memmove(output->buffer, output->buffer + rest, output->used);
	output->broken_line = 0;
}

void output_flush(struct output *output)
{
	size_t done = 0;
	int error;

	if (!output->used)
		return;
	drop_end_without_beginning(output);
	message_clear_status(); /* both may go to one terminal */
	error = output->closed ? EPIPE : write_out(output, &done);
	output->logged += count_written(output, done);
	if (!error) {
		if (output->error)
			message("%s: writing again, %llu records lost",
				name_of(output), output->lost);
		output->used = output->broken_line = 0;
		output->error = 0;
		return;
	}
	give_up(output, done);
	complain(output, error);
	output->error = error;
	output->closed = error == EPIPE;
}

/* What is left now is the rest of a line, and belongs to no other file. */
static void drop(struct output *output)
{
	output->lost += output->broken_line && output->broken_record;
	output->used = output->broken_line = 0;
}

void output_end(struct output *output)
{
	output_flush(output);
	output->is_cut |= output->broken_line > 0;
	drop(output);
}

static void close_file(struct output *output)
{
	if (!output->begun || output->is_cut) {
		if (output->path && output->fd >= 0)
			close(output->fd);
		return;
	}
	output->used += format_footer(
		output->format, output->buffer + output->used, time(NULL));
	output_flush(output);
	if (output->path && close(output->fd) && !output->error) {
		output->error = errno;
		message("%s: %s", output->path, strerror(errno));
	}
}

/* -1 in output->fd where the file is not there and can be made. */
static int open_existing(struct output *output)
{
	struct files *files = &output->helper.files;

	output->fd = output->path ? files_open_log(files, output->path) :
				    descriptor_unblocked(STDOUT_FILENO);
	if (output->fd >= 0)
		return 0;
	return output->fd == -ENOENT ? try_directory(output->path) : output->fd;
}

int output_open(struct output *output, enum format format, const char *path)
{
	int error;

	*output = (struct output){ .format = format,
				   .path = path,
				   .helper = FILE_HELPER_NONE };
	error = open_existing(output);
	if (error == -ENXIO)
		message("-o %s: nobody reads from it: start its reader first",
			path);
	else if (error)
		message("-o %s: %s", path, strerror(-error));
	if (error)
		return error;
	output->buffer = malloc(BUFFER_SIZE);
	if (output->buffer)
		return 0;
	message("out of memory");
	return -ENOMEM;
}

int output_begin(struct output *output)
{
	int fd = output->fd >= 0 ? output->fd :
				   file_helper_ask(&output->helper, FILE_LOG);

	if (fd < 0) {
		message("-o %s: %s", output->path, strerror(-fd));
		return fd;
	}
	output->begun = true;
	use(output, fd);
	output_flush(output);
	return 0;
}

/* Not renamed, nor deleted: both are open on what has the name. */
static bool is_same_file(int one, int other)
{
	struct stat first, second;

	return !fstat(one, &first) && !fstat(other, &second) &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

void output_reopen(struct output *output)
{
	bool is_new;
	int fd;

	if (!output->path || !output->begun)
		return;
	fd = file_helper_ask(&output->helper, FILE_LOG);
	output->must_reopen = fd == -ETIMEDOUT;
	if (fd < 0) {
		message("%s: %s: going on with the old file", output->path,
			strerror(-fd));
		return;
	}
	is_new = !is_same_file(output->fd, fd);
	output_flush(output);
	close_file(output);
	if (is_new)
		drop(output);
	use(output, fd);
	output_flush(output);
}

void output_record(struct output *output, const struct event *record,
		   const struct source *source)
{
	size_t len;

	if (output->must_reopen && !file_helper_is_busy(&output->helper))
		output_reopen(output);
	if (output->used > BUFFER_SIZE - LINE_MAX_BYTES)
		output_flush(output);
	len = format_record(output->format, output->buffer + output->used,
			    record, source);
	output->used += len;
	if (!len)
		output->left_out++;
}

bool output_close(struct output *output)
{
	output_end(output);
	close_file(output);
	file_helper_stop(&output->helper);
	free(output->buffer);
	output->buffer = NULL;
	return !output->error;
}
