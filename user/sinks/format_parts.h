/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Pieces that records of events and of changes have in common: as in put.h. */
#ifndef BANNERPROBE_FORMAT_PARTS_H
#define BANNERPROBE_FORMAT_PARTS_H

#include <linux/types.h>
#include <stddef.h>

/* In a string of JSON: as put_escaped(), with the string's own escapes. */
char *put_escaped_json(char *to, const __u8 *bytes, size_t len);

#endif
