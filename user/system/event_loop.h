/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What happens meanwhile: descriptors, signals and timers, and their handlers.
 */
#ifndef BANNERPROBE_EVENT_LOOP_H
#define BANNERPROBE_EVENT_LOOP_H

#include <stdbool.h>

#define EVENTS_MAX 16

typedef void event_handler(void *context);

struct event_source {
	int fd;
	bool is_made_here; /* a timer or signals: read before the handler */
	event_handler *handler;
};

struct events {
	int fd; /* readable when something has happened; -1: not open */
	void *context;
	struct event_source list[EVENTS_MAX];
	unsigned int count;
};

/* 0 or negative errno, as for the others. Handlers are given the context. */
int events_open(struct events *events, void *context);
void events_close(struct events *events);

/* Calls the handler as long as the descriptor is readable. */
int events_watch(struct events *events, int fd, event_handler *handler);

/* Calls the handler when the signal has come, which does nothing else any more.
 */
int events_signal(struct events *events, int number, event_handler *handler);

/*
 * Calls the handler every so many seconds; 0: never, or as the timer that is
 * returned is set by timerfd_settime(2).
 */
int events_timer(struct events *events, unsigned int seconds,
		 event_handler *handler);

/* Calls the handlers of what has happened; waits so long, -1: until it has. */
void events_serve(struct events *events, int milliseconds);

/*
 * Calls them until the descriptor can be read, or, if not to be waited for,
 * once at most. False: the program is to end.
 */
bool events_wait(struct events *events, int fd, bool may_wait);

#endif
