/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reports the program's state to systemd by the protocol of sd_notify(3): one
 * datagram for each message. The protocol is documented as stable. libsystemd
 * is not used: it opens a socket for each message, which a seccomp filter would
 * have to allow, has no static library, and is much code for a privileged
 * program.
 */
#ifndef BANNERPROBE_NOTIFY_H
#define BANNERPROBE_NOTIFY_H

/*
 * Connects to the socket that $NOTIFY_SOCKET names, if it is set. Called before
 * privileges are given up. If that fails, prints a message, and later calls do
 * nothing.
 */
void notify_open(void);

/* Called in a child process, which reports nothing. */
void notify_close(void);

/*
 * How often the watchdog of systemd is to be told that the program is alive:
 * twice as often as $WATCHDOG_USEC asks for. 0: never.
 */
unsigned int notify_watchdog_seconds(void);

/* They need no system call but sendto(2). Without a socket they do nothing. */
void notify_alive(void); /* WATCHDOG=1 */
void notify_ready(void); /* READY=1: all is attached */
void notify_stopping(void);

#endif
