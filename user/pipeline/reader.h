/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reader: the process that takes events out of the ring buffer and runs the
 * pipeline. It is the only process of a live run that handles packet data, so
 * it has no capability, opens nothing, and has few system calls.
 */
#ifndef BANNERPROBE_READER_H
#define BANNERPROBE_READER_H

#include "options/options.h"
#include "pipeline.h"
#include "reader_link.h"
#include "system/file_helper.h"
#include "system/privileges.h"

#define READER_NAME "bannerprobe-rd" /* as ps shows it; 15 bytes at most */

struct reader_needs {
	const struct options *options;
	struct pipeline *pipeline;
	struct file_helper *helper;
	const struct identity *identity; /* to become */
	struct reader_link *link;
	int owners; /* socket to the process that finds owners; -1: none */
	int owner_counters; /* for kernel_counters_map(); -1: none */
};

/* Runs the process, from its fork to its exit code. */
enum exit_code reader_run(const struct reader_needs *needs);

#endif
