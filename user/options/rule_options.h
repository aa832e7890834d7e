/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --identify, --probes and --recog: by which rules servers are identified. */
#ifndef BANNERPROBE_RULE_OPTIONS_H
#define BANNERPROBE_RULE_OPTIONS_H

#include "option_table.h"

void rules_take_probes(struct options *options, const struct option_use *use);
void rules_take_recog(struct options *options, const struct option_use *use);

/*
 * Whoever names rules wants to see what they say: in the log, where there is no
 * inventory to show it. What the log cannot show is not asked.
 */
void rules_set_defaults(struct options *options);

#endif
