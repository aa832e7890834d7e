/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory's sink: it sends each event to the keeper, the process that
 * writes the inventory. Events that the socket has no room for wait here, up to
 * a limit. Beyond it, a source that can wait is held up; otherwise events are
 * lost and counted.
 */
#ifndef BANNERPROBE_INVENTORY_SINK_H
#define BANNERPROBE_INVENTORY_SINK_H

#include "inventory/inventory_stream.h"
#include "sink.h"

#include <stddef.h>

struct inventory_sink {
	struct sink sink;
	const char *path;	      /* of the inventory, for messages */
	int socket;		      /* to the keeper; -1: not started */
	struct stream_counts *counts; /* shared with the keeper */
	bool is_live;
	bool is_open;
	bool complained; /* a message said that events are being lost */
	__u64 lost;	 /* by this sink; the keeper counts its own losses */
	char *waiting;	 /* datagrams to be sent, each after its length */
	size_t used;
};

/* Prepares the sink, without a keeper. False, with a message: no memory. */
bool inventory_sink_prepare(struct inventory_sink *sink, const char *path,
			    bool is_live);

/* Sets the keeper's socket and counts. The sink closes them. */
void inventory_sink_connect(struct inventory_sink *sink, int socket,
			    struct stream_counts *counts);

#endif
