/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_SIZE 32768 /* what the kernel fills at most in one go */

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

	mnl_attr_for_each(attribute, header, sizeof(*link))
	{
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
	char buffer[DUMP_SIZE];
	ssize_t len;

	while ((len = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) > 0)
		mnl_cb_run(buffer, (size_t)len, 0, 0, on_link, &change);
	return len < 0 && errno != EAGAIN ? -errno : 0;
}

struct listing {
	filter_found *found;
	void *context;
};

/* What a BPF filter tells of itself, within TCA_OPTIONS. */
static void read_bpf_options(const struct nlattr *options,
			     struct filter *filter)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, options)
	{
		if (mnl_attr_get_type(attribute) == TCA_BPF_ID)
			filter->program_id = mnl_attr_get_u32(attribute);
		else if (mnl_attr_get_type(attribute) == TCA_BPF_NAME)
			filter->name = mnl_attr_get_str(attribute);
	}
}

static int on_filter(const struct nlmsghdr *header, void *context)
{
	const struct listing *listing = context;
	const struct tcmsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute, *options = NULL;
	struct filter filter = { .parent = message->tcm_parent,
				 .handle = message->tcm_handle,
				 .priority = TC_H_MAJ(message->tcm_info) >> 16,
				 .name = "" };
	const char *kind = "";

	/* A handle of 0 is the head of a priority's list, not a filter. */
	if (header->nlmsg_type != RTM_NEWTFILTER || !filter.handle)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		if (mnl_attr_get_type(attribute) == TCA_KIND)
			kind = mnl_attr_get_str(attribute);
		else if (mnl_attr_get_type(attribute) == TCA_OPTIONS)
			options = attribute;
	}
	if (options && !strcmp(kind, "bpf"))
		read_bpf_options(options, &filter);
	listing->found(&filter, listing->context);
	return MNL_CB_OK;
}

static int request_filters(struct mnl_socket *socket, unsigned int index,
			   unsigned int parent)
{
	char buffer[DUMP_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct tcmsg *request;

	header->nlmsg_type = RTM_GETTFILTER;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = 1;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->tcm_family = AF_UNSPEC;
	request->tcm_ifindex = (int)index;
	request->tcm_parent = parent;
	return mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 ?
		       -errno :
		       0;
}

int netlink_list_filters(unsigned int index, unsigned int parent,
			 filter_found *found, void *context)
{
	struct listing listing = { found, context };
	struct mnl_socket *socket = open_socket(0, SOCK_CLOEXEC);
	char buffer[DUMP_SIZE];
	int result, error;

	if (!socket)
		return -errno;
	error = request_filters(socket, index, parent);
	result = error ? MNL_CB_ERROR : MNL_CB_OK;
	while (result == MNL_CB_OK) {
		ssize_t len =
			mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		result = len < 0 ? MNL_CB_ERROR :
				   mnl_cb_run(buffer, (size_t)len, 1,
					      mnl_socket_get_portid(socket),
					      on_filter, &listing);
		if (result == MNL_CB_ERROR)
			error = -errno;
	}
	mnl_socket_close(socket);
	return error;
}
