/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Own addresses in the tables of VRFs, by messages about links that the test
 * makes, so that kernels without VRFs will do. The tables and routes are real
 * ones, in a network namespace of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "attach/addresses.c"

/* Which addresses are own, by the reported changes. */
static int told;

static void on_told(const struct net *net, bool added, void *context)
{
	(void)net;
	(void)context;
	told += added ? 1 : -1;
}

static void ip(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "ip %s", command);
	assert_int_equal(system(line), 0);
}

static bool is_own(const struct addresses *addresses, const char *text)
{
	__u32 bytes[4] = {};
	struct net net;

	assert_int_equal(inet_pton(AF_INET, text, bytes), 1);
	net_of_address(&net, bytes, 4);
	return nets_around(addresses_nets(addresses), &net);
}

/* A link comes, changes or goes; a table makes it a VRF. */
static void link_comes(struct addresses *addresses, int type, __u32 index,
		       const char *kind, __u32 table)
{
	char buffer[1024];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link =
		mnl_nlmsg_put_extra_header(header, sizeof(*link));
	struct nlattr *info, *data;

	header->nlmsg_type = (__u16)type;
	link->ifi_index = (int)index;
	link->ifi_flags = IFF_UP;
	mnl_attr_put_strz(header, IFLA_IFNAME, "some");
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, kind);
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u32(header, IFLA_VRF_TABLE, table);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
	on_change(header, addresses);
}

static int set_up(void **state)
{
	if (unshare(CLONE_NEWNET))
		return 0; /* skipped */
	ip("link set lo up");
	ip("route add local 198.51.100.1 dev lo table 77");
	ip("route add local 198.51.101.0/24 dev lo table 78");
	netlink_reopen();
	*state = addresses_open();
	if (!*state)
		return -1;
	addresses_tell(*state, on_told, NULL);
	told = 0;
	return 0;
}

static int tear_down(void **state)
{
	addresses_close(*state);
	*state = NULL;
	return 0;
}

static void test_vrf_comes_and_goes(void **state)
{
	struct addresses *addresses = *state;

	if (!addresses)
		skip();
	assert_true(is_own(addresses, "127.1.2.3"));
	assert_false(is_own(addresses, "198.51.100.1"));
	link_comes(addresses, RTM_NEWLINK, 50, "veth", 77);
	assert_false(is_own(addresses, "198.51.100.1"));
	link_comes(addresses, RTM_NEWLINK, 51, "vrf", 77);
	assert_true(is_own(addresses, "198.51.100.1"));
	assert_int_equal(told, 1);
	ip("route add local 198.51.100.2 dev lo table 77");
	assert_int_equal(addresses_follow(addresses), 0);
	assert_true(is_own(addresses, "198.51.100.2"));
	/* Another of the same table, and back to one. */
	link_comes(addresses, RTM_NEWLINK, 52, "vrf", 77);
	link_comes(addresses, RTM_DELLINK, 51, "vrf", 77);
	assert_true(is_own(addresses, "198.51.100.2"));
	link_comes(addresses, RTM_DELLINK, 52, "vrf", 77);
	assert_false(is_own(addresses, "198.51.100.1"));
	assert_int_equal(told, 0);
}

static void test_vrf_gets_another_table(void **state)
{
	struct addresses *addresses = *state;

	if (!addresses)
		skip();
	link_comes(addresses, RTM_NEWLINK, 51, "vrf", 77);
	link_comes(addresses, RTM_NEWLINK, 51, "vrf", 78);
	assert_false(is_own(addresses, "198.51.100.1"));
	assert_true(is_own(addresses, "198.51.101.7"));
	assert_int_equal(told, 1);
}

/* The kernel has no such VRFs, so a dump of everything removes them. */
static void test_what_was_missed(void **state)
{
	struct addresses *addresses = *state;

	if (!addresses)
		skip();
	link_comes(addresses, RTM_NEWLINK, 51, "vrf", 77);
	link_comes(addresses, RTM_NEWLINK, 52, "vrf", 78);
	link_comes(addresses, RTM_NEWLINK, 53, "vrf", 77);
	addresses->stale = true;
	assert_int_equal(addresses_follow(addresses), 0);
	assert_false(is_own(addresses, "198.51.100.1"));
	assert_false(is_own(addresses, "198.51.101.7"));
	assert_true(is_own(addresses, "127.0.0.1"));
	assert_int_equal(told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vrf_comes_and_goes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_vrf_gets_another_table,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_was_missed, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
