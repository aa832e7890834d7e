/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The reader of captures, which from_captures.c and read_by_jobs.c share. */
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
	struct origins origins;	   /* sources of events in reassembly */
	struct capture_jobs *jobs; /* with the list of files */
	__u64 packets;		   /* read so far, from all files */
	struct report report;
	__u64 bytes_done; /* read from the files before this one */
	bool is_open;	  /* the pipeline */
	bool is_job;	  /* another process writes the log */
	bool must_end;	  /* no sink can take more */

	/* The file that is being read. */
	const struct capture_file *file;
	struct packet_reader packet_reader;
	struct packet_batch batch;	     /* read, but not tracked yet */
	const struct batched *packet;	     /* that is tracked */
	struct capture_interface *interface; /* of the packet */
	__u32 unknown_link_type;	     /* the last unknown one */
	__u64 came_at; /* ns of CLOCK_MONOTONIC: when a pipe's last packet was
			* read */

	struct sequence sequence; /* with --sequence */
	__u64 last_time;	  /* ns since 1970: the last packet's */
};

/* Opens the engine and prepares the pipeline. False: out of memory. */
bool capture_reader_open(struct capture_reader *reader);
void capture_reader_close(struct capture_reader *reader);

/* Handles pending signals and timers. False: the reading is to end. */
bool capture_reader_serve(struct capture_reader *reader);

/* Opens the pipeline, if it is not open. False: every event would be lost. */
bool capture_reader_begin(struct capture_reader *reader);

/* Reads a file, with a message on failure. */
enum job_flags capture_reader_file(struct capture_reader *reader,
				   struct capture_file *file);

/* What was counted so far; in the first process of -j, by all processes. */
void capture_reader_counts(const struct capture_reader *reader,
			   struct job_counts *counts);

/* --- tracking: capture_tracking.c */

/* The file's name in messages. */
const char *capture_name_of(const struct capture_reader *reader);

/* Where an event was seen; called by the pipeline. */
struct source capture_source_of(const struct event *event, void *context);

/* For the engine: see there. */
bool capture_wants_part(const struct event *event, void *context);
bool capture_has_bytes(void *context);
void capture_note_place(struct event *event, void *context);
void capture_event(const struct event *event, void *context);

/* Tracks the batch's packets. False: no sink can take more. */
bool capture_batch_track(struct capture_reader *reader);

/* --- */

/* A descriptor that is readable when capture_reader_serve() is to be called. */
int capture_reader_events(struct capture_reader *reader);

/*
 * Hands on the events of a file that another process reads. False: the reading
 * is to end.
 */
bool capture_reader_listen(struct capture_reader *reader,
			   struct capture_file *file, enum job_flags *flags);

#endif
