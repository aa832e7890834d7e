/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waits until an inventory's file is written to. */
#ifndef BANNERPROBE_FOLLOW_H
#define BANNERPROBE_FOLLOW_H

#include <stdbool.h>

struct follow {
	int watch;
};

/*
 * From now on SIGINT, SIGTERM and SIGHUP end the process with exit code 0.
 * False, with a message, on failure.
 */
bool follow_open(struct follow *follow, const char *file);
/* False: the consumer of the output has gone. */
bool follow_wait(struct follow *follow);
void follow_close(struct follow *follow);

#endif
