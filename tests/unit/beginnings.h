/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One connection between two simulated ends, as a probe between them sees it.
 * Each end acknowledges what it has received. What each end did is known, so
 * the true order of their first bytes is known.
 */
#ifndef BANNERPROBE_TESTS_BEGINNINGS_H
#define BANNERPROBE_TESTS_BEGINNINGS_H

#include "chance.h"
#include "conversations.h"

/* `loss`: some packets are lost on either side of the probe. */
void begin_connection(struct conversation *c, struct chance *chance, bool loss);

#endif
