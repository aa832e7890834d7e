/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The --decap options: which tunnels are opened. */
#ifndef BANNERPROBE_DECAP_OPTIONS_H
#define BANNERPROBE_DECAP_OPTIONS_H

#include "option_table.h"

/* --decap[=LIST]; or a usage error. */
void decap_take(struct options *options, const struct option_use *use);

/* Whether a word is meant as a LIST of --decap. */
bool decap_is_list(const char *word);

/* Sets defaults, when all options are known. */
void decap_set_defaults(struct options *options);

#endif
