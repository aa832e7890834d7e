/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The event loop: descriptors, signals and timers, and their handlers. */
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

/*
 * Handlers are called with the context. All functions here return 0 or negative
 * errno.
 */
int events_open(struct events *events, void *context);
void events_close(struct events *events);

/* Calls the handler whenever the descriptor is readable. */
int events_watch(struct events *events, int fd, event_handler *handler);

/*
 * Calls the handler when the signal arrives. The signal has no other effect
 * from now on.
 */
int events_signal(struct events *events, int number, event_handler *handler);

/*
 * Calls the handler every so many seconds. Returns the timer's descriptor. With
 * 0 the timer is off until timerfd_settime(2) sets it.
 */
int events_timer(struct events *events, unsigned int seconds,
		 event_handler *handler);

/*
 * Calls the handlers of pending events. Waits so many milliseconds for the
 * first one; -1: without limit.
 */
void events_serve(struct events *events, int milliseconds);

/*
 * Calls handlers until the descriptor is readable; without `may_wait`, once at
 * most. False: the program has to end.
 */
bool events_wait(struct events *events, int fd, bool may_wait);

#endif
