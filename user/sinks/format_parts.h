/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parts of both records of events and of changes, to be used like put.h. */
#ifndef BANNERPROBE_FORMAT_PARTS_H
#define BANNERPROBE_FORMAT_PARTS_H

#include <linux/types.h>

/* ADDRESS:PORT, [ADDRESS]:PORT for IPv6. */
char *put_endpoint(char *to, __u8 family, const __u32 *address, __u16 port);

/* `time`: ns since 1970. */
char *put_local_time(char *to, __u64 time);

#endif
