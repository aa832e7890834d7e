/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The pipeline behind interfaces: from loading the BPF programs to detaching.
 */
#ifndef BANNERPROBE_FROM_INTERFACES_H
#define BANNERPROBE_FROM_INTERFACES_H

#include "options/options.h"
#include "pipeline.h"
#include "sinks/inventory_sink.h"
#include "system/file_helper.h"

/*
 * Runs until SIGINT or SIGTERM. An interface that is deleted is waited for; the
 * run ends when none is watched and one that came back cannot be, either. Frees
 * the pipeline. `inventory`: the sink that needs a keeper; or NULL. Returns an
 * exit code.
 */
enum exit_code interfaces_run(const struct options *options,
			      struct pipeline *pipeline,
			      struct file_helper *helper,
			      struct inventory_sink *inventory);

#endif
