/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "namespaces.h"

#include "../netlink.h"

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

/* What a link's message tells of its far end. */
struct link_seen {
	bool is_loopback, is_pair;
	bool has_nsid, has_ifindex;
	int nsid;
	uint32_t ifindex;
};

/* Kinds of which two make a pair: what enters one comes out of the other. */
static bool kind_is_pair(const struct nlattr *info)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, info)
	{
		if (mnl_attr_get_type(attribute) != IFLA_INFO_KIND ||
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
			continue;
		return !strcmp(mnl_attr_get_str(attribute), "veth") ||
		       !strcmp(mnl_attr_get_str(attribute), "netkit");
	}
	return false;
}

static int on_link(const struct nlmsghdr *header, void *context)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;
	struct link_seen *link = context;

	if (header->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	link->is_loopback = message->ifi_flags & IFF_LOOPBACK;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		switch (mnl_attr_get_type(attribute)) {
		case IFLA_LINK:
			link->has_ifindex = true;
			link->ifindex = mnl_attr_get_u32(attribute);
			break;
		case IFLA_LINK_NETNSID:
			link->has_nsid = true;
			link->nsid = (int)mnl_attr_get_u32(attribute);
			break;
		case IFLA_LINKINFO:
			link->is_pair = kind_is_pair(attribute);
			break;
		}
	}
	return MNL_CB_OK;
}

int namespaces_find_peer(uint32_t ifindex, struct peer *peer)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *message =
		mnl_nlmsg_put_extra_header(header, sizeof(*message));
	struct link_seen link = {};
	int error;

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->ifi_index = (int)ifindex;
	mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	error = netlink_talk(header, header->nlmsg_len, 1, on_link, &link);
	if (error)
		return error;
	*peer = (struct peer){ NAMESPACE_OWN, ifindex };
	if (link.is_loopback)
		return 0;
	if (!link.is_pair || (!link.has_nsid && !link.has_ifindex))
		return -ENOENT;
	if (link.has_nsid)
		peer->nsid = link.nsid;
	peer->ifindex = link.has_ifindex ? link.ifindex : 0;
	return peer->nsid < NAMESPACE_OWN ? -ENOENT : 0;
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

		/* Of a point-to-point link IFA_ADDRESS is the other end. */
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
