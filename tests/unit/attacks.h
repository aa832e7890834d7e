/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The packets of attacks by an attacker that knows the four-tuple, but no
 * sequence number.
 */
#ifndef BANNERPROBE_TESTS_ATTACKS_H
#define BANNERPROBE_TESTS_ATTACKS_H

#include "model.h"

#define ATTACK_COVER 65538 /* steps of 65,535 that cover 2^32 numbers */

enum sweep { SWEEP_SEQ, SWEEP_ACK, SWEEP_BOTH };

struct attack {
	const char *name;
	int times;
	enum sweep sweep;
	__u8 from, flags, len;
};

extern const struct attack attacks[];
extern const int attack_count;

/* Its packet of this number, from 0 to attack->times - 1. */
struct model_segment attack_segment(const struct attack *attack, int number);

#endif
