/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "server_list.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Reads a port at *text, and moves *text behind it. */
static bool take_port(const char **text, unsigned long *port)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	*port = strtoul(*text, &end, 10);
	*text = end;
	return *port <= 65535;
}

bool server_list_add_ports(struct server_list *wanted, const char *list)
{
	do {
		unsigned long first, last;

		if (!take_port(&list, &first))
			return false;
		last = first;
		if (*list == '-') {
			list++;
			if (!take_port(&list, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			wanted->ports[first / 64] |= 1ULL << first % 64;
	} while (*list++ == ',');
	wanted->by |= FILTER_BY_PORT;
	return !list[-1];
}

/*
 * Takes an IPv4 net in IPv6's form, ::ffff:192.0.2.0/120 (RFC 4291, 2.5.5.2),
 * for the IPv4 net: packets have no such addresses. True: it was one.
 */
static bool take_mapped(__u32 bytes[4], unsigned long *prefix_len)
{
	if (bytes[0] || bytes[1] || bytes[2] != bpf_htonl(0xffff) ||
	    *prefix_len < 96)
		return false;
	bytes[0] = bytes[3];
	bytes[2] = bytes[3] = 0;
	*prefix_len -= 96;
	return true;
}

static bool parse_net(struct net *net, const char *text)
{
	char address[INET6_ADDRSTRLEN];
	__u32 bytes[4] = {};
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	bool ipv6 = memchr(text, ':', len);
	const __u32 bits = ipv6 ? 128 : 32;
	unsigned long prefix_len = bits;
	char *end = "";

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, address, bytes) != 1)
		return false;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		prefix_len = strtoul(slash + 1, &end, 10);
	}
	if (*end || prefix_len > bits)
		return false;
	ipv6 = ipv6 && !take_mapped(bytes, &prefix_len);
	net_of_address(net, bytes, ipv6 ? 6 : 4);
	net->prefix_len = FAMILY_BITS + (__u32)prefix_len;
	net_mask(net);
	return true;
}

bool server_list_add_net(struct server_list *wanted, const char *text,
			 __u32 set)
{
	struct net net;
	__u32 *sets;

	if (!parse_net(&net, text))
		return false;
	sets = nets_put(&wanted->nets, &net);
	if (!sets)
		return false;
	*sets |= set;
	wanted->by |= filter_of_set(set);
	return true;
}

void server_list_free(struct server_list *wanted)
{
	nets_free(&wanted->nets);
}
