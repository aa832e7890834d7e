/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Identifies greetings by the project's own rules. */
#ifndef BANNERPROBE_IDENTIFICATION_H
#define BANNERPROBE_IDENTIFICATION_H

#include "inventory/inventory.h"

/* Sets `identify` and its context. If that fails, nothing is identified. */
void identification_open(struct inventory_options *options);
void identification_close(struct inventory_options *options);

#endif
