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

/* Sets the keeper's socket and counts. The sink closes them. */
void inventory_sink_connect(struct inventory_sink *sink, int socket,
			    struct stream_counts *counts);

#endif
