/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Captures, read through the natively compiled core. */
#ifndef BANNERPROBE_CAPTURE_H
#define BANNERPROBE_CAPTURE_H

#include "options/options.h"
#include "sinks/line_sink.h"

/*
 * From now on SIGINT and SIGTERM end the reading, SIGHUP opens the output anew
 * and a timer prints the statistics, as the options say. To be called once,
 * before the process is confined. 0 or negative errno, with a message.
 */
int capture_open_events(const struct options *options);

/*
 * Logs the banners of each file, and of those below a directory. A file that
 * cannot be read to its end is told in one line; the others are read all the
 * same. Returns an exit code.
 */
enum exit_code capture_run(const struct options *options,
			   struct output *output);

#endif
