/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "inventory_sink.h"

#include "proxy_header.h"
#include "put.h"
#include "service_owner.h"
#include "spoken_by_both.h"
#include "system/message.h"
#include "system/stopping.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define WAITING_SIZE (1 << 20)
#define CHANGES_AT_ONCE 256 /* before events are taken again */
#define EVENT_PARTS                                                            \
	4 /* the event's fields, its bytes, its tunnels, its owner */

static struct inventory_sink *inventory_sink_of(struct sink *sink)
{
	return (struct inventory_sink *)((char *)sink -
					 offsetof(struct inventory_sink, sink));
}

/* --- sending ------------------------------------------------------------- */

static void count(struct inventory_sink *sink)
{
	sink->sink.counts.written = sink->counts->sent;
	sink->sink.counts.lost_inventory = sink->lost + sink->counts->lost;
	sink->sink.counts.lost_changes =
		sink->lost_changes + sink->counts->lost_changes;
	sink->sink.counts.ftp_data = sink->counts->ftp_data;
	sink->sink.counts.services = sink->counts->services;
	memcpy(sink->sink.counts.changes, sink->counts->changes,
	       sizeof(sink->sink.counts.changes));
}

/* No message here: keeper_process_end() reports the keeper's exit status. */
static void give_up(struct inventory_sink *sink)
{
	sink->sink.state = SINK_IS_BROKEN;
}

/* Sends a datagram. 0 or an errno; EAGAIN: the socket has no room. */
static int send_parts(struct inventory_sink *sink, struct iovec *parts,
		      size_t count_of_parts)
{
	const struct msghdr datagram = { .msg_iov = parts,
					 .msg_iovlen = count_of_parts };

	if (sendmsg(sink->socket, &datagram, MSG_DONTWAIT | MSG_NOSIGNAL) >=
	    0) {
		sink->counts->sent++;
		return 0;
	}
	/* A kernel short of memory counts as a socket without room. */
	return errno == EINTR || errno == ENOBUFS || errno == ENOMEM ? EAGAIN :
								       errno;
}

/* Sends waiting datagrams while there is room. False: some still wait. */
static bool send_waiting(struct inventory_sink *sink)
{
	size_t done = 0;

	while (done < sink->used && sink->sink.state == SINK_GOES_ON) {
		struct iovec part;
		__u32 len;
		int error;

		memcpy(&len, sink->waiting + done, sizeof(len));
		part.iov_base = sink->waiting + done + sizeof(len);
		part.iov_len = len;
		error = send_parts(sink, &part, 1);
		if (error == EAGAIN)
			break;
		if (error)
			give_up(sink);
		else
			done += sizeof(len) + len;
	}
	sink->used -= done;
	if (done) /* else all would be copied onto itself, for each event */
		memmove(sink->waiting, sink->waiting + done, sink->used);
	return !sink->used;
}

/* --- changes ------------------------------------------------------------- */

/* Takes a change from the socket. False: there is none, or the keeper ended. */
static bool receive_change(struct inventory_sink *sink)
{
	union {
		struct stream_change change;
		char bytes[CHANGE_SIZE_MAX + 1];
	} datagram;
	const ssize_t size =
		recv(sink->socket, &datagram, sizeof(datagram), MSG_DONTWAIT);

	if (!size) /* the keeper has ended */
		sink->has_ended = true;
	if (size <= 0)
		return false;
	if (!stream_change_is_sound(&datagram.change, (size_t)size))
		sink->lost_changes++;
	else if (sink->log)
		line_sink_put_change(sink->log, &datagram.change);
	return true;
}

static bool has_room(const struct inventory_sink *sink)
{
	return !sink->log || sink->is_closing || line_sink_has_room(sink->log);
}

/* Hands changes to the log. False: the log has no room, some are held back. */
static bool log_changes(struct inventory_sink *sink)
{
	bool takes = true;

	for (int i = 0; i < CHANGES_AT_ONCE; i++) {
		takes = has_room(sink);
		if (!takes || !receive_change(sink))
			break;
	}
	/* The pipeline may have flushed the log before these lines came. */
	return !sink->log ||
	       (sink->log->sink.operations->flush(&sink->log->sink) && takes);
}

/* --- waiting ------------------------------------------------------------- */

/*
 * Waits until all events are sent. Changes are taken meanwhile, since the
 * keeper may wait until it can send them. False: the keeper takes no event, or
 * a stop came.
 */
static bool wait_for_room(struct inventory_sink *sink)
{
	while (!send_waiting(sink)) {
		const short more = has_room(sink) ? POLLIN : 0;

		if (sink->sink.state != SINK_GOES_ON || sink->has_ended ||
		    !wait_ready(sink->socket, POLLOUT | more, WAIT_READER,
				wait_end(WAIT_READER)))
			return false;
		log_changes(sink);
	}
	return true;
}

static void lose(struct inventory_sink *sink)
{
	sink->lost++;
	if (!sink->complained && sink->sink.state == SINK_GOES_ON)
		message("--inventory %s: it is not written as fast as events "
			"come: some are being lost",
			sink->path);
	sink->complained = true;
}

/* Stores an event to be sent later; false: there is no room. */
static bool keep_back(struct inventory_sink *sink, const struct iovec *parts)
{
	char *to = sink->waiting + sink->used;
	__u32 len = 0;

	for (int i = 0; i < EVENT_PARTS; i++)
		len += (__u32)parts[i].iov_len;
	if (sizeof(len) + len > WAITING_SIZE - sink->used)
		return false;
	memcpy(to, &len, sizeof(len));
	to += sizeof(len);
	for (int i = 0; i < EVENT_PARTS; i++) {
		memcpy(to, parts[i].iov_base, parts[i].iov_len);
		to += parts[i].iov_len;
	}
	sink->used += sizeof(len) + len;
	return true;
}

static void pass_on(struct inventory_sink *sink, struct iovec *parts)
{
	int error = EAGAIN;

	if (send_waiting(sink))
		error = send_parts(sink, parts, EVENT_PARTS);
	if (error && error != EAGAIN)
		give_up(sink);
	if (!error)
		return;
	if (sink->sink.state != SINK_GOES_ON) {
		lose(sink);
		return;
	}
	if (keep_back(sink, parts))
		return;
	if (!sink->sink.may_wait || !wait_for_room(sink) ||
	    !keep_back(sink, parts))
		lose(sink);
}

/* --- operations ---------------------------------------------------------- */

/* Whether a response is a greeting: after a PROXY header, or by its bytes. */
static bool is_greeting(struct inventory_sink *sink, const struct event *event)
{
	return sink->proxied[event->connection % PROXIED] ==
		       event->connection ||
	       is_spoken_by_both(event->bytes, event->kept);
}

static void note_proxy(struct inventory_sink *sink, const struct event *event)
{
	if (event->kind == EVENT_REQUEST && is_proxy_header(event))
		sink->proxied[event->connection % PROXIED] = event->connection;
}

static bool is_taken(struct inventory_sink *sink, const struct event *event,
		     const struct source *source)
{
	if (event->kind == EVENT_BANNER)
		return true;
	if (event->kind == EVENT_REQUEST)
		return sink->takes_clients;
	if (event->kind == EVENT_OPEN)
		return source->events & EVENT_BIT(EVENT_OPEN);
	return event->kind == EVENT_RESPONSE &&
	       (source->events & EVENT_BIT(EVENT_RESPONSE) ||
		is_greeting(sink, event));
}

/* Escapes as the log does, which may be imported; "" if that is too long. */
static void escape_name(char to[STREAM_NAME], const char *name)
{
	char escaped[4 * STREAM_NAME + PUT_SPARE];
	const size_t len = strlen(name); /* less than STREAM_NAME */
	const size_t used =
		(size_t)(put_escaped(escaped, (const __u8 *)name, len) -
			 escaped);

	if (used < STREAM_NAME)
		memcpy(to, escaped, used);
}

/* Returns its size; 0: the owner is not known. */
static size_t fill_owner(struct stream_owner *to,
			 const struct service_owner *owner)
{
	if (!owner)
		return 0;
	*to = (struct stream_owner){};
	escape_name(to->unit, owner->unit);
	escape_name(to->container, owner->container);
	escape_name(to->process, owner->process);
	return sizeof(*to);
}

static void put(struct sink *base, const struct event *event,
		const struct source *source)
{
	struct inventory_sink *sink = inventory_sink_of(base);
	struct stream_owner owner;
	struct event copy;
	struct iovec parts[EVENT_PARTS] = {
		{ &copy, sizeof(copy) },
		{ (void *)event->bytes, event->kept },
		{ (void *)event_tunnels(event),
		  event->tunnel_count * sizeof(struct tunnel) },
		{ &owner, fill_owner(&owner, source->owner) },
	};

	note_proxy(sink, event);
	if (!is_taken(sink, event, source))
		return;
	memcpy(&copy, event, sizeof(copy));
	copy.time += source->clock_offset;
	copy.start_time += source->clock_offset;
	copy.synack_time += source->clock_offset;
	pass_on(sink, parts);
	count(sink);
}

static bool flush(struct sink *base)
{
	struct inventory_sink *sink = inventory_sink_of(base);
	const bool all = send_waiting(sink);
	const bool all_changes = log_changes(sink);

	if (sink->has_ended)
		give_up(sink);
	if (all && sink->complained && base->state == SINK_GOES_ON) {
		message("--inventory %s: it is written again, %llu events lost",
			sink->path, sink->lost);
		sink->complained = false;
	}
	count(sink);
	return (all && all_changes) || base->state != SINK_GOES_ON;
}

static int input(const struct sink *base)
{
	return ((const struct inventory_sink *)base)->socket;
}

/*
 * Has the keeper open the inventory. If that fails, the keeper prints the
 * reason and ends.
 */
static int open_sink(struct sink *base)
{
	struct inventory_sink *sink = inventory_sink_of(base);
	struct stream_start start = { .version = VERSION,
				      .event_size = sizeof(struct event),
				      .is_live = sink->is_live };
	__u8 word;

	sink->is_open = true;
	if (send(sink->socket, &start, sizeof(start), MSG_NOSIGNAL) < 0)
		return -EPIPE;
	if (!wait_ready(sink->socket, POLLIN, WAIT_START,
			wait_end(WAIT_START))) {
		message("--inventory %s: opening it takes too long",
			sink->path);
		return -ETIMEDOUT;
	}
	if (recv(sink->socket, &word, sizeof(word), MSG_DONTWAIT) ==
	    sizeof(word))
		return 0;
	give_up(sink);
	return -EPIPE;
}

static void reopen(struct sink *base)
{
	(void)base; /* an inventory is not rotated */
}

/* Waits until the keeper closes its end: then all is written and counted. */
static void wait_for_keeper(struct inventory_sink *sink)
{
	shutdown(sink->socket, SHUT_WR);
	while (!sink->has_ended && wait_ready(sink->socket, POLLIN, WAIT_READER,
					      wait_end(WAIT_READER)))
		log_changes(sink);
}

static void lose_waiting(struct inventory_sink *sink)
{
	size_t at = 0;
	__u32 len;

	for (; at < sink->used; at += sizeof(len) + len) {
		memcpy(&len, sink->waiting + at, sizeof(len));
		lose(sink);
	}
	sink->used = 0;
}

static bool close_sink(struct sink *base)
{
	struct inventory_sink *sink = inventory_sink_of(base);

	if (sink->socket >= 0 && sink->is_open) {
		/* The log may wait, as when it is closed: that is next. */
		if (sink->log)
			sink->log->sink.may_wait = true;
		sink->is_closing = true;
		wait_for_room(sink);
		lose_waiting(sink);
		wait_for_keeper(sink);
		count(sink);
	}
	if (sink->socket >= 0)
		close(sink->socket);
	sink->socket = -1;
	free(sink->waiting);
	sink->waiting = NULL;
	return base->state != SINK_IS_BROKEN;
}

static const struct sink_operations operations = {
	.name = "inventory",
	.open = open_sink,
	.put = put,
	.flush = flush,
	.reopen = reopen,
	.input = input,
	.close = close_sink,
};

bool inventory_sink_prepare(struct inventory_sink *sink, const char *path,
			    bool is_live, struct line_sink *log)
{
	*sink = (struct inventory_sink){
		.sink = { .operations = &operations,
			  .may_wait = true,
			  .never_delays = true },
		.path = path,
		.socket = -1,
		.is_live = is_live,
		.log = log,
		.waiting = malloc(WAITING_SIZE),
	};
	if (sink->waiting)
		return true;
	message("out of memory");
	return false;
}

void inventory_sink_connect(struct inventory_sink *sink, int socket,
			    struct stream_counts *counts)
{
	sink->socket = socket;
	sink->counts = counts;
}
