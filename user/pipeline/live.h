/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Watching interfaces: the BPF programs' life, from loading to detaching. */
#ifndef BANNERPROBE_LIVE_H
#define BANNERPROBE_LIVE_H

#include "options/options.h"
#include "sinks/line_sink.h"

/*
 * Runs until SIGINT or SIGTERM. An interface that is deleted is waited for; the
 * run ends when none is watched and one that came back cannot be, either.
 */
enum exit_code live_run(struct options *options, struct output *output);

#endif
