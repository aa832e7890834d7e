/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

struct change {
	link_changed *changed;
	void *context;
};

static struct mnl_socket *open_socket(unsigned int groups, int flags)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, flags);

	if (!socket)
		return NULL;
	if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

struct mnl_socket *netlink_watch_links(void)
{
	return open_socket(RTMGRP_LINK, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int netlink_fd(const struct mnl_socket *socket)
{
	return mnl_socket_get_fd(socket);
}

void netlink_close(struct mnl_socket *socket)
{
	if (socket)
		mnl_socket_close(socket);
}

static int on_link(const struct nlmsghdr *header, void *context)
{
	const struct change *change = context;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;
	const char *name = NULL;

	mnl_attr_for_each(attribute, header, sizeof(*link)) {
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
			name = mnl_attr_get_str(attribute);
	}
	/* A bridge port that leaves its bridge is told as a DELLINK, too. */
	if (link->ifi_family != AF_UNSPEC)
		return MNL_CB_OK;
	if (header->nlmsg_type == RTM_DELLINK)
		change->changed((unsigned int)link->ifi_index, NULL,
				change->context);
	else if (header->nlmsg_type == RTM_NEWLINK && name)
		change->changed((unsigned int)link->ifi_index, name,
				change->context);
	return MNL_CB_OK;
}

int netlink_read_links(struct mnl_socket *socket, link_changed *changed,
		       void *context)
{
	struct change change = { changed, context };
	char buffer[32768];
	ssize_t len;

	while ((len = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) > 0)
		mnl_cb_run(buffer, (size_t)len, 0, 0, on_link, &change);
	return len < 0 && errno != EAGAIN ? -errno : 0;
}

static int count_one(const struct nlmsghdr *header, void *context)
{
	int *count = context;

	if (header->nlmsg_type == RTM_NEWTFILTER)
		(*count)++;
	return MNL_CB_OK;
}

static int count_filters_of(struct mnl_socket *socket, unsigned int index,
			    __u32 parent, unsigned int sequence)
{
	char buffer[32768];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct tcmsg *request;
	int count = 0, result = MNL_CB_OK;

	header->nlmsg_type = RTM_GETTFILTER;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = sequence;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->tcm_family = AF_UNSPEC;
	request->tcm_ifindex = (int)index;
	request->tcm_parent = parent;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (result == MNL_CB_OK) {
		ssize_t len = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (len < 0)
			return -errno;
		result = mnl_cb_run(buffer, (size_t)len, sequence,
				    mnl_socket_get_portid(socket), count_one,
				    &count);
	}
	return result == MNL_CB_ERROR ? -errno : count;
}

int netlink_count_filters(unsigned int index)
{
	struct mnl_socket *socket = open_socket(0, SOCK_CLOEXEC);
	int in, out;

	if (!socket)
		return -errno;
	in = count_filters_of(socket, index,
			      TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), 1);
	out = count_filters_of(socket, index,
			       TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), 2);
	mnl_socket_close(socket);
	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	return in + out;
}
