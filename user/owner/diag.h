/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sock_diag(7): the listening TCP sockets of a network namespace, as the kernel
 * knows them. No privilege is needed. The kernel answers as it is asked, so
 * that nothing here waits. The cgroup id needs Linux 5.7.
 */
#ifndef BANNERPROBE_DIAG_H
#define BANNERPROBE_DIAG_H

#include "listener.h"

struct diag;

/* In the network namespace of the calling thread. NULL with errno set. */
struct diag *diag_open(void);
void diag_close(struct diag *diag);

/* The descriptor of its socket. */
int diag_fd(const struct diag *diag);

typedef void diag_met(const struct listener *listener, void *context);

/*
 * All that listen, of IPv4 and IPv6. 0 or negative errno; then some may have
 * been met.
 */
int diag_list(struct diag *diag, diag_met *met, void *context);

/*
 * The one that the kernel would give a new connection to `endpoint`, as it
 * decides itself; of a SO_REUSEPORT group any one. 0 or negative errno;
 * -ENOENT: nothing listens there.
 */
int diag_ask(struct diag *diag, const struct endpoint *endpoint,
	     struct listener *listener);

#endif
