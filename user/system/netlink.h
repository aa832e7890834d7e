/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rtnetlink. All requests use one socket, which stays open, so that requests
 * are possible when no descriptor is left.
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
 * Reads what has arrived, without waiting. Negative errno; -ENOBUFS: changes
 * were missed, so the state has to be dumped again.
 */
int netlink_take(struct mnl_socket *socket, mnl_cb_t read, void *context);

/*
 * Sends one or more requests, of which `awaited` are to be acknowledged or
 * answered by a dump, and calls `read` for each answer. The first error as
 * negative errno; -EINTR: the state changed during the dump.
 */
int netlink_talk(const void *requests, size_t size, int awaited, mnl_cb_t read,
		 void *context);

/*
 * Sends a dump request with its type set, and reads the answers. Repeats the
 * dump if the state changed during it, so `read` may see an object twice.
 * Negative errno.
 */
int netlink_dump(struct nlmsghdr *request, mnl_cb_t read, void *context);

#endif
