/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A bounded queue of changes for the probe, which logs them. It holds what the
 * socket has no room for, so that the keeper does not wait for the probe.
 */
#ifndef BANNERPROBE_OUTBOX_H
#define BANNERPROBE_OUTBOX_H

#include "inventory/inventory.h"
#include "inventory/inventory_stream.h"

struct outbox {
	int socket;
	struct stream_counts *counts; /* shared with the probe */
	char *waiting;		      /* datagrams, each after its length */
	size_t from, used, room; /* bytes of `waiting`: sent, filled, all */
	bool is_closed;		 /* the probe has closed its end */
};

/* For `changed` of struct inventory_options, with the outbox as context. */
void outbox_put(void *context, const struct inventory_change *change);

/* Sends as many changes as the socket has room for. False: some are left. */
bool outbox_send(struct outbox *outbox);

/* Whether it is so full that the keeper should take no more events. */
bool outbox_is_crowded(const struct outbox *outbox);

/* Sends the rest, within a time limit; -1: none. Counts what is left as lost.
 */
void outbox_finish(struct outbox *outbox, int milliseconds);

#endif
