/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "line_sink.h"

#include "system/descriptors.h"
#include "system/message.h"
#include "system/stopping.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * The buffer is written when so much is in it: less is slower to write. A
 * consumer that does not read holds up no more than the first of these.
 */
#define ENOUGH (1 << 18)
#define ENOUGH_FOR_FILE (1 << 20)
#define BUFFER_SIZE (ENOUGH_FOR_FILE + LINE_MAX_BYTES)
_Static_assert(ENOUGH > LINE_MAX_BYTES, "a line and the rest of another fit");

static struct line_sink *line_sink_of(struct sink *sink)
{
	return (struct line_sink *)((char *)sink -
				    offsetof(struct line_sink, sink));
}

static const char *name_of(const struct line_sink *sink)
{
	return sink->path ? sink->path : "standard output";
}

/* Whether it takes any number of bytes at once: a file, or /dev/null. */
static bool never_waits(int fd)
{
	struct stat status;

	return !fstat(fd, &status) &&
	       (S_ISREG(status.st_mode) ||
		(S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)));
}

static void use(struct line_sink *sink, int fd)
{
	sink->fd = fd;
	sink->waits = !never_waits(fd);
	sink->used += format_header(sink->format, sink->buffer + sink->used,
				    time(NULL));
}

/* The number of records in whole lines. Lines of a header are no records. */
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

/* The number of records that are complete after `done` bytes of the buffer. */
static __u64 count_written(const struct line_sink *sink, size_t done)
{
	const size_t rest = sink->broken_line;

	if (done < rest)
		return 0;
	return (rest && sink->broken_record) +
	       (done == sink->used ?
			sink->records :
			count_records(sink->buffer + rest, done - rest));
}

/*
 * Writes some bytes. To a pipe at most PIPE_BUF, which it takes in one piece.
 */
static ssize_t write_some(const struct line_sink *sink, const char *text,
			  size_t len)
{
	if (!sink->waits)
		return write(sink->fd, text, len);
	return descriptor_write(sink->fd, text,
				len < PIPE_BUF ? len : PIPE_BUF);
}

static bool consumer_is_gone(const struct line_sink *sink)
{
	return sink->waits && descriptor_is_gone(sink->fd);
}

/* A closed terminal, which fails with EIO, has gone as a pipe's reader has. */
static int error_of(const struct line_sink *sink, int error)
{
	return error == EIO && consumer_is_gone(sink) ? EPIPE : error;
}

/*
 * Writes the buffer; *done: the number of bytes written. With `may_wait` it
 * waits for a slow consumer, but not beyond a stop (ETIMEDOUT). Without, it
 * returns EAGAIN. 0 or an errno.
 */
static int write_out(struct line_sink *sink, bool may_wait, size_t *done)
{
	*done = 0;
	while (*done < sink->used) {
		const long long end = may_wait ? wait_end(WAIT_READER) : 0;
		ssize_t written;

		if (sink->waits &&
		    !wait_ready(sink->fd, POLLOUT, WAIT_READER, end))
			return may_wait ? ETIMEDOUT : EAGAIN;
		written = write_some(sink, sink->buffer + *done,
				     sink->used - *done);
		if (written > 0)
			*done += (size_t)written;
		else if (written < 0 && errno != EINTR && errno != EAGAIN)
			return error_of(sink, errno);
	}
	return 0;
}

static void complain(struct line_sink *sink, int error)
{
	if (error == sink->error || (error == EPIPE && !sink->path))
		return;
	message("%s: %s: records are being lost", name_of(sink),
		error == EAGAIN || error == ETIMEDOUT ?
			"its reader takes none" :
			strerror(error));
	sink->error = error;
}

/* The size of the destination; 0 where it has none. */
static off_t size_of(const struct line_sink *sink)
{
	struct stat status;

	return fstat(sink->fd, &status) ? 0 : status.st_size;
}

/*
 * After a write of only `done` bytes: moves the rest to the buffer's start. A
 * line that has been written in part is completed before all others.
 */
static void remove_written(struct line_sink *sink, size_t done)
{
	const char *rest = sink->buffer + done, *newline;
	const size_t len = sink->used - done;
	const bool within_line =
		done < sink->broken_line || (done && rest[-1] != '\n');
	size_t end = 0;

	if (within_line)
		end = (size_t)((const char *)memchr(rest, '\n', len) + 1 -
			       rest);
	if (within_line && done >= sink->broken_line) {
		newline = memrchr(sink->buffer, '\n', done);
		sink->broken_record =
			(newline ? newline[1] : sink->buffer[0]) != '#';
	}
	memmove(sink->buffer, rest, len);
	sink->used = len;
	sink->broken_line = end;
	sink->records = count_records(sink->buffer + end, len - end);
	if (end)
		sink->broken_at = size_of(sink);
}

/* Drops, as lost, the lines of which nothing has been written. */
static void drop_whole_lines(struct line_sink *sink)
{
	sink->sink.counts.lost += sink->records;
	sink->records = 0;
	sink->used = sink->broken_line;
}

/*
 * Drops the rest of a partly written line if the file was truncated meanwhile:
 * the rest would be the file's beginning.
 */
static void drop_end_without_beginning(struct line_sink *sink)
{
	const size_t rest = sink->broken_line;

	if (!rest || sink->waits || size_of(sink) >= sink->broken_at)
		return;
	sink->sink.counts.lost += sink->broken_record;
	sink->used -= rest;
	memmove(sink->buffer, sink->buffer + rest, sink->used);
	sink->broken_line = 0;
}

static void give_up(struct line_sink *sink, int error)
{
	drop_whole_lines(sink);
	complain(sink, error);
	sink->error = error;
	if (error == EPIPE)
		sink->sink.state =
			sink->path ? SINK_IS_BROKEN : SINK_HAS_ENOUGH;
}

/* False: bytes are held back, because the consumer may not be waited for. */
static bool write_buffer(struct line_sink *sink, bool may_wait)
{
	const bool goes_on = sink->sink.state == SINK_GOES_ON;
	size_t done = 0;
	int error;

	if (!sink->used)
		return true;
	drop_end_without_beginning(sink);
	message_clear_status(); /* both may go to one terminal */
	error = goes_on ? write_out(sink, may_wait, &done) : EPIPE;
	sink->sink.counts.written += count_written(sink, done);
	if (!error) {
		if (sink->error)
			message("%s: writing again, %llu records lost",
				name_of(sink), sink->sink.counts.lost);
		sink->used = sink->broken_line = 0;
		sink->records = 0;
		sink->error = 0;
		return true;
	}
	remove_written(sink, done);
	if (error == EAGAIN)
		return false;
	give_up(sink, error);
	return true;
}

static bool flush(struct sink *sink)
{
	return write_buffer(line_sink_of(sink), sink->may_wait);
}

/* Drops all. A partly written line must not be completed in another file. */
static void drop(struct line_sink *sink)
{
	sink->sink.counts.lost += sink->broken_line && sink->broken_record;
	sink->used = sink->broken_line = 0;
	sink->records = 0;
}

/* Returns false if the file ends within a line. */
static bool end_lines(struct line_sink *sink)
{
	bool is_cut;

	write_buffer(sink, true);
	is_cut = sink->broken_line > 0;
	drop(sink);
	return !is_cut;
}

/* `has_end`: the file ends with whole lines, so a footer can follow. */
static void close_file(struct line_sink *sink, bool has_end, bool may_wait)
{
	if (sink->is_open && has_end) {
		sink->used += format_footer(
			sink->format, sink->buffer + sink->used, time(NULL));
		write_buffer(sink, may_wait);
	}
	if (sink->path && sink->fd >= 0 && close(sink->fd) && sink->is_open &&
	    !sink->error) {
		sink->error = errno;
		message("%s: %s", sink->path, strerror(errno));
	}
}

/* sink->fd is -1 where the file does not exist and can be created. */
static int open_existing(struct line_sink *sink)
{
	struct files *files = &sink->helper->files;

	sink->fd = sink->path ? files_open_log(files, sink->path) :
				descriptor_unblocked(STDOUT_FILENO);
	sink->is_within_line = sink->path && files_end_within_line(sink->fd);
	if (sink->fd >= 0)
		return 0;
	return sink->path && sink->fd == -ENOENT ?
		       files_may_create(sink->path) :
		       sink->fd;
}

static int open_sink(struct sink *base)
{
	struct line_sink *sink = line_sink_of(base);
	int fd = sink->fd >= 0 ? sink->fd :
				 file_helper_ask(sink->helper, FILE_LOG);

	if (fd < 0) {
		message("-o %s: %s", sink->path, strerror(-fd));
		return fd;
	}
	sink->is_open = true;
	if (sink->is_within_line && write(fd, "\n", 1) < 0)
		complain(sink, errno);
	use(sink, fd);
	write_buffer(sink, base->may_wait);
	return 0;
}

/* Whether both descriptors are open on the same file. */
static bool is_same_file(int one, int other)
{
	struct stat first, second;

	return !fstat(one, &first) && !fstat(other, &second) &&
	       first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Why the log cannot be opened again, in the directory of the start. */
static const char *reason(int error)
{
	if (error == ENOENT)
		return "its directory was removed, a new start would use "
		       "another";
	return error == ENXIO ? "nobody reads from it" : strerror(error);
}

static void reopen(struct sink *base)
{
	struct line_sink *sink = line_sink_of(base);
	bool is_new;
	int fd;

	if (!sink->is_open)
		return;
	if (!sink->path) {
		/* A SIGHUP can also mean that the terminal was closed. */
		if (consumer_is_gone(sink))
			base->state = SINK_HAS_ENOUGH;
		return;
	}
	fd = file_helper_ask(sink->helper, FILE_LOG);
	sink->must_reopen = fd == -ETIMEDOUT;
	if (fd < 0) {
		message("%s: %s: going on with the old file", sink->path,
			reason(-fd));
		return;
	}
	is_new = !is_same_file(sink->fd, fd);
	/* Bytes held back must not be written to the new file. */
	if (!write_buffer(sink, base->may_wait))
		give_up(sink, EAGAIN);
	close_file(sink, true, base->may_wait);
	if (is_new)
		drop(sink);
	use(sink, fd);
	write_buffer(sink, base->may_wait);
}

/* Another sink may need events that are not asked for in the log. */
static bool is_asked_for(const struct event *event, const struct source *source)
{
	const __u32 events = source->events ? source->events : EVENTS_BANNER;

	return events & EVENT_BIT(event->kind);
}

static bool has_room(const struct line_sink *sink)
{
	return sink->used <= (sink->waits ? ENOUGH : ENOUGH_FOR_FILE);
}

/* Makes room for a line; false: the log takes no more bytes now. */
static bool make_room(struct line_sink *sink)
{
	if (sink->must_reopen && !file_helper_is_busy(sink->helper))
		reopen(&sink->sink);
	return has_room(sink) || write_buffer(sink, sink->sink.may_wait) ||
	       has_room(sink);
}

/* Counts the lines of an event. In Zeek's format headers of HTTP are lines. */
static __u64 count_lines(enum format format, const struct event *event,
			 const char *lines, size_t len)
{
	if (format == FORMAT_ZEEK && event->kind != EVENT_BANNER)
		return count_records(lines, len);
	return len > 0;
}

static void lose_line(struct line_sink *sink)
{
	complain(sink, EAGAIN);
	sink->sink.counts.lost++;
}

static void put(struct sink *base, const struct event *event,
		const struct source *source)
{
	struct line_sink *sink = line_sink_of(base);
	char *to;
	size_t len;

	if (sink->only_changes || !is_asked_for(event, source))
		return;
	if (rate_is_over(&sink->rate, event->ifindex, event->time)) {
		base->counts.over_rate++;
		return;
	}
	if (!make_room(sink)) {
		lose_line(sink);
		return;
	}
	to = sink->buffer + sink->used;
	len = format_record(sink->format, to, event, source);
	sink->used += len;
	sink->records += count_lines(sink->format, event, to, len);
	if (!len)
		base->counts.left_out++;
}

bool line_sink_has_room(struct line_sink *sink)
{
	return sink->is_open && make_room(sink);
}

void line_sink_put_change(struct line_sink *sink,
			  const struct stream_change *change)
{
	size_t len;

	if (!make_room(sink)) {
		lose_line(sink);
		return;
	}
	len = format_change(sink->format, sink->buffer + sink->used, change);
	sink->used += len;
	sink->records += len > 0;
}

static bool close_sink(struct sink *base)
{
	struct line_sink *sink = line_sink_of(base);

	close_file(sink, end_lines(sink), true);
	free(sink->buffer);
	sink->buffer = NULL;
	return !sink->error;
}

static const struct sink_operations operations = {
	.name = "log",
	.open = open_sink,
	.put = put,
	.flush = flush,
	.reopen = reopen,
	.close = close_sink,
};

int line_sink_prepare(struct line_sink *sink, enum format format,
		      const char *path, struct file_helper *helper)
{
	int error;

	*sink = (struct line_sink){
		.sink = { .operations = &operations, .may_wait = true },
		.format = format,
		.path = path,
		.helper = helper,
	};
	error = open_existing(sink);
	if (error == -ENXIO)
		message("-o %s: nobody reads from it: start its reader first",
			path);
	else if (error)
		message("-o %s: %s", path, strerror(-error));
	if (error)
		return error;
	sink->buffer = malloc(BUFFER_SIZE);
	if (sink->buffer)
		return 0;
	message("out of memory");
	return -ENOMEM;
}
