/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Talking with the kernel by rtnetlink. Requests share one socket, which stays
 * open: what is asked can be asked when there is no descriptor left, too.
 */
#ifndef BANNERPROBE_NETLINK_H
#define BANNERPROBE_NETLINK_H

#include <libmnl/libmnl.h>

/* Opens the socket for requests anew, as after a fork. 0 or negative errno. */
int netlink_reopen(void);

/*
 * Subscribes to groups of messages (RTMGRP_...); NULL with errno set on
 * failure.
 */
struct mnl_socket *netlink_watch(unsigned int groups);
int netlink_fd(const struct mnl_socket *socket);
void netlink_close(struct mnl_socket *socket);

/*
 * Takes what has arrived, without waiting. Negative errno; -ENOBUFS: changes
 * were missed, so ask the kernel how things are.
 */
int netlink_take(struct mnl_socket *socket, mnl_cb_t read, void *context);

/*
 * Sends one or more requests, of which `awaited` are to be acknowledged or
 * answered by a dump, and has `read` see what comes. The first error as
 * negative errno; -EINTR: what was dumped has changed meanwhile.
 */
int netlink_talk(const void *requests, size_t size, int awaited, mnl_cb_t read,
		 void *context);

/*
 * Sends a request for a dump, whose type is set, and has its answers read; once
 * more if things have changed meanwhile, so `read` may get to see one twice.
 * Negative errno.
 */
int netlink_dump(struct nlmsghdr *request, mnl_cb_t read, void *context);

#endif
