/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Changes on their way to the probe, which logs them. What the socket has no
 * room for waits here, within a bound: a probe that takes none does not stop
 * the keeper.
 */
#ifndef BANNERPROBE_OUTBOX_H
#define BANNERPROBE_OUTBOX_H

#include "inventory/inventory.h"
#include "inventory/inventory_stream.h"

struct outbox {
	int socket;
	struct stream_counts *counts; /* shared with the probe */
	char *waiting;		      /* datagrams, each behind its length */
	size_t from, used, room;
	bool is_closed; /* the other end */
};

/* As `changed` of struct inventory_options; the context is the outbox. */
void outbox_put(void *context, const struct inventory_change *change);

/* Sends as much as there is room for. False: some still waits. */
bool outbox_send(struct outbox *outbox);

/* Whether it holds so much that no more events shall be taken. */
bool outbox_is_crowded(const struct outbox *outbox);

/* Sends the rest, within so many milliseconds; -1: as long as it takes. */
void outbox_finish(struct outbox *outbox, int milliseconds);

#endif
