/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the process that keeps an inventory may still do. */
#ifndef BANNERPROBE_CONFINE_H
#define BANNERPROBE_CONFINE_H

#include <stdbool.h>

/*
 * From now on this process makes no socket and no process, and can neither
 * execute a program nor change any permission of itself. False, with a message.
 */
bool confine_keeper(void);

#endif
