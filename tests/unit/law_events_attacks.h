/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks on the model's events, each sweep of the numbers at each place. */
#ifndef BANNERPROBE_TESTS_LAW_EVENTS_ATTACKS_H
#define BANNERPROBE_TESTS_LAW_EVENTS_ATTACKS_H

#include "platform.h"

/* True: no attack hides or makes an event, from either side. */
bool events_withstand_attacks(void);

#endif
