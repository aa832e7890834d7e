/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netlink.h"

#include "attach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_SIZE 32768	 /* what the kernel fills at most in one go */
#define DUMPS_MAX 100	 /* that were interrupted, one after the other */
#define REQUEST_SIZE 512 /* of the longest, with a name of 256 bytes */

/* Of messages that wait to be read, in bytes: some thousand. */
#define RECEIVE_BUFFER (4 << 20)

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

struct mnl_socket *netlink_watch(unsigned int groups, int buffer)
{
	struct mnl_socket *socket =
		open_socket(groups, SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* As large as it gets: a smaller one only means more to look up. */
	if (socket && setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET,
				 SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUF,
			   &buffer, sizeof(buffer));
	return socket;
}

struct mnl_socket *netlink_watch_links(void)
{
	return netlink_watch(RTMGRP_LINK, RECEIVE_BUFFER);
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

int netlink_take(struct mnl_socket *socket, mnl_cb_t read, void *context)
{
	char buffer[DUMP_SIZE];
	ssize_t len;

	while ((len = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) > 0)
		mnl_cb_run(buffer, (size_t)len, 0, 0, read, context);
	return len < 0 && errno != EAGAIN ? -errno : 0;
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

	return netlink_take(socket, on_link, &change);
}

/* --- dumps ---------------------------------------------------------------- */

/* -EINTR: what is dumped has changed meanwhile. */
static int dump_once(const struct nlmsghdr *request, mnl_cb_t read,
		     void *context)
{
	struct mnl_socket *socket = open_socket(0, SOCK_CLOEXEC);
	char buffer[DUMP_SIZE];
	int on = 1, result;

	if (!socket)
		return -errno;
	/* Filtered by the kernel, where it can (4.20): some tables are large. */
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	result = mnl_socket_sendto(socket, request, request->nlmsg_len) < 0 ?
			 MNL_CB_ERROR :
			 MNL_CB_OK;
	while (result == MNL_CB_OK) {
		ssize_t len =
			mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		result = len < 0 ? MNL_CB_ERROR :
				   mnl_cb_run(buffer, (size_t)len, 0, 0, read,
					      context);
	}
	result = result == MNL_CB_ERROR ? -errno : 0;
	mnl_socket_close(socket);
	return result;
}

int netlink_dump(struct nlmsghdr *request, mnl_cb_t read, void *context)
{
	int error = -EINTR;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (int i = 0; error == -EINTR && i < DUMPS_MAX; i++)
		error = dump_once(request, read, context);
	return error;
}

int netlink_dump_links(mnl_cb_t read, void *context)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_dump(header, read, context);
}

/* --- tc: qdiscs and filters ---------------------------------------------- */

/* What comes back of requests. */
struct exchange {
	int awaited;   /* acknowledgements */
	int error;     /* the first, negative */
	mnl_cb_t read; /* takes what comes, with the exchange */
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
	const struct exchange *exchange = context;
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
	exchange->found(&filter, exchange->context);
	return MNL_CB_OK;
}

static int on_acknowledgement(const struct nlmsghdr *header, void *context)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);
	struct exchange *exchange = context;

	if (!exchange->error)
		exchange->error = answer->error;
	return --exchange->awaited ? MNL_CB_OK : MNL_CB_STOP;
}

static int read_answers(struct mnl_socket *socket, struct exchange *exchange)
{
	mnl_cb_t control[] = { [NLMSG_ERROR] = on_acknowledgement };
	char buffer[DUMP_SIZE];
	int result = MNL_CB_OK;

	while (result == MNL_CB_OK) {
		ssize_t len =
			mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		result =
			len < 0 ?
				MNL_CB_ERROR :
				mnl_cb_run2(buffer, (size_t)len, 0,
					    mnl_socket_get_portid(socket),
					    exchange->read, exchange, control,
					    sizeof(control) / sizeof(*control));
	}
	return result == MNL_CB_ERROR ? -errno : exchange->error;
}

/* Sends requests, and waits for all that comes back. Negative errno. */
static int talk(const void *requests, size_t size, struct exchange *exchange)
{
	struct mnl_socket *socket = open_socket(0, SOCK_CLOEXEC);
	int error;

	if (!socket)
		return -errno;
	error = mnl_socket_sendto(socket, requests, size) < 0 ?
			-errno :
			read_answers(socket, exchange);
	mnl_socket_close(socket);
	return error;
}

/* Begins a request about an interface's qdisc or filters. */
static struct nlmsghdr *put_request(char *buffer, int type, int flags,
				    unsigned int index, struct tcmsg **message)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = (__u16)type;
	header->nlmsg_flags = (__u16)(NLM_F_REQUEST | flags);
	*message = mnl_nlmsg_put_extra_header(header, sizeof(**message));
	(*message)->tcm_family = AF_UNSPEC;
	(*message)->tcm_ifindex = (int)index;
	return header;
}

static struct nlmsghdr *put_clsact(char *buffer, int type, int flags,
				   unsigned int index)
{
	struct tcmsg *message;
	struct nlmsghdr *header =
		put_request(buffer, type, flags | NLM_F_ACK, index, &message);

	message->tcm_parent = TC_H_CLSACT;
	message->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	return header;
}

int netlink_list_filters(unsigned int index, unsigned int parent,
			 filter_found *found, void *context)
{
	struct exchange exchange = { 1, 0, on_filter, found, context };
	char buffer[REQUEST_SIZE];
	struct tcmsg *message;
	struct nlmsghdr *header = put_request(buffer, RTM_GETTFILTER,
					      NLM_F_DUMP, index, &message);

	message->tcm_parent = parent;
	return talk(header, header->nlmsg_len, &exchange);
}

static int on_link_counts(const struct nlmsghdr *header, void *context)
{
	const struct exchange *exchange = context;
	struct packet_counts *packets = exchange->context;
	const struct nlattr *attribute;
	struct rtnl_link_stats64 counts;

	mnl_attr_for_each(attribute, header, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attribute) != IFLA_STATS64 ||
		    mnl_attr_get_payload_len(attribute) <
			    sizeof(counts.rx_packets) * 2)
			continue;
		memcpy(&counts, mnl_attr_get_payload(attribute),
		       sizeof(counts.rx_packets) * 2);
		packets->received = counts.rx_packets;
		packets->sent = counts.tx_packets;
	}
	return MNL_CB_OK;
}

int netlink_count_packets(unsigned int index, struct packet_counts *packets)
{
	struct exchange exchange = { .awaited = 1,
				     .read = on_link_counts,
				     .context = packets };
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link =
		mnl_nlmsg_put_extra_header(header, sizeof(*link));

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	link->ifi_index = (int)index;
	return talk(header, header->nlmsg_len, &exchange);
}

bool netlink_has_clsact(unsigned int index)
{
	struct exchange exchange = { .awaited = 1, .read = on_filter };
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = put_clsact(buffer, RTM_GETQDISC, 0, index);

	return !talk(header, header->nlmsg_len, &exchange);
}

static struct nlmsghdr *put_filter(char *buffer, unsigned int index,
				   const struct filter *filter, int program)
{
	struct tcmsg *message;
	struct nlmsghdr *header =
		put_request(buffer, RTM_NEWTFILTER,
			    NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO | NLM_F_ACK,
			    index, &message);
	struct nlattr *options;

	message->tcm_parent = filter->parent;
	message->tcm_info = TC_H_MAKE(filter->priority << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(header, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(header, TCA_OPTIONS);
	mnl_attr_put_u32(header, TCA_BPF_FD, (__u32)program);
	mnl_attr_put_strz(header, TCA_BPF_NAME, filter->name);
	mnl_attr_put_u32(header, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(header, options);
	return header;
}

static void take_filter(const struct filter *added, void *context)
{
	struct filter *filter = context;

	filter->handle = added->handle;
	filter->priority = added->priority;
	filter->program_id = added->program_id;
}

int netlink_add_filter(unsigned int index, struct filter *filter, int program,
		       bool make_qdisc)
{
	struct exchange exchange = { 1, 0, on_filter, take_filter, filter };
	char buffer[2 * REQUEST_SIZE];
	size_t size = 0;

	if (make_qdisc) {
		struct nlmsghdr *qdisc = put_clsact(
			buffer, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, index);

		mnl_attr_put_strz(qdisc, TCA_KIND, "clsact");
		size = MNL_ALIGN(qdisc->nlmsg_len);
		exchange.awaited++;
	}
	size += put_filter(buffer + size, index, filter, program)->nlmsg_len;
	return talk(buffer, size, &exchange);
}
