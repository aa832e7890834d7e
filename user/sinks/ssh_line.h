/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The identification that each side of SSH begins with (RFC 4253, 4.2). */
#ifndef BANNERPROBE_SSH_LINE_H
#define BANNERPROBE_SSH_LINE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define SSH_LINE_MAX 255 /* bytes, with its end */

/* Whether the bytes begin with "SSH-1." or "SSH-2.", in any case. */
bool ssh_begins(const __u8 *bytes, size_t len);

/* Bytes of an identification without its line end; 0: it has none, or is none.
 */
size_t ssh_line(const __u8 *bytes, size_t len);

/* Whether the bytes may be the beginning of an identification. */
bool ssh_is_incomplete(const __u8 *bytes, size_t len);

#endif
