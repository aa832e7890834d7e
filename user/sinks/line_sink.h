/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The log: a sink that writes each event as a line. Lines are collected in a
 * buffer and written when a batch is complete. Records that cannot be written
 * are counted as lost; the next batch is tried again.
 */
#ifndef BANNERPROBE_LINE_SINK_H
#define BANNERPROBE_LINE_SINK_H

#include "format.h"
#include "format_change.h"
#include "rate.h"
#include "sink.h"
#include "system/file_helper.h"

#include <linux/types.h>
#include <stdbool.h>

struct line_sink {
	struct sink sink;
	enum format format;
	const char *path;	    /* NULL: standard output */
	int fd;			    /* -1: the file does not exist yet */
	bool is_open;		    /* lines may be written */
	bool is_within_line;	    /* the file's last line has no end */
	struct file_helper *helper; /* opens the file again */
	bool must_reopen; /* the helper did not answer in time: try again */
	bool waits;	  /* a pipe, terminal or socket: may have no room */
	char *buffer;
	size_t used;
	__u64 records;	    /* that end in the buffer behind `broken_line` */
	size_t broken_line; /* bytes at the buffer's start that end a line of
			     * which the beginning is written already */
	__s64 broken_at;    /* offset in the file where its beginning ends */
	bool broken_record; /* that line is a record, not part of a header */
	int error;	    /* the last one, as errno; 0: none */
	bool only_changes;  /* --log changes: events are not logged */
	struct rate rate;   /* of events; changes are not limited */
};

/*
 * Opens the destination if it exists, and creates nothing. Negative errno, with
 * a message, where it cannot be written. `helper` outlives the sink. A line
 * counts as lost if its end is lost, even if its beginning has been written.
 */
int line_sink_prepare(struct line_sink *sink, enum format format,
		      const char *path, struct file_helper *helper);

/* Whether a line can be logged now without losing it. */
bool line_sink_has_room(struct line_sink *sink);

/* Logs a change of the inventory, once the sink is open. */
void line_sink_put_change(struct line_sink *sink,
			  const struct stream_change *change);

#endif
