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
#include "line_sink.h"
#include "sink.h"

#include <stddef.h>

#define PROXIED 4096 /* remembered connections; a later one may replace one */

struct inventory_sink {
	struct sink sink;
	const char *path;	      /* of the inventory, for messages */
	int socket;		      /* to the keeper; -1: not started */
	struct stream_counts *counts; /* shared with the keeper */
	struct line_sink *log;	      /* for changes; NULL: none */
	bool is_live;
	bool takes_clients;	/* --inventory-clients: takes requests */
	__u64 proxied[PROXIED]; /* connections with a PROXY header, by id */
	bool is_open;
	bool is_closing;    /* a change that the log does not take is lost */
	bool complained;    /* a message said that events are being lost */
	bool has_ended;	    /* the keeper has ended */
	__u64 lost;	    /* by this sink; the keeper counts its own losses */
	__u64 lost_changes; /* datagrams that were no sound change */
	char *waiting;	    /* datagrams to be sent, each after its length */
	size_t used;	    /* bytes of `waiting` */
};

/*
 * Prepares the sink, without a keeper. `log`: the sink for changes, which must
 * be closed after this one; or NULL. False, with a message: out of memory.
 */
bool inventory_sink_prepare(struct inventory_sink *sink, const char *path,
			    bool is_live, struct line_sink *log);

/* Sets the keeper's socket and counts. The sink closes them. */
void inventory_sink_connect(struct inventory_sink *sink, int socket,
			    struct stream_counts *counts);

#endif
