/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory: a sink that sends each event to the keeper, the process that
 * writes it. What the socket has no room for waits here, within a bound; beyond
 * it events are lost and counted, or, where their source can wait, waited for.
 * The keeper sends back what has changed, which goes into the log.
 */
#ifndef BANNERPROBE_INVENTORY_SINK_H
#define BANNERPROBE_INVENTORY_SINK_H

#include "inventory/inventory_stream.h"
#include "line_sink.h"
#include "sink.h"

#include <stddef.h>

#define PROXIED 4096 /* connections; a later one takes the place of another */

struct inventory_sink {
	struct sink sink;
	const char *path;	      /* of the inventory, for messages */
	int socket;		      /* to the keeper; -1: not started */
	struct stream_counts *counts; /* shared with the keeper */
	struct line_sink *log;	      /* of changes; NULL: there is none */
	bool is_live;
	bool takes_clients; /* what they say first */
	__u64 proxied[PROXIED]; /* those that began with a PROXY header */
	bool is_open;
	bool is_closing; /* what the log does not take now is lost */
	bool complained; /* that events are being lost */
	bool has_ended;	 /* the keeper */
	__u64 lost;	 /* here; the keeper counts its own */
	__u64 lost_changes; /* likewise: what is no change */
	char *waiting;	 /* datagrams, each behind its length */
	size_t used;
};

/*
 * Prepares one, without a keeper. `log`: the sink for changes, which is closed
 * after this one; or NULL. False, with a message: out of memory.
 */
bool inventory_sink_prepare(struct inventory_sink *sink, const char *path,
			    bool is_live, struct line_sink *log);

/* The keeper's socket and counts, which the sink closes. */
void inventory_sink_connect(struct inventory_sink *sink, int socket,
			    struct stream_counts *counts);

#endif
