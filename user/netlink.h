/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What only rtnetlink tells: interfaces that go, and which filters are on one. */
#ifndef BANNERPROBE_NETLINK_H
#define BANNERPROBE_NETLINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

/* Called for each interface that was deleted (name NULL) or has this name now.
 */
typedef void link_changed(unsigned int index, const char *name, void *context);

/* Subscribes to changes of interfaces; NULL with errno set on failure. */
struct mnl_socket *netlink_watch_links(void);

/*
 * Subscribes to groups of messages (RTMGRP_...), of which `buffer` bytes may
 * wait to be read; likewise.
 */
struct mnl_socket *netlink_watch(unsigned int groups, int buffer);
int netlink_fd(const struct mnl_socket *socket);
void netlink_close(struct mnl_socket *socket);

/*
 * Takes what has arrived, without waiting. Negative errno; -ENOBUFS: changes
 * were missed, so ask the kernel how things are.
 */
int netlink_take(struct mnl_socket *socket, mnl_cb_t read, void *context);

/*
 * Sends a request for a dump, whose type is set, and has its answers read; once
 * more if things have changed meanwhile, so `read` may get to see one twice.
 * Negative errno.
 */
int netlink_dump(struct nlmsghdr *request, mnl_cb_t read, void *context);

/* Dumps all links (RTM_NEWLINK), without their counters. */
int netlink_dump_links(mnl_cb_t read, void *context);

/* As netlink_take(), of netlink_watch_links(). */
int netlink_read_links(struct mnl_socket *socket, link_changed *changed,
		       void *context);

struct packet_counts;

/* What an interface has received and sent, ever. 0 or negative errno. */
int netlink_count_packets(unsigned int index, struct packet_counts *packets);

/* A BPF filter of tc. */
struct filter {
	unsigned int parent; /* TC_H_MAKE(TC_H_CLSACT, ...): the direction */
	unsigned int handle;
	unsigned int priority;
	unsigned int program_id; /* 0 where the kernel does not tell */
	const char *name;	 /* of the program, with more; or "" */
};

typedef void filter_found(const struct filter *filter, void *context);

/*
 * Calls `found` for each filter of one direction (`parent`) of an interface's
 * clsact; of filters that are not BPF, only handle and priority are told.
 * Negative errno.
 */
int netlink_list_filters(unsigned int index, unsigned int parent,
			 filter_found *found, void *context);

/* Whether an interface has a qdisc that such filters can be on. */
bool netlink_has_clsact(unsigned int index);

/*
 * Adds a filter that runs a BPF program (a file descriptor) and takes its
 * verdict: `filter` tells parent, name and priority (0: the kernel chooses),
 * and is told what it came to. `make_qdisc`: first the clsact qdisc, in one
 * request: a signal comes before both or after. The first error as negative
 * errno; the other step is done all the same.
 */
int netlink_add_filter(unsigned int index, struct filter *filter, int program,
		       bool make_qdisc);

#endif
