/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "links.h"

#include "system/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_SIZE 128

struct telling {
	link_told *told;
	filter_gone_told *filter_gone;
	packets_told *packets_told;
	void *context;
};

/* --- links ---------------------------------------------------------------- */

static bool read_packets(struct packet_counts *packets,
			 const struct nlattr *attribute)
{
	struct rtnl_link_stats64 counts;
	const size_t size = 2 * sizeof(counts.rx_packets);

	if (mnl_attr_get_payload_len(attribute) < size)
		return false;
	memcpy(&counts, mnl_attr_get_payload(attribute), size);
	packets->received = counts.rx_packets;
	packets->sent = counts.tx_packets;
	return true;
}

bool link_read(struct link *link, const struct nlmsghdr *header)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;

	/*
	 * A bridge port that leaves its bridge is reported by a DELLINK, too.
	 */
	if ((header->nlmsg_type != RTM_NEWLINK &&
	     header->nlmsg_type != RTM_DELLINK) ||
	    message->ifi_family != AF_UNSPEC)
		return false;
	*link = (struct link){ .index = (unsigned int)message->ifi_index,
			       .type = message->ifi_type,
			       .gone = header->nlmsg_type == RTM_DELLINK };
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_IFNAME:
			link->name = mnl_attr_get_str(attribute);
			break;
		case IFLA_PROP_LIST:
			link->others = attribute;
			break;
		case IFLA_STATS64:
			link->has_packets =
				read_packets(&link->packets, attribute);
			break;
		}
	}
	return link->name;
}

bool link_has_name(const struct link *link,
		   bool (*matches)(const char *name, const void *context),
		   const void *context)
{
	const struct nlattr *attribute;

	if (matches(link->name, context))
		return true;
	if (!link->others)
		return false;
	mnl_attr_for_each_nested(attribute, link->others)
	{
		if (mnl_attr_get_type(attribute) == IFLA_ALT_IFNAME &&
		    matches(mnl_attr_get_str(attribute), context))
			return true;
	}
	return false;
}

static int on_link(const struct nlmsghdr *header, void *context)
{
	const struct telling *telling = context;
	struct link link;

	if (link_read(&link, header))
		telling->told(&link, telling->context);
	return MNL_CB_OK;
}

static int on_change(const struct nlmsghdr *header, void *context)
{
	const struct tcmsg *message = mnl_nlmsg_get_payload(header);
	const struct telling *telling = context;

	if (header->nlmsg_type != RTM_DELTFILTER &&
	    header->nlmsg_type != RTM_DELQDISC)
		return on_link(header, context);
	telling->filter_gone((unsigned int)message->tcm_ifindex,
			     telling->context);
	return MNL_CB_OK;
}

struct mnl_socket *links_watch(bool filters)
{
	return netlink_watch(RTMGRP_LINK | (filters ? RTMGRP_TC : 0));
}

int links_take(struct mnl_socket *socket, link_told *told,
	       filter_gone_told *filter_gone, void *context)
{
	struct telling telling = { .told = told,
				   .filter_gone = filter_gone,
				   .context = context };

	return netlink_take(socket, on_change, &telling);
}

int links_dump(mnl_cb_t read, void *context)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_dump(header, read, context);
}

int links_list(link_told *told, void *context)
{
	struct telling telling = { .told = told, .context = context };

	return links_dump(on_link, &telling);
}

/* --- packets -------------------------------------------------------------- */

static int on_stats(const struct nlmsghdr *header, void *context)
{
	const struct if_stats_msg *message = mnl_nlmsg_get_payload(header);
	const struct telling *telling = context;
	const struct nlattr *attribute;
	struct packet_counts packets;

	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		if (mnl_attr_get_type(attribute) == IFLA_STATS_LINK_64 &&
		    read_packets(&packets, attribute))
			telling->packets_told(message->ifindex, &packets,
					      telling->context);
	}
	return MNL_CB_OK;
}

/*
 * RTM_GETSTATS: a link's own message, with its counters, is ten times as long.
 */
static struct nlmsghdr *put_stats_request(char *buffer, unsigned int index)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct if_stats_msg *message =
		mnl_nlmsg_put_extra_header(header, sizeof(*message));

	header->nlmsg_type = RTM_GETSTATS;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->ifindex = index;
	message->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
	return header;
}

int links_count_packets(unsigned int index, packets_told *told, void *context)
{
	struct telling telling = { .packets_told = told, .context = context };
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = put_stats_request(buffer, index);

	return netlink_talk(header, header->nlmsg_len, 1, on_stats, &telling);
}

int links_count_all_packets(packets_told *told, void *context)
{
	struct telling telling = { .packets_told = told, .context = context };
	char buffer[REQUEST_SIZE];

	return netlink_dump(put_stats_request(buffer, 0), on_stats, &telling);
}
