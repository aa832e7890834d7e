/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sock_diag(7): lists the listening TCP sockets of a network namespace. No
 * privilege is needed. The kernel answers within sendto(2), so nothing here
 * waits. The cgroup id needs Linux 5.7.
 */
#ifndef BANNERPROBE_DIAG_H
#define BANNERPROBE_DIAG_H

#include "listener.h"

struct diag;

/* For the network namespace of the calling thread. NULL with errno set. */
struct diag *diag_open(void);
void diag_close(struct diag *diag);

/* The descriptor of its socket. */
int diag_fd(const struct diag *diag);

typedef void diag_met(const struct listener *listener, void *context);

/*
 * Calls `met` for all listening sockets, IPv4 and IPv6. 0 or negative errno;
 * `met` may have been called before an error.
 */
int diag_list(struct diag *diag, diag_met *met, void *context);

/*
 * Asks the kernel for the socket that a new connection to `endpoint` would get;
 * of a SO_REUSEPORT group it is any member. 0 or negative errno; -ENOENT: no
 * socket listens there.
 */
int diag_ask(struct diag *diag, const struct endpoint *endpoint,
	     struct listener *listener);

#endif
