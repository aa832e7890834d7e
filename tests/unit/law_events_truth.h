/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Compares the model's events of a simulated connection with what its ends did.
 * The caller leaves out conversations that are unclear (model->unclear).
 */
#ifndef BANNERPROBE_TESTS_LAW_EVENTS_TRUTH_H
#define BANNERPROBE_TESTS_LAW_EVENTS_TRUTH_H

#include "conversations.h"

/* What is wrong, as text, or NULL. */
typedef const char *truth_judge(const struct model *model,
				const struct conversation *c);

/* Events that exclude each other; the conversation may be any. */
truth_judge truth_find_contradiction;
/* Events that did not happen. */
truth_judge truth_find_wrong;
/* Missing events, where the probe sees all packets in order. */
truth_judge truth_find_any;

/* Whether the SYN was seen before its answer, and no answer after a RST. */
bool handshake_in_order(const struct conversation *c);

#endif
