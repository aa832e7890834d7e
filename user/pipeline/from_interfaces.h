/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs the probe on interfaces: from loading the BPF programs to detaching. */
#ifndef BANNERPROBE_FROM_INTERFACES_H
#define BANNERPROBE_FROM_INTERFACES_H

#include "options/options.h"
#include "pipeline.h"
#include "sinks/inventory_sink.h"
#include "system/file_helper.h"

/*
 * Runs until SIGINT or SIGTERM. A named interface that is deleted is waited
 * for. The run also ends when no interface is watched or waited for any more,
 * as when the only one came back and cannot be attached. Frees the pipeline.
 * `inventory`: the sink that needs a keeper, or NULL. Returns an exit code.
 */
enum exit_code interfaces_run(const struct options *options,
			      struct pipeline *pipeline,
			      struct file_helper *helper,
			      struct inventory_sink *inventory);

#endif
