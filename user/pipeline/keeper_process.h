/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The keeper: the process that writes the inventory. It runs another program,
 * bannerprobe-inventory, so that this program needs no SQLite. The keeper has
 * no capability, and ends with the process that started it.
 */
#ifndef BANNERPROBE_KEEPER_PROCESS_H
#define BANNERPROBE_KEEPER_PROCESS_H

#include "inventory/inventory_stream.h"
#include "options/options.h"
#include "sinks/inventory_sink.h"
#include "system/privileges.h"
#include "system/process.h"

struct keeper_process {
	const char *path; /* of the inventory */
	struct process process;
	struct stream_counts *counts;
};

#define KEEPER_PROCESS_NONE                                                    \
	{                                                                      \
		.process = PROCESS_NONE                                        \
	}

/*
 * Starts the keeper as the given user, and connects the sink to it. Creates the
 * inventory's directory for that user if it is missing. The keeper writes
 * nothing before the sink is opened. With --check it only looks at the
 * inventory, and ends; nothing is created. Not EXIT_DONE, with a message, on
 * failure.
 */
enum exit_code keeper_process_start(struct keeper_process *keeper,
				    const struct options *options,
				    const struct identity *identity,
				    struct inventory_sink *sink);

/*
 * Waits for the keeper's end, after the sink is closed in every process. Events
 * that are not written in time are lost. Reports a failure. `code`: the run's
 * exit code so far. Returns the exit code with the keeper's failure.
 */
enum exit_code keeper_process_end(struct keeper_process *keeper,
				  enum exit_code code);

#endif
