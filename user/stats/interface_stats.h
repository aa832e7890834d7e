/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What --stats-format=json tells of each interface. */
#ifndef BANNERPROBE_INTERFACE_STATS_H
#define BANNERPROBE_INTERFACE_STATS_H

#include <stdio.h>

/* ,"interfaces":[...] of a struct interfaces; a stats_writer. */
void interface_stats_write_json(FILE *file, const void *interfaces);

#endif
