/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * clsact filters that another program has removed: by itself, with all others,
 * or with their qdisc, as many scripts do. No process holds a filter, and the
 * kernel lets each privileged one remove it.
 */
#ifndef BANNERPROBE_LOST_FILTERS_H
#define BANNERPROBE_LOST_FILTERS_H

#include "interfaces.h"

/* A filter of the interface with this index was removed: perhaps ours. */
void lost_filters_doubt(unsigned int index, void *interfaces);

/* Messages were lost. */
void lost_filters_doubt_all(struct interfaces *interfaces);

/*
 * Queues the interfaces that have lost a filter to be attached to again.
 * Returns after how many ms to call it again; -1: not before there is doubt.
 */
int lost_filters_look(struct interfaces *interfaces);

#endif
