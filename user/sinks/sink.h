/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A sink: where events end. The pipeline hands each event to every sink.
 *
 * A sink belongs to one process and is called from one thread. It copies what
 * it keeps of an event. It never ends the process. It never waits without a
 * deadline, except for its own consumer where may_wait is set. Events that it
 * cannot keep are counted as lost.
 */
#ifndef BANNERPROBE_SINK_H
#define BANNERPROBE_SINK_H

#include "event.h"
#include "inventory/inventory.h"
#include "source.h"

#include <linux/types.h>
#include <stdbool.h>

struct sink;

struct sink_operations {
	const char *name; /* for messages and counters */

	/*
	 * Called once, after everything else has started, so that a start that
	 * fails leaves no file behind. 0, or negative errno with a message.
	 */
	int (*open)(struct sink *sink);

	/* Takes an event. Event and source are valid until put() returns. */
	void (*put)(struct sink *sink, const struct event *event,
		    const struct source *source);

	/*
	 * Writes or sends the events taken so far. False: some are held back,
	 * and flush() has to be called again soon.
	 */
	bool (*flush)(struct sink *sink);

	/* After a rotation (SIGHUP). On failure the old file stays in use. */
	void (*reopen)(struct sink *sink);

	/*
	 * A descriptor that is readable when flush() is to be called; -1: none.
	 * NULL: the sink has no such descriptor.
	 */
	int (*input)(const struct sink *sink);

	/*
	 * Writes or sends the rest, within the time of a stop, and counts the
	 * remainder as lost. Then the counts are final. Called once, also if
	 * open() was not called or has failed. False: the last write failed.
	 */
	bool (*close)(struct sink *sink);
};

/* Numbers of events. */
struct sink_counts {
	__u64 written;
	__u64 left_out;	      /* of a kind that this sink does not take */
	__u64 lost;	      /* not written to the log */
	__u64 lost_inventory; /* not written to the inventory */
	__u64 over_rate;      /* records not logged because of --max-rate */
	__u64 lost_changes;   /* changes of the inventory, not logged */
	__u64 ftp_data;	      /* which the inventory leaves out */
	__u64 services;	      /* in the inventory, now */
	__u64 changes[CHANGE_KINDS]; /* since the start */
};

enum sink_state {
	SINK_GOES_ON,
	SINK_HAS_ENOUGH, /* its consumer has closed: the run ends well */
	SINK_IS_BROKEN,	 /* it can take no more events: the run has failed */
};

/* Embedded in each sink's own structure. */
struct sink {
	const struct sink_operations *operations;
	struct sink_counts counts;
	enum sink_state state;
	bool may_wait;	   /* for its consumer, without a deadline */
	bool never_delays; /* waits only if the source waits, too */
};

#endif
