/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The core, asked for some kinds of events and for all of them. */
#ifndef BANNERPROBE_TESTS_LAW_EVENTS_KINDS_H
#define BANNERPROBE_TESTS_LAW_EVENTS_KINDS_H

#include "conversations.h"

/*
 * Whether the core, asked for some kinds, logs and counts the same of them as
 * when it is asked for all, and nothing of the others, in `number` random
 * conversations but for `differ_most`. Prints the first difference beyond.
 */
bool core_kinds_are_independent(unsigned int ingredients, __u64 number,
				__u64 seed, __u64 differ_most);

#endif
