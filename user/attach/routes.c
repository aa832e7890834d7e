/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "routes.h"

#include "system/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_SIZE 128

#define NEXTHOPS (1U << (RTNLGRP_NEXTHOP - 1))

/* --- reading -------------------------------------------------------------- */

static void read_address(__u32 address[4], const struct nlattr *attribute)
{
	size_t len = mnl_attr_get_payload_len(attribute);

	memcpy(address, mnl_attr_get_payload(attribute), len < 16 ? len : 16);
}

static void read_attribute(struct local_route *route,
			   const struct nlattr *attribute)
{
	const int type = mnl_attr_get_type(attribute);
	__u32 *const numbers[] = {
		[RTA_TABLE] = &route->table,
		[RTA_OIF] = &route->device,
		[RTA_PRIORITY] = &route->priority,
		[RTA_NH_ID] = &route->nexthop,
	};

	if (type == RTA_DST)
		read_address(route->net.address, attribute);
	else if (type == RTA_PREFSRC)
		read_address(route->source, attribute);
	else if (type == RTA_MULTIPATH)
		route->several = true;
	else if (type < (int)(sizeof(numbers) / sizeof(*numbers)) &&
		 numbers[type] && mnl_attr_get_payload_len(attribute) >= 4)
		*numbers[type] = mnl_attr_get_u32(attribute);
}

bool route_read(struct local_route *route, const struct nlmsghdr *header)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(header);
	const bool ipv6 = message->rtm_family == AF_INET6;
	const struct nlattr *attribute;

	if (message->rtm_type != RTN_LOCAL ||
	    message->rtm_flags & RTM_F_CLONED ||
	    (!ipv6 && message->rtm_family != AF_INET) ||
	    message->rtm_dst_len > (ipv6 ? 128 : 32))
		return false;
	memset(route, 0, sizeof(*route));
	route->net.family = ipv6 ? 6 : 4;
	route->net.prefix_len = FAMILY_BITS + message->rtm_dst_len;
	route->table = message->rtm_table;
	route->tos = message->rtm_tos;
	route->protocol = message->rtm_protocol;
	route->scope = message->rtm_scope;
	mnl_attr_for_each(attribute, header, sizeof(*message))
		read_attribute(route, attribute);
	net_mask(&route->net);
	return true;
}

bool route_may_vanish(const struct local_route *route)
{
	return route->several || route->nexthop;
}

static __u32 table_in(const struct nlattr *data)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, data)
	{
		if (mnl_attr_get_type(attribute) == IFLA_VRF_TABLE &&
		    mnl_attr_get_payload_len(attribute) >= 4)
			return mnl_attr_get_u32(attribute);
	}
	return 0;
}

__u32 route_vrf_table(const struct nlmsghdr *header)
{
	const struct nlattr *attribute, *inner, *data = NULL;
	bool is_vrf = false;

	mnl_attr_for_each(attribute, header, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attribute) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(inner, attribute)
		{
			if (mnl_attr_get_type(inner) == IFLA_INFO_KIND)
				is_vrf =
					!strcmp(mnl_attr_get_str(inner), "vrf");
			else if (mnl_attr_get_type(inner) == IFLA_INFO_DATA)
				data = inner;
		}
	}
	return is_vrf && data ? table_in(data) : 0;
}

/* --- asking --------------------------------------------------------------- */

/*
 * On a router most changes concern other routes, so a socket filter drops them
 * in the kernel. The filter compares in this machine's byte order, and loads in
 * network byte order.
 */
static int filter_local(struct mnl_socket *socket)
{
	const __u32 type = offsetof(struct nlmsghdr, nlmsg_type);
	const __u32 kind = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_type);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 2),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kind),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTN_LOCAL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ~0U),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(*code),
					    code };

	return setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET,
			  SO_ATTACH_FILTER, &program, sizeof(program));
}

struct mnl_socket *routes_watch(void)
{
	struct mnl_socket *socket = netlink_watch(
		RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | NEXTHOPS);
	int error;

	if (!socket || !filter_local(socket))
		return socket;
	error = errno;
	netlink_close(socket);
	errno = error;
	return NULL;
}

static int dump_family(__u32 table, __u8 family, mnl_cb_t read, void *context)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtmsg *message =
		mnl_nlmsg_put_extra_header(header, sizeof(*message));
	int error;

	header->nlmsg_type = RTM_GETROUTE;
	message->rtm_family = family;
	message->rtm_type = RTN_LOCAL;
	message->rtm_table = table < 256 ? (__u8)table : RT_TABLE_UNSPEC;
	mnl_attr_put_u32(header, RTA_TABLE, table);
	error = netlink_dump(header, read, context);
	/*
	 * A table without routes does not exist; some hosts have no IPv6.
	 */
	return error == -ENOENT || error == -EOPNOTSUPP ||
			       error == -EAFNOSUPPORT ?
		       0 :
		       error;
}

int routes_dump(__u32 table, mnl_cb_t read, void *context)
{
	int error = dump_family(table, AF_INET, read, context);

	return error ? error : dump_family(table, AF_INET6, read, context);
}
