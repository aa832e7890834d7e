/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "capture_jobs.h"

#include "system/descriptors.h"
#include "system/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIPE_ROOM (1 << 20) /* bytes: the default limit for ordinary users */
/*
 * Bytes kept of all processes whose files are not yet due. A process for which
 * there is no room waits.
 */
#define BUFFERS_MAX (1UL << 25)
#define BUFFER_AT_FIRST (1 << 18)
#define FRAMES_ROOM (1 << 16)
#define POLLED_MAX (JOBS_MAX + 1)

/* Precedes each event, and marks a file's end. Frames are multiples of 8 bytes.
 */
struct frame_head {
	__u32 size;	  /* bytes of the frame, with this head */
	__u32 event_size; /* bytes; 0: the file's end */
	__u32 file;	  /* its number in the list */
	__u32 flags;	  /* at the end: enum job_flags */
	__u8 has_name;	  /* 1: the interface's name, with its NUL, follows the
			   * event */
	__u8 reserved[7];
};

#define FRAME_MAX                                                              \
	(sizeof(struct frame_head) + sizeof(struct event) + EVENT_ROOM +       \
	 CAPTURE_IFACE_MAX + 16)
_Static_assert(FRAME_MAX < FRAMES_ROOM, "a frame fits");
_Static_assert(BUFFERS_MAX / JOBS_MAX >= BUFFER_AT_FIRST, "of each process");

struct job_share {
	atomic_size_t next;		    /* the next file to take */
	struct job_counts counts[JOBS_MAX]; /* of each process */
	unsigned char taker[]; /* of each file: its process's number, plus 1;
				* 0: not taken */
};

/* --- in a process that reads ---------------------------------------------- */

static struct capture_jobs *jobs_of(struct sink *sink)
{
	return (struct capture_jobs *)((char *)sink -
				       offsetof(struct capture_jobs, sink));
}

static int open_sink(struct sink *sink)
{
	(void)sink;
	return 0;
}

static bool flush(struct sink *sink)
{
	struct capture_jobs *jobs = jobs_of(sink);
	size_t done = 0;
	ssize_t written;

	while (done < jobs->frames_len && sink->state == SINK_GOES_ON) {
		written = write(jobs->to, jobs->frames + done,
				jobs->frames_len - done);
		if (written > 0)
			done += (size_t)written;
		else if (errno != EINTR)
			sink->state = SINK_IS_BROKEN;
	}
	jobs->frames_len = 0;
	return true;
}

/* Makes room for a frame; the caller adds to its size what it appends. */
static struct frame_head *begin_frame(struct capture_jobs *jobs)
{
	struct frame_head *head;

	if (jobs->frames_len + FRAME_MAX > FRAMES_ROOM)
		flush(&jobs->sink);
	head = (struct frame_head *)(jobs->frames + jobs->frames_len);
	*head = (struct frame_head){ .size = sizeof(*head),
				     .file = (__u32)jobs->file };
	return head;
}

static void put(struct sink *sink, const struct event *event,
		const struct source *source)
{
	struct capture_jobs *jobs = jobs_of(sink);
	struct frame_head *head = begin_frame(jobs);
	const char *name = source->capture_iface;
	char *to = (char *)(head + 1);
	size_t len;

	head->event_size = event_size(event);
	memcpy(to, event, head->event_size);
	head->size += head->event_size;
	if (name) {
		len = strnlen(name, CAPTURE_IFACE_MAX);
		to += head->event_size;
		memcpy(to, name, len);
		to[len] = '\0';
		head->has_name = true;
		head->size += (__u32)len + 1;
	}
	head->size = (head->size + 7) & ~7U;
	jobs->frames_len += head->size;
	sink->counts.written++;
}

static void reopen(struct sink *sink)
{
	(void)sink;
}

static const struct sink_operations operations = {
	.name = "job",
	.open = open_sink,
	.put = put,
	.flush = flush,
	.reopen = reopen,
	.close = flush,
};

struct capture_file *capture_jobs_take(struct capture_jobs *jobs)
{
	jobs->file = atomic_fetch_add(&jobs->share->next, 1);
	if (jobs->file >= jobs->list.count)
		return NULL;
	jobs->share->taker[jobs->file] = (unsigned char)(jobs->number + 1);
	return &jobs->list.files[jobs->file];
}

bool capture_jobs_done(struct capture_jobs *jobs, enum job_flags flags,
		       const struct job_counts *counts)
{
	struct frame_head *head = begin_frame(jobs);

	head->flags = flags;
	jobs->frames_len += head->size;
	jobs->share->counts[jobs->number] = *counts;
	flush(&jobs->sink);
	return jobs->sink.state == SINK_GOES_ON;
}

/* --- starting ------------------------------------------------------------- */

/*
 * Closes what a process that handles strangers' bytes has no need of: the log,
 * its directory, standard output.
 */
static int close_others(int to, int life)
{
	const int kept[] = { STDIN_FILENO, STDERR_FILENO, to, life };
	bool no_stdout;
	int error;

	process_keep_only(kept, sizeof(kept) / sizeof(*kept));
	error = descriptors_fill(&no_stdout);
	message_open();
	return error;
}

/* Runs in the new process `number`: the others are not its children. */
static int become_job(struct capture_jobs *jobs, unsigned int number, int to)
{
	jobs->count = 0;
	jobs->number = number;
	jobs->to = to;
	jobs->frames = malloc(FRAMES_ROOM);
	jobs->sink.operations = &operations;
	return jobs->frames ?
		       close_others(to, jobs->jobs[number].process.life) :
		       -ENOMEM;
}

static int start_job(struct capture_jobs *jobs, unsigned int number)
{
	struct job *job = &jobs->jobs[number];
	int ends[2], result;

	*job = (struct job){ .process = PROCESS_NONE, .pipe = -1 };
	job->buffer = malloc(BUFFER_AT_FIRST);
	job->room = BUFFER_AT_FIRST;
	if (!job->buffer)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_ROOM);
	result = process_start(&job->process, "bannerprobe-cap");
	if (!result)
		return become_job(jobs, number, ends[1]);
	close(ends[1]);
	job->pipe = ends[0];
	fcntl(job->pipe, F_SETFL, O_NONBLOCK);
	return result;
}

static int start_jobs(struct capture_jobs *jobs, unsigned int wanted)
{
	const size_t size = sizeof(struct job_share) + jobs->list.count;
	int result = 1;

	jobs->jobs = calloc(wanted, sizeof(*jobs->jobs));
	jobs->share = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!jobs->jobs || jobs->share == MAP_FAILED)
		return -ENOMEM;
	for (unsigned int i = 0; i < wanted && result > 0; i++) {
		jobs->count = i + 1;
		result = start_job(jobs, i);
	}
	return result;
}

int capture_jobs_start(struct capture_jobs *jobs, const struct options *options)
{
	size_t wanted = options->jobs;
	int result = 1;

	*jobs = (struct capture_jobs){};
	if (wanted <= 1)
		return 1;
	jobs->is_listed = true;
	if (!capture_list_fill(&jobs->list, options->names, options->count))
		result = -ENOMEM;
	if (wanted > jobs->list.count)
		wanted = jobs->list.count;
	if (result > 0 && wanted > 1)
		result = start_jobs(jobs, (unsigned int)wanted);
	if (result < 0)
		message("-j %u: %s", options->jobs, strerror(-result));
	return result;
}

void capture_jobs_free(struct capture_jobs *jobs)
{
	for (unsigned int i = 0; i < jobs->count; i++) {
		process_end(&jobs->jobs[i].process);
		if (jobs->jobs[i].pipe >= 0)
			close(jobs->jobs[i].pipe);
		free(jobs->jobs[i].buffer);
	}
	free(jobs->jobs);
	free(jobs->frames);
	capture_list_free(&jobs->list);
}

/* --- in the first process ------------------------------------------------- */

/*
 * A process handles strangers' bytes, so nothing that it sends is relied on.
 * This is what the sinks count by. `size`: of the event, or more.
 */
static bool is_sound_event(const struct event *event, size_t size)
{
	const struct tunnel *tunnels = event_tunnels(event);

	if (size < sizeof(*event) || event->kept > BANNER_MAX ||
	    size < sizeof(*event) + event->kept || event_size(event) > size ||
	    event->tunnel_count > TUNNELS_MAX || event->tunnels_at % 8 ||
	    event->vlan_count > 2 || event->kind >= EVENT_KINDS ||
	    (event->family != 4 && event->family != 6))
		return false;
	for (int i = 0; i < event->tunnel_count; i++) {
		if (tunnels[i].kind >= TUNNEL_KINDS)
			return false;
	}
	return true;
}

static bool is_sound_size(const struct frame_head *head)
{
	return head->size >= sizeof(*head) && head->size <= FRAMES_ROOM &&
	       !(head->size % 8);
}

/* Of a whole frame, while that file is due. */
static bool is_sound(const struct frame_head *head, size_t file)
{
	const char *bytes = (const char *)(head + 1);
	const size_t room = head->size - sizeof(*head);

	if (head->file < file)
		return false;
	if (!head->event_size)
		return true;
	return head->event_size <= room &&
	       is_sound_event((const struct event *)bytes, head->event_size) &&
	       (!head->has_name || memchr(bytes + head->event_size, '\0',
					  room - head->event_size));
}

/*
 * The next whole frame of a process, or NULL. A process that sends anything
 * else is heard no more.
 */
static const struct frame_head *next_frame(struct job *job, size_t file)
{
	const struct frame_head *head =
		(const struct frame_head *)(job->buffer + job->at);
	const size_t left = job->used - job->at;

	if (left < sizeof(*head))
		return NULL;
	if (is_sound_size(head) && left < head->size)
		return NULL;
	if (is_sound_size(head) && is_sound(head, file))
		return head;
	job->has_ended = true;
	job->used = job->at;
	return NULL;
}

static bool make_room(struct job *job, unsigned int jobs)
{
	const size_t room = 2 * job->room;
	char *buffer;

	if (job->at) /* else all would be copied onto itself, again and again */
		memmove(job->buffer, job->buffer + job->at,
			job->used - job->at);
	job->used -= job->at;
	job->at = 0;
	if (job->room - job->used >= FRAMES_ROOM)
		return true;
	buffer = room <= BUFFERS_MAX / jobs ? realloc(job->buffer, room) : NULL;
	if (!buffer)
		return false;
	job->buffer = buffer;
	job->room = room;
	return true;
}

static bool has_room(struct job *job, unsigned int jobs)
{
	return job->room - job->used >= FRAMES_ROOM || make_room(job, jobs);
}

static void read_frames(struct job *job)
{
	const ssize_t got =
		read(job->pipe, job->buffer + job->used, job->room - job->used);

	if (got > 0)
		job->used += (size_t)got;
	else if (!got || (errno != EAGAIN && errno != EINTR))
		job->has_ended = true;
}

/* Waits until a process has sent frames, or the listener's fd is readable. */
static bool wait_for_frames(struct capture_jobs *jobs,
			    const struct job_listener *listener)
{
	struct pollfd polled[POLLED_MAX] = { { .fd = listener->fd,
					       .events = POLLIN } };
	const nfds_t count = jobs->count + 1;

	for (unsigned int i = 0; i < jobs->count; i++) {
		struct job *job = &jobs->jobs[i];

		polled[i + 1] = (struct pollfd){
			.fd = job->has_ended || !has_room(job, jobs->count) ?
				      -1 :
				      job->pipe,
			.events = POLLIN,
		};
	}
	if (poll(polled, count, -1) < 0)
		return true; /* a signal: the caller waits again */
	for (unsigned int i = 0; i < jobs->count; i++) {
		if (polled[i + 1].revents)
			read_frames(&jobs->jobs[i]);
	}
	return !polled[0].revents || listener->serve(listener->context);
}

/* Whether no frame of a file can arrive any more: its process has ended. */
static bool is_dead(const struct capture_jobs *jobs, size_t file)
{
	const unsigned int taker = jobs->share->taker[file];
	bool all = true;

	if (taker)
		return taker > jobs->count || jobs->jobs[taker - 1].has_ended;
	for (unsigned int i = 0; i < jobs->count; i++)
		all &= jobs->jobs[i].has_ended;
	return all;
}

static bool take_event(const struct frame_head *head,
		       const struct job_listener *listener)
{
	const char *bytes = (const char *)(head + 1);

	return listener->take((const struct event *)bytes,
			      head->has_name ? bytes + head->event_size : NULL,
			      listener->context);
}

/* Takes the file's frames that have arrived. True: its end is among them. */
static bool take_frames(struct job *job, size_t file,
			const struct job_listener *listener,
			enum job_flags *flags, bool *goes_on)
{
	const struct frame_head *head;

	while (*goes_on && (head = next_frame(job, file)) &&
	       head->file == file) {
		job->at += head->size;
		if (!head->event_size) {
			*flags = (enum job_flags)head->flags;
			return true;
		}
		*goes_on = take_event(head, listener);
	}
	return false;
}

enum job_result capture_jobs_listen(struct capture_jobs *jobs, size_t file,
				    const struct job_listener *listener,
				    enum job_flags *flags)
{
	bool goes_on = true;

	*flags = 0;
	for (;;) {
		const bool dead = is_dead(jobs, file);

		for (unsigned int i = 0; i < jobs->count; i++) {
			if (take_frames(&jobs->jobs[i], file, listener, flags,
					&goes_on))
				return JOB_DONE;
		}
		if (!goes_on)
			return JOB_STOPPED;
		if (dead)
			return JOB_DIED;
		if (!is_dead(jobs, file) && !wait_for_frames(jobs, listener))
			return JOB_STOPPED;
	}
}

void capture_jobs_counts(const struct capture_jobs *jobs,
			 struct job_counts *counts)
{
	*counts = (struct job_counts){};
	for (unsigned int i = 0; i < jobs->count; i++) {
		const struct job_counts *one = &jobs->share->counts[i];

		counts->packets += one->packets;
		for (int k = 0; k < COUNTER_ROOM; k++)
			counts->counters[k] += one->counters[k];
		event_counts_add(&counts->events, &one->events);
	}
}
