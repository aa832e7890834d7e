/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "namespaces.h"

#include "system/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST_SIZE 128

/* --- far ends --------------------------------------------------------------*/

/* The attributes of a link's message that show its far end. */
struct link_seen {
	bool is_loopback, is_pair, is_bridge;
	bool has_nsid;
	int nsid;
	uint32_t ifindex;      /* of the link itself */
	uint32_t peer_ifindex; /* 0: not in the message */
};

/* Pairs: a packet that enters one device comes out of the other. */
static void read_kind(struct link_seen *link, const struct nlattr *info)
{
	const struct nlattr *attribute;
	const char *kind;

	mnl_attr_for_each_nested(attribute, info)
	{
		if (mnl_attr_get_type(attribute) != IFLA_INFO_KIND ||
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
			continue;
		kind = mnl_attr_get_str(attribute);
		link->is_pair =
			!strcmp(kind, "veth") || !strcmp(kind, "netkit");
		link->is_bridge = !strcmp(kind, "bridge");
	}
}

static bool read_link(struct link_seen *link, const struct nlmsghdr *header)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;

	if (header->nlmsg_type != RTM_NEWLINK)
		return false;
	*link = (struct link_seen){
		.is_loopback = message->ifi_flags & IFF_LOOPBACK,
		.ifindex = (uint32_t)message->ifi_index,
	};
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_LINK:
			link->peer_ifindex = mnl_attr_get_u32(attribute);
			break;
		case IFLA_LINK_NETNSID:
			link->has_nsid = true;
			link->nsid = (int)mnl_attr_get_u32(attribute);
			break;
		case IFLA_LINKINFO:
			read_kind(link, attribute);
			break;
		}
	}
	return true;
}

/* False: the link has no far end, or it is not known. */
static bool far_end(struct peer *peer, const struct link_seen *link)
{
	*peer = (struct peer){ NAMESPACE_OWN, link->peer_ifindex };
	if (link->is_loopback)
		peer->ifindex = link->ifindex;
	else if (!link->is_pair || (!link->has_nsid && !link->peer_ifindex))
		return false;
	else if (link->has_nsid)
		peer->nsid = link->nsid;
	return peer->nsid >= NAMESPACE_OWN;
}

struct search {
	peer_met *met;
	void *context;
	bool is_bridge;
};

static int on_link(const struct nlmsghdr *header, void *context)
{
	struct search *search = context;
	struct link_seen link;
	struct peer peer;

	if (!read_link(&link, header))
		return MNL_CB_OK;
	search->is_bridge |= link.is_bridge;
	if (far_end(&peer, &link))
		search->met(&peer, search->context);
	return MNL_CB_OK;
}

static struct nlmsghdr *put_link_request(char *buffer, uint32_t ifindex)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *message =
		mnl_nlmsg_put_extra_header(header, sizeof(*message));

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->ifi_index = (int)ifindex;
	mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return header;
}

int namespaces_find_peers(uint32_t ifindex, peer_met *met, void *context)
{
	struct search search = { met, context, false };
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = put_link_request(buffer, ifindex);
	int error =
		netlink_talk(header, header->nlmsg_len, 1, on_link, &search);

	if (error || !search.is_bridge)
		return error;
	header = put_link_request(buffer, 0);
	mnl_attr_put_u32(header, IFLA_MASTER, ifindex);
	return netlink_dump(header, on_link, &search);
}

/* --- numbers ---------------------------------------------------------------*/

static int on_nsid(const struct nlmsghdr *header, void *context)
{
	const struct nlattr *attribute;

	if (header->nlmsg_type != RTM_NEWNSID)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, header, sizeof(struct rtgenmsg))
	{
		if (mnl_attr_get_type(attribute) == NETNSA_NSID)
			*(int *)context = (int)mnl_attr_get_u32(attribute);
	}
	return MNL_CB_OK;
}

static int ask_nsid(uint16_t attribute, uint32_t value)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	int nsid = NETNSA_NSID_NOT_ASSIGNED;
	int error;

	header->nlmsg_type = RTM_GETNSID;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	mnl_nlmsg_put_extra_header(header, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(header, attribute, value);
	error = netlink_talk(header, header->nlmsg_len, 1, on_nsid, &nsid);
	return error ? error : nsid >= 0 ? nsid : -ENOENT;
}

int namespaces_id_of_pid(uint32_t pid)
{
	return ask_nsid(NETNSA_PID, pid);
}

int namespaces_id_of_fd(int fd)
{
	return ask_nsid(NETNSA_FD, (uint32_t)fd);
}

uint32_t namespaces_own(const struct diag *diag)
{
	struct stat status;
	uint32_t inode = 0;
	int fd;

	if (!stat("/proc/thread-self/ns/net", &status))
		return (uint32_t)status.st_ino;
	fd = diag ? ioctl(diag_fd(diag), SIOCGSKNS) : -1;
	if (fd < 0)
		return 0;
	if (!fstat(fd, &status))
		inode = (uint32_t)status.st_ino;
	close(fd);
	return inode;
}

/* --- addresses -------------------------------------------------------------*/

struct telling {
	address_met *met;
	void *context;
};

static int on_address(const struct nlmsghdr *header, void *context)
{
	const struct ifaddrmsg *message = mnl_nlmsg_get_payload(header);
	const struct telling *telling = context;
	const struct nlattr *attribute;
	struct endpoint address = {};
	bool has_local = false;

	if (header->nlmsg_type != RTM_NEWADDR ||
	    (message->ifa_family != AF_INET && message->ifa_family != AF_INET6))
		return MNL_CB_OK;
	address.family = message->ifa_family == AF_INET ? 4 : 6;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		const uint16_t type = mnl_attr_get_type(attribute);
		const size_t size = address.family == 4 ? 4 : 16;

		/*
		 * IFA_ADDRESS of a point-to-point link is the other end's
		 * address.
		 */
		if ((type != IFA_LOCAL && (type != IFA_ADDRESS || has_local)) ||
		    mnl_attr_get_payload_len(attribute) < size)
			continue;
		has_local |= type == IFA_LOCAL;
		memcpy(address.address, mnl_attr_get_payload(attribute), size);
	}
	telling->met(&address, telling->context);
	return MNL_CB_OK;
}

int namespaces_addresses(int nsid, address_met *met, void *context)
{
	struct telling telling = { met, context };
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = RTM_GETADDR;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifaddrmsg));
	if (nsid != NAMESPACE_OWN)
		mnl_attr_put_u32(header, IFA_TARGET_NETNSID, (uint32_t)nsid);
	return netlink_dump(header, on_address, &telling);
}
