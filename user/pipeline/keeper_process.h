/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The keeper: the process that writes the inventory. It is another program,
 * bannerprobe-inventory, so that this one needs no SQLite. It has no
 * capability, and ends with the process that started it.
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
 * Starts it, as that user, and connects the sink to it. It makes the
 * inventory's directory, for that user, where it is missing; nothing else until
 * the sink is opened. False, with a message.
 */
bool keeper_process_start(struct keeper_process *keeper,
			  const struct options *options,
			  const struct identity *identity,
			  struct inventory_sink *sink);

/*
 * Waits for its end, once the sink is closed in every process; what is not
 * written in time is lost. Says what is to be said of it. `code`: what the run
 * has come to. Returns what it comes to with this.
 */
enum exit_code keeper_process_end(struct keeper_process *keeper,
				  enum exit_code code);

#endif
