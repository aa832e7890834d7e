/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waits until an inventory's file is written to, or the process has to end. */
#ifndef BANNERPROBE_FOLLOW_H
#define BANNERPROBE_FOLLOW_H

#include <stdbool.h>

struct follow {
	int watch, stop;
};

/* False, with a message, on failure. */
bool follow_open(struct follow *follow, const char *file);
/* False: a signal came, or the consumer of the output has gone. */
bool follow_wait(struct follow *follow);
void follow_close(struct follow *follow);

#endif
