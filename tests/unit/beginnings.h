/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One connection between two simulated ends, as a probe between them sees it:
 * each end acknowledges what it has received by then, and what it did is known
 * for certain.
 */
#ifndef BANNERPROBE_TESTS_BEGINNINGS_H
#define BANNERPROBE_TESTS_BEGINNINGS_H

#include "chance.h"
#include "conversations.h"

/* `loss`: some packets are lost on either side of the probe. */
void begin_connection(struct conversation *c, struct chance *chance, bool loss);

#endif
