/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Confines the keeper. */
#ifndef BANNERPROBE_CONFINE_H
#define BANNERPROBE_CONFINE_H

#include <stdbool.h>

/*
 * From now on this process can create no socket and no process, execute no
 * program, and gain no permission. False, with a message, on failure.
 */
bool confine_keeper(void);

#endif
