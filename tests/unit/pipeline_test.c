/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The pipeline with several sinks: none of them holds up another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/pipeline.h"
#include "sinks/line_sink.h"
#include "system/message.h"

#define EVENTS 5000

/* --- a sink that counts what it is asked for ----------------------------- */

struct test_sink {
	struct sink sink;
	__u64 opened, put, flushed, reopened, closed;
	__u64 room; /* events that it keeps; it loses the others */
	bool holds_back, fails_to_open, fails_to_close;
	char last_source[64];
};

static struct test_sink *test_sink_of(struct sink *sink)
{
	return (struct test_sink *)sink;
}

static int open_test(struct sink *sink)
{
	test_sink_of(sink)->opened++;
	return test_sink_of(sink)->fails_to_open ? -EIO : 0;
}

static void put_test(struct sink *sink, const struct event *event,
		     const struct source *source)
{
	struct test_sink *test = test_sink_of(sink);

	(void)event;
	if (test->put++ < test->room)
		sink->counts.written++;
	else
		sink->counts.lost++;
	snprintf(test->last_source, sizeof(test->last_source), "%s",
		 source->name);
}

static bool flush_test(struct sink *sink)
{
	test_sink_of(sink)->flushed++;
	return !test_sink_of(sink)->holds_back;
}

static void reopen_test(struct sink *sink)
{
	test_sink_of(sink)->reopened++;
}

static bool close_test(struct sink *sink)
{
	test_sink_of(sink)->closed++;
	return !test_sink_of(sink)->fails_to_close;
}

static const struct sink_operations test_operations = {
	"test", open_test, put_test, flush_test, reopen_test, NULL, close_test
};

static struct test_sink test_sink(__u64 room)
{
	return (struct test_sink){ .sink.operations = &test_operations,
				   .room = room };
}

/* --- events -------------------------------------------------------------- */

static struct source source_of(const struct event *event, void *context)
{
	(void)event;
	return (struct source){ .name = context };
}

static const struct options as_they_come;

static void prepare(struct pipeline *pipeline, const struct options *options)
{
	assert_true(pipeline_prepare(pipeline, options, source_of, "eth0"));
	assert_int_equal(pipeline_open(pipeline), 0);
}

/* One with a banner of so many bytes, which are no ASCII: \xff. */
static struct event *new_event(__u32 len)
{
	struct event *event = calloc(1, sizeof(*event) + len);

	assert_non_null(event);
	event->family = 4;
	event->len = event->kept = len;
	event->part = PART_FIRST;
	memset(event->bytes, 0xff, len);
	return event;
}

static void take(struct pipeline *pipeline, int count, __u32 len)
{
	struct event *event = new_event(len);

	for (int i = 0; i < count; i++) {
		event->connection = (__u64)i + 1;
		pipeline_take(pipeline, event);
	}
	free(event);
}

/* --- sinks beside each other --------------------------------------------- */

static void test_every_sink_gets_everything(void **state)
{
	struct test_sink one = test_sink(~0ULL), other = test_sink(~0ULL);
	struct pipeline pipeline = {};

	(void)state;
	pipeline_add(&pipeline, &one.sink);
	pipeline_add(&pipeline, &other.sink);
	prepare(&pipeline, &as_they_come);
	take(&pipeline, EVENTS, 10);
	assert_true(pipeline_flush(&pipeline));
	pipeline_reopen(&pipeline);
	pipeline_close(&pipeline);
	pipeline_free(&pipeline);
	for (struct test_sink *sink = &one; sink;
	     sink = sink == &one ? &other : NULL) {
		assert_int_equal(sink->put, EVENTS);
		assert_int_equal(sink->opened, 1);
		assert_int_equal(sink->flushed, 1);
		assert_int_equal(sink->reopened, 1);
		assert_int_equal(sink->closed, 1);
		assert_string_equal(sink->last_source, "eth0");
		assert_false(sink->sink.may_wait);
	}
	assert_int_equal(pipeline_exit_code(&pipeline, EXIT_DONE), EXIT_DONE);
}

/* It counts what it loses; the other one has everything. */
static void test_a_sink_that_fails(void **state)
{
	struct test_sink good = test_sink(~0ULL), bad = test_sink(10);
	struct pipeline pipeline = {};
	struct sink_counts counts;

	(void)state;
	bad.holds_back = bad.fails_to_close = true;
	pipeline_add(&pipeline, &good.sink);
	pipeline_add(&pipeline, &bad.sink);
	prepare(&pipeline, &as_they_come);
	take(&pipeline, EVENTS, 10);
	assert_false(pipeline_flush(&pipeline));
	pipeline_close(&pipeline);
	assert_int_equal(good.sink.counts.written, EVENTS);
	counts = pipeline_counts(&pipeline);
	assert_int_equal(counts.written, EVENTS);
	assert_int_equal(counts.lost, EVENTS - 10);
	assert_false(pipeline_is_over(&pipeline));
	assert_int_equal(pipeline_exit_code(&pipeline, EXIT_DONE), EXIT_LOST);
	bad.sink.counts.lost = 0;
	assert_int_equal(pipeline_exit_code(&pipeline, EXIT_DONE), EXIT_FAILED);
	assert_int_equal(pipeline_exit_code(&pipeline, EXIT_ATTACH),
			 EXIT_ATTACH);
	pipeline_free(&pipeline);
}

static void test_a_sink_that_cannot_be_opened(void **state)
{
	struct test_sink good = test_sink(~0ULL), bad = test_sink(0);
	struct pipeline pipeline = {};

	(void)state;
	bad.fails_to_open = true;
	pipeline_add(&pipeline, &good.sink);
	pipeline_add(&pipeline, &bad.sink);
	assert_true(
		pipeline_prepare(&pipeline, &as_they_come, source_of, "eth0"));
	assert_int_equal(pipeline_open(&pipeline), -EIO);
	pipeline_free(&pipeline);
	assert_int_equal(good.closed, 1);
	assert_int_equal(bad.closed, 1);
}

static void test_no_sink(void **state)
{
	struct pipeline pipeline = {};

	(void)state;
	prepare(&pipeline, &as_they_come);
	take(&pipeline, EVENTS, 10);
	assert_true(pipeline_flush(&pipeline));
	assert_false(pipeline_is_over(&pipeline));
	pipeline_free(&pipeline);
	assert_int_equal(pipeline_exit_code(&pipeline, EXIT_DONE), EXIT_DONE);
}

/* An event of one segment is in the sinks when its greeting is over. */
static void test_with_reassembly(void **state)
{
	const struct options gathered = { .length = 64, .gather_ms = 5 };
	struct test_sink one = test_sink(~0ULL), other = test_sink(~0ULL);
	struct pipeline pipeline = {};

	(void)state;
	pipeline_add(&pipeline, &one.sink);
	pipeline_add(&pipeline, &other.sink);
	prepare(&pipeline, &gathered);
	take(&pipeline, 3, 10);
	assert_int_equal(one.put + other.put, 0);
	assert_int_equal(pipeline_deadline(&pipeline), 5000000);
	pipeline_expire(&pipeline, 5000000);
	assert_int_equal(one.put, 3);
	assert_int_equal(other.put, 3);
	pipeline_free(&pipeline);
}

/* --- the log beside another one ------------------------------------------ */

struct log {
	struct file_helper helper;
	struct line_sink line;
	char path[64];
	int reader; /* of the FIFO that it is */
};

/* A log in a FIFO with room for a page and without a consumer. */
static void open_log(struct log *log)
{
	*log = (struct log){ .helper = FILE_HELPER_NONE };
	snprintf(log->path, sizeof(log->path), "/tmp/pipeline_test.%d",
		 (int)getpid());
	assert_int_equal(mkfifo(log->path, 0600), 0);
	log->reader = open(log->path, O_RDONLY | O_NONBLOCK);
	assert_true(log->reader >= 0);
	assert_true(fcntl(log->reader, F_SETPIPE_SZ, 4096) >= 0);
	assert_int_equal(line_sink_prepare(&log->line, FORMAT_JSON, log->path,
					   &log->helper),
			 0);
}

static void close_log(struct log *log)
{
	if (log->reader >= 0)
		close(log->reader);
	unlink(log->path);
	file_helper_stop(&log->helper);
}

/* Takes out what there is; returns the lines, each of which is whole. */
static __u64 read_lines(struct pipeline *pipeline, const struct log *log)
{
	static char text[1 << 21]; /* more than the log holds */
	size_t used = 0;
	__u64 lines = 0;
	ssize_t len;
	bool all;

	do {
		all = pipeline_flush(pipeline);
		while ((len = read(log->reader, text + used,
				   sizeof(text) - used)) > 0)
			used += (size_t)len;
	} while (!all);
	for (const char *at = text, *end; at < text + used; at = end + 1) {
		end = memchr(at, '\n', (size_t)(text + used - at));
		assert_non_null(end);
		assert_memory_equal(at, "{\"ts\":", 6);
		assert_memory_equal(end - 2, "\"}", 2);
		lines++;
	}
	return lines;
}

/*
 * The log does not wait: records without room in its buffer are lost, and
 * counted. Records that it held back are written when there is room again.
 */
static void test_a_log_whose_reader_has_stopped(void **state)
{
	struct test_sink other = test_sink(~0ULL);
	struct pipeline pipeline = {};
	struct log log;
	__u64 lines;

	(void)state;
	open_log(&log);
	pipeline_add(&pipeline, &log.line.sink);
	pipeline_add(&pipeline, &other.sink);
	prepare(&pipeline, &as_they_come);
	for (int i = 0; i < EVENTS; i += 50) {
		take(&pipeline, 50, 100);
		assert_false(pipeline_flush(&pipeline));
	}
	assert_int_equal(other.put, EVENTS);
	assert_true(log.line.sink.counts.lost > 0);
	lines = read_lines(&pipeline, &log);
	assert_true(lines > 100);
	assert_int_equal(lines, log.line.sink.counts.written);
	assert_int_equal(lines + log.line.sink.counts.lost, EVENTS);
	take(&pipeline, 1, 100);
	assert_int_equal(read_lines(&pipeline, &log), 1);
	assert_int_equal(log.line.sink.counts.written, lines + 1);
	pipeline_free(&pipeline);
	close_log(&log);
}

static void test_a_log_whose_reader_has_gone(void **state)
{
	struct test_sink other = test_sink(~0ULL);
	struct pipeline pipeline = {};
	struct log log;

	(void)state;
	open_log(&log);
	pipeline_add(&pipeline, &log.line.sink);
	pipeline_add(&pipeline, &other.sink);
	prepare(&pipeline, &as_they_come);
	close(log.reader);
	log.reader = -1;
	take(&pipeline, 2, 100);
	assert_true(pipeline_flush(&pipeline));
	assert_true(pipeline_is_over(&pipeline));
	pipeline_close(&pipeline);
	assert_int_equal(other.put, 2);
	assert_int_equal(log.line.sink.counts.lost, 2);
	assert_int_equal(pipeline_exit_code(&pipeline, EXIT_DONE), EXIT_FAILED);
	pipeline_free(&pipeline);
	close_log(&log);
}

/* --- messages of several processes -----------------------------------------
 */

#define WRITERS 3
#define MESSAGES 50
#define LONG_MESSAGE 9000 /* bytes: a pipe takes 4096 in one piece */

static void __attribute__((noreturn))
write_messages(struct message_shared *shared, const int pipe[2], char letter)
{
	char text[LONG_MESSAGE + 1];

	memset(text, letter, LONG_MESSAGE);
	text[LONG_MESSAGE] = 0;
	dup2(pipe[1], STDERR_FILENO);
	close(pipe[0]);
	message_open();
	message_share(shared);
	for (int i = 0; i < MESSAGES; i++)
		message("%s", text);
	_exit(0);
}

static void test_long_messages_of_several_processes(void **state)
{
	struct message_shared *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int both[2], lines = 0;
	char *line = NULL;
	size_t room = 0;
	FILE *file;

	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	assert_int_equal(pipe(both), 0);
	for (int i = 0; i < WRITERS; i++) {
		if (!fork())
			write_messages(shared, both, (char)('a' + i));
	}
	close(both[1]);
	file = fdopen(both[0], "r");
	for (; getline(&line, &room, file) > 0; lines++) {
		const char *text = line + strlen("bannerprobe: ");
		const char letter[] = { *text, 0 };

		assert_int_equal(strlen(text), LONG_MESSAGE + 1);
		assert_int_equal(strspn(text, letter), LONG_MESSAGE);
	}
	assert_int_equal(lines, WRITERS * MESSAGES);
	for (int i = 0; i < WRITERS; i++)
		wait(NULL);
	free(line);
	fclose(file);
	munmap(shared, sizeof(*shared));
}

/* Gathered records come late: a second that has passed does not begin again. */
static void test_rate(void **state)
{
	struct rate rate = { .most = 2 };
	const __u64 early = 5 * NS_PER_SECOND, late = 6 * NS_PER_SECOND;

	(void)state;
	assert_false(rate_is_over(&rate, 1, early));
	assert_false(rate_is_over(&rate, 1, late));
	assert_false(rate_is_over(&rate, 1, early));
	assert_true(rate_is_over(&rate, 1, late));
	assert_true(rate_is_over(&rate, 1, early));
	assert_false(rate_is_over(&rate, 2, late));
	assert_false(rate_is_over(&rate, 1, late + NS_PER_SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_sink_gets_everything),
		cmocka_unit_test(test_a_sink_that_fails),
		cmocka_unit_test(test_a_sink_that_cannot_be_opened),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_no_sink),
		cmocka_unit_test(test_with_reassembly),
		cmocka_unit_test(test_a_log_whose_reader_has_stopped),
		cmocka_unit_test(test_a_log_whose_reader_has_gone),
		cmocka_unit_test(test_long_messages_of_several_processes),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
