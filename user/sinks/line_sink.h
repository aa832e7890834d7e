/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where records go: whole lines, gathered in a buffer and written when a
 * batch is complete. What cannot be written is counted; writing is tried
 * again with the next batch.
 */
#ifndef BANNERPROBE_LINE_SINK_H
#define BANNERPROBE_LINE_SINK_H

#include "format.h"
#include "system/file_helper.h"

#include <linux/types.h>
#include <stdbool.h>

struct output {
	enum format format;
	const char *path;	   /* NULL: standard output */
	int fd;			   /* -1: not made yet */
	bool begun;		   /* records may be written */
	struct file_helper helper; /* opens the file again */
	bool must_reopen; /* as soon as it can: the helper did not answer */
	bool waits;	  /* a pipe, terminal or socket: there may be no room */
	char *buffer;
	size_t used;
	size_t broken_line; /* bytes at the buffer's start that end a line of
			     * which the beginning is written already */
	__s64 broken_at;    /* where in a file its beginning ends */
	bool broken_record; /* that line is a record, not one of a header */
	__u64 logged;	    /* records written whole */
	__u64 left_out;	    /* records that the format does not have */
	__u64 lost;	    /* records given up; one of which only a beginning
			     * is written is lost when its end is */
	bool is_cut;	    /* it has ended, within a line */
	int error;	    /* the last one, as errno; 0: all is well */
	bool closed; /* the reader has gone: nothing more can be written */
};

/*
 * Opens the destination, if it is there, and makes nothing; negative errno,
 * with a message, where it could not be written.
 */
int output_open(struct output *output, enum format format, const char *path);

/*
 * Makes the file if need be and writes a header, once all else is in place: a
 * start that fails leaves nothing behind. Negative errno, with a message.
 */
int output_begin(struct output *output);

/* Adds one record; `source` as in format_record(). */
void output_record(struct output *output, const struct event *record,
		   const struct source *source);

/* Writes what has been gathered. */
void output_flush(struct output *output);

/* Opens the file anew, after it was renamed. On failure the old one is kept. */
void output_reopen(struct output *output);

/*
 * Writes what has been gathered, when no record will come: what cannot be
 * written now is lost, and has been counted before it is told.
 */
void output_end(struct output *output);

/*
 * Whether the reader of standard output has gone, as that of a pipe does when
 * it has seen enough: no failure, and nothing to tell of.
 */
bool output_reader_left(const struct output *output);

/* Writes the rest and closes. Returns false if that failed at the last. */
bool output_close(struct output *output);

#endif
