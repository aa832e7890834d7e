/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks by an attacker that knows the four-tuple, but sees no packet. */
#ifndef BANNERPROBE_TESTS_LAW_ATTACKS_H
#define BANNERPROBE_TESTS_LAW_ATTACKS_H

#include "platform.h"

/* True: none of them hides an honest server's banner, whenever it comes. */
bool withstands_attacks(void);

#endif
