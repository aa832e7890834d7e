/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reader's client of the process that finds owners: sends a question for an
 * event, waits a bounded time for the answer, and caches it. An answer is valid
 * for events before its question only, since another process may listen later.
 * So each listener is asked for once in a batch of events from the ring. Within
 * a second the answer stays valid as long as no listener of its port changes,
 * which the kernel counts; where it does not, it is asked whether the listener
 * is still the same one. Neither wakes a process.
 */
#ifndef BANNERPROBE_OWNER_CLIENT_H
#define BANNERPROBE_OWNER_CLIENT_H

#include "event.h"
#include "sinks/service_owner.h"

#include <stddef.h>

#define OWNER_CLIENT_MAX 1024 /* cached answers */

struct owner_client;

/*
 * `counters`: for kernel_counters_map(), or -1. The client closes both. NULL
 * without memory.
 */
struct owner_client *owner_client_open(int socket, int counters);
void owner_client_close(struct owner_client *client);

/*
 * The owner of an event's server, valid until the next call. NULL: not known.
 */
const struct service_owner *owner_client_find(struct owner_client *client,
					      const struct event *event);

#endif
