/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a process that reads captures sends is not relied on: any bytes end it,
 * or are events that the formats can write.
 */
#include "pipeline/capture_jobs.c"

#include "chance.h"
#include "sinks/format.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROUNDS 20000
#define FILES 2

/* One frame, with its event. */
static union {
	struct frame_head head;
	char bytes[FRAMES_ROOM];
} frame;
static struct event *const event = (struct event *)(&frame.head + 1);

static struct chance chance = { .state = 1 };
static char line[LINE_MAX_BYTES];
static unsigned int taken;

static bool take(const struct event *one, const char *name, void *context)
{
	const struct source source = { .name = "x", .capture_iface = name };

	(void)context;
	for (int format = 0; format <= FORMAT_ZEEK; format++)
		format_record((enum format)format, line, one, &source);
	taken++;
	return true;
}

static bool serve(void *context)
{
	(void)context;
	return true;
}

/* What the first process makes of these bytes of the only other one. */
static enum job_result listen_to(const void *bytes, size_t size)
{
	const struct job_listener listener = { .take = take,
					       .serve = serve,
					       .fd = -1 };
	struct job job = { .room = BUFFER_AT_FIRST, .pipe = -1 };
	struct capture_jobs jobs = { .count = 1, .jobs = &job };
	enum job_flags flags;
	enum job_result result;
	int ends[2];

	jobs.share = calloc(1, sizeof(*jobs.share) + FILES);
	job.buffer = malloc(BUFFER_AT_FIRST);
	assert_true(jobs.share && job.buffer && !pipe2(ends, O_NONBLOCK));
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_ROOM);
	assert_int_equal(write(ends[1], bytes, size), size);
	close(ends[1]);
	job.pipe = ends[0];
	jobs.share->taker[1] = 1;
	taken = 0;
	result = capture_jobs_listen(&jobs, 1, &listener, &flags);
	close(ends[0]);
	free(job.buffer);
	free(jobs.share);
	return result;
}

/* A sound frame of an event. */
static void fill(void)
{
	memset(&frame, 0, sizeof(frame));
	event->family = 4;
	event->kept = event->len = 5;
	memcpy(event->bytes, "hello", 5);
	frame.head = (struct frame_head){ .event_size = event_size(event),
					  .file = 1 };
	frame.head.size =
		(__u32)(sizeof(frame.head) + frame.head.event_size + 7) & ~7U;
}

static void test_sound_ones_are_taken(void **state)
{
	const struct frame_head end = { .size = sizeof(end), .file = 1 };

	(void)state;
	fill();
	memcpy(frame.bytes + frame.head.size, &end, sizeof(end));
	assert_int_equal(listen_to(&frame, frame.head.size + sizeof(end)),
			 JOB_DONE);
	assert_int_equal(taken, 1);
}

#define REFUSE(what)                                                           \
	do {                                                                   \
		fill();                                                        \
		what;                                                          \
		assert_int_equal(listen_to(&frame, 4096), JOB_DIED);           \
		assert_int_equal(taken, 0);                                    \
	} while (0)

static void test_others_are_refused(void **state)
{
	(void)state;
	REFUSE(frame.head.size = 0);
	REFUSE(frame.head.size = sizeof(frame.head) - 8);
	REFUSE(frame.head.size += 1);
	REFUSE(frame.head.size = FRAMES_ROOM + 8);
	REFUSE(frame.head.size = ~7U);
	REFUSE(frame.head.file = 0); /* a file that is done */
	REFUSE(frame.head.event_size = 1);
	REFUSE(frame.head.event_size = frame.head.size);
	REFUSE(frame.head.has_name = 1; memset(event->bytes, 1, 16));
	REFUSE(event->kept = 64);
	REFUSE(event->kept = ~0U);
	REFUSE(event->kind = EVENT_KINDS);
	REFUSE(event->family = 5);
	REFUSE(event->vlan_count = 3);
	REFUSE(event->tunnel_count = 1);
	REFUSE(event->tunnel_count = 255);
}

/* No end of a file comes: it is said that the process has ended. */
static void test_any_bytes(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		fill();
		for (int n = below(&chance, 8); n >= 0; n--)
			frame.bytes[below(&chance, 256)] =
				(char)below(&chance, 256);
		listen_to(&frame, 1 + (size_t)below(&chance, 4096));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_ones_are_taken),
		cmocka_unit_test(test_others_are_refused),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
