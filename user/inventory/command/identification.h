/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the greetings of an import are, by the project's own rules. */
#ifndef BANNERPROBE_IDENTIFICATION_H
#define BANNERPROBE_IDENTIFICATION_H

#include "inventory/inventory.h"

/* Sets both fields of the options; where it cannot, nothing is identified. */
void identification_open(struct inventory_options *options);
void identification_close(struct inventory_options *options);

#endif
