/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The reading of captures: what from_captures.c and read_by_jobs.c share. */
#ifndef BANNERPROBE_CAPTURE_READER_H
#define BANNERPROBE_CAPTURE_READER_H

#include "capture/origins.h"
#include "capture/packet_reader.h"
#include "capture_jobs.h"
#include "engine/packet_engine.h"
#include "packet_batch.h"
#include "pipeline.h"
#include "sequence.h"
#include "stats/stats_report.h"

struct capture_reader {
	const struct options *options;
	struct pipeline *pipeline;
	struct engine engine;
	struct origins origins;	   /* file and interface of events in reassembly */
	struct capture_jobs *jobs; /* has the list of files */
	__u64 packets;		   /* read so far, of all files */
	struct report report;
	__u64 bytes_done; /* of the files before this one */
	bool is_open;	  /* the pipeline */
	bool is_job;	  /* another process writes the log */
	bool must_end;	  /* no sink can take more */

	/* The file that is read. */
	const struct capture_file *file;
	struct packet_reader packet_reader;
	struct packet_batch batch;	     /* read, and not yet tracked */
	struct capture_interface *interface; /* of the packet */
	__u32 unknown_link_type;	     /* the last unknown one */
	__u64 came_at; /* ns of CLOCK_MONOTONIC: when a pipe's last packet was
			* read */

	struct sequence sequence; /* with --sequence */
	__u64 last_time;	  /* ns since 1970: the last packet's */
};

/* With an engine of its own, and a pipeline that is not yet open. */
bool capture_reader_open(struct capture_reader *reader);
void capture_reader_close(struct capture_reader *reader);

/* Serves what has happened. False: the reading is to end. */
bool capture_reader_serve(struct capture_reader *reader);

/* Opens the pipeline, if it is not open. False: what is read would be lost. */
bool capture_reader_begin(struct capture_reader *reader);

/* Reads a file; what is wrong with it has been said. */
enum job_flags capture_reader_file(struct capture_reader *reader,
				   struct capture_file *file);

/* What was counted by now. */
void capture_reader_counts(const struct capture_reader *reader,
			   struct job_counts *counts);

/* The descriptor that is readable when something has happened. */
int capture_reader_events(struct capture_reader *reader);

/*
 * Hands on the events of a file that another process reads. False: the reading
 * is to end.
 */
bool capture_reader_listen(struct capture_reader *reader,
			   struct capture_file *file, enum job_flags *flags);

#endif
