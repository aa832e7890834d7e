/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tc_filters.h"

#include "system/netlink.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define REQUEST_SIZE 512 /* bytes of the longest, with a name of 256 bytes */

/* The callback for each filter, and its arguments. */
struct finding {
	filter_found *found;
	void *context;
};

/* Reads the attributes of a BPF filter, within TCA_OPTIONS. */
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
	const struct finding *finding = context;
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
	if (finding)
		finding->found(&filter, finding->context);
	return MNL_CB_OK;
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

int filters_list(unsigned int index, unsigned int parent, filter_found *found,
		 void *context)
{
	struct finding finding = { found, context };
	char buffer[REQUEST_SIZE];
	struct tcmsg *message;
	struct nlmsghdr *header = put_request(buffer, RTM_GETTFILTER,
					      NLM_F_DUMP, index, &message);

	message->tcm_parent = parent;
	return netlink_talk(header, header->nlmsg_len, 1, on_filter, &finding);
}

bool filters_have_clsact(unsigned int index)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = put_clsact(buffer, RTM_GETQDISC, 0, index);

	return !netlink_talk(header, header->nlmsg_len, 1, NULL, NULL);
}

int filters_remove_clsact(unsigned int index)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = put_clsact(buffer, RTM_DELQDISC, 0, index);

	mnl_attr_put_strz(header, TCA_KIND, "clsact");
	return netlink_talk(header, header->nlmsg_len, 1, NULL, NULL);
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

int filters_add(unsigned int index, struct filter *filter, int program,
		bool make_qdisc)
{
	struct finding finding = { take_filter, filter };
	char buffer[2 * REQUEST_SIZE];
	size_t size = 0;

	if (make_qdisc) {
		struct nlmsghdr *qdisc = put_clsact(
			buffer, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, index);

		mnl_attr_put_strz(qdisc, TCA_KIND, "clsact");
		size = MNL_ALIGN(qdisc->nlmsg_len);
	}
	size += put_filter(buffer + size, index, filter, program)->nlmsg_len;
	return netlink_talk(buffer, size, make_qdisc ? 2 : 1, on_filter,
			    &finding);
}
