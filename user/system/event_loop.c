/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "event_loop.h"

#include "stopping.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 4

int events_open(struct events *events, void *context)
{
	*events = (struct events){ .fd = epoll_create1(EPOLL_CLOEXEC),
				   .context = context };
	return events->fd < 0 ? -errno : 0;
}

void events_close(struct events *events)
{
	for (unsigned int i = 0; i < events->count; i++) {
		if (events->list[i].is_made_here)
			close(events->list[i].fd);
	}
	if (events->fd >= 0)
		close(events->fd);
	*events = (struct events){ .fd = -1 };
}

static int add(struct events *events, const struct event_source *event)
{
	struct epoll_event asked = { .events = EPOLLIN,
				     .data.u32 = events->count };

	if (events->count == EVENTS_MAX)
		return -ENOSPC;
	if (epoll_ctl(events->fd, EPOLL_CTL_ADD, event->fd, &asked))
		return -errno;
	events->list[events->count++] = *event;
	return 0;
}

int events_watch(struct events *events, int fd, event_handler *handler)
{
	return add(events,
		   &(struct event_source){ .fd = fd, .handler = handler });
}

/*
 * Watches a descriptor that was just made. `fd` -1: returns its error, errno.
 */
static int add_made(struct events *events, int fd, event_handler *handler)
{
	const struct event_source event = { fd, true, handler };
	int error = fd < 0 ? -errno : add(events, &event);

	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

int events_signal(struct events *events, int number, event_handler *handler)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = add_made(events, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		      handler);
	return fd < 0 ? fd : 0;
}

int events_timer(struct events *events, unsigned int seconds,
		 event_handler *handler)
{
	const struct timespec interval = { .tv_sec = seconds };
	const struct itimerspec timer = { interval, interval };
	const int fd = add_made(
		events,
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		handler);

	if (fd >= 0)
		timerfd_settime(fd, 0, &timer, NULL);
	return fd;
}

/* False: nothing to read. The timer was set anew, or the signal was taken. */
static bool take(const struct event_source *event)
{
	struct signalfd_siginfo taken; /* a timer uses eight bytes of it */

	return !event->is_made_here ||
	       read(event->fd, &taken, sizeof(taken)) > 0;
}

void events_serve(struct events *events, int milliseconds)
{
	struct epoll_event happened[AT_ONCE];
	const int count =
		epoll_wait(events->fd, happened, AT_ONCE, milliseconds);

	for (int i = 0; i < count; i++) {
		const struct event_source *event =
			&events->list[happened[i].data.u32];

		if (take(event))
			event->handler(events->context);
	}
}

bool events_wait(struct events *events, int fd, bool may_wait)
{
	struct pollfd polled[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = events->fd, .events = POLLIN },
	};
	int ready;

	do {
		ready = poll(polled, 2, may_wait ? -1 : 0);
		if (ready > 0 && polled[1].revents)
			events_serve(events, 0);
	} while (!stopping() && may_wait && (ready < 0 || !polled[0].revents));
	return !stopping();
}
