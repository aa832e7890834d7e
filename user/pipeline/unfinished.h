/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whether more of a greeting is to be expected, judged by its bytes so far. */
#ifndef BANNERPROBE_UNFINISHED_H
#define BANNERPROBE_UNFINISHED_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * True for text that ends within a line, or with a line that another one
 * follows
 * ("220-"). The end of a binary greeting cannot be recognised: false.
 */
bool greeting_is_unfinished(const __u8 *bytes, size_t len);

#endif
