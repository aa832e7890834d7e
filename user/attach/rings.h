/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ring buffers, through which the BPF programs hand events to user space.
 * Each serves some of the CPUs, because CPUs that write to the same one wait
 * for each other. Their events are read in order of time.
 */
#ifndef BANNERPROBE_RINGS_H
#define BANNERPROBE_RINGS_H

#include <stdbool.h>
#include <stddef.h>

struct event;
struct rings;

/*
 * Gets an event of so many bytes, which is there during the call only. False
 * ends the batch behind this event.
 */
typedef bool ring_handler(void *context, const struct event *event,
			  size_t size);

/*
 * Maps ring buffers, by their maps' descriptors, which may be closed then.
 * NULL: failed, see errno.
 */
struct rings *rings_open(const int *maps, unsigned int count,
			 ring_handler *handler, void *context);
void rings_close(struct rings *rings);

/* Readable, for epoll(7), while there is an event. */
int rings_fd(const struct rings *rings);

/*
 * Calls the handler with each event that is there, in order of time, until
 * there are none. False: the handler has ended the batch.
 */
bool rings_consume(struct rings *rings);

#endif
