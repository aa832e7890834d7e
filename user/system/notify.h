/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tells systemd how the program fares: sd_notify(3)'s protocol, which is one
 * datagram for each message and documented as stable. Not through libsystemd:
 * that opens a socket for each message, which a seccomp filter would have to
 * allow, has no static library, and is much code for a privileged program.
 */
#ifndef BANNERPROBE_NOTIFY_H
#define BANNERPROBE_NOTIFY_H

/*
 * Connects to the socket that $NOTIFY_SOCKET names, if it names one; to be
 * called before privileges are dropped. What cannot be reached is complained
 * about and not told anything.
 */
void notify_open(void);

/* In another process after a fork, which tells nothing. */
void notify_close(void);

/* Both need no system call but sendto(2). Without a socket they do nothing. */
void notify_ready(void); /* all is attached */
void notify_stopping(void);

#endif
