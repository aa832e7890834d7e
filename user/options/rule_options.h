/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --identify, --probes and --recog: the rules that identify servers. */
#ifndef BANNERPROBE_RULE_OPTIONS_H
#define BANNERPROBE_RULE_OPTIONS_H

#include "option_table.h"

void rules_take_probes(struct options *options, const struct option_use *use);
void rules_take_recog(struct options *options, const struct option_use *use);

/*
 * Without an inventory, --probes and --recog imply --identify. --identify is
 * switched off, with a note, if the log cannot show it.
 */
void rules_set_defaults(struct options *options);

#endif
