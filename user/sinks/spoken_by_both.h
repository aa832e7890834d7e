/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Protocols in which neither side waits for the other before it speaks. */
#ifndef BANNERPROBE_SPOKEN_BY_BOTH_H
#define BANNERPROBE_SPOKEN_BY_BOTH_H

#include <linux/types.h>
#include <stdbool.h>

/*
 * Whether a server that spoke second would have said these bytes as its banner,
 * too, had its client been slower: the identification of SSH (RFC 4253, 4.2),
 * rsync's greeting, a BGP message (RFC 4271, 4.1), an IRC server's notice, or a
 * greeting of SMTP, FTP, POP3, IMAP or RFB to a client that did not wait (a
 * PROXY header).
 */
bool is_spoken_by_both(const __u8 *bytes, __u32 len);

#endif
