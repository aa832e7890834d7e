/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whether a greeting goes on, by what it says so far. */
#ifndef BANNERPROBE_UNFINISHED_H
#define BANNERPROBE_UNFINISHED_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Text that ends within a line, or with a line of several (220-). Of other
 * bytes nobody knows where they end.
 */
bool greeting_is_unfinished(const __u8 *bytes, size_t len);

#endif
