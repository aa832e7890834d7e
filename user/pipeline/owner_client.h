/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reader's side of the process that finds owners: asks for an event, waits
 * a bounded time, and remembers. An answer holds for the events before its
 * question, and for no later one: the listener may be another by then. So a
 * listener is asked for once in each batch of events from the ring.
 */
#ifndef BANNERPROBE_OWNER_CLIENT_H
#define BANNERPROBE_OWNER_CLIENT_H

#include "event.h"
#include "sinks/service_owner.h"

#include <stddef.h>

#define OWNER_CLIENT_MAX 1024 /* answers that are remembered */

struct owner_client;

/* `socket` becomes the client's. NULL without memory. */
struct owner_client *owner_client_open(int socket);
void owner_client_close(struct owner_client *client);

/*
 * The owner of the server of an event, which lives until the next call; NULL:
 * not known.
 */
const struct service_owner *owner_client_find(struct owner_client *client,
					      const struct event *event);

#endif
