/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The server filter of the command line. */
#ifndef BANNERPROBE_SERVER_LIST_H
#define BANNERPROBE_SERVER_LIST_H

#include "nets.h"

/* The server filter; all zero: every server passes. */
struct server_list {
	__u32 by; /* enum filter_by */
	__u64 ports[PORT_WORDS];
	struct nets nets; /* the number of each network: its own sets (enum
			   * address_set), without the sets of networks around
			   * it; without this host's addresses */
};

/* Adds "22,25,8000-8100". False where that is no list of ports. */
bool server_list_add_ports(struct server_list *wanted, const char *list);

/*
 * Adds an address or a network (192.0.2.0/24, 2001:db8::/32) to a set. False
 * where the text is neither, or without memory.
 */
bool server_list_add_net(struct server_list *wanted, const char *net,
			 __u32 set);

void server_list_free(struct server_list *wanted);

#endif
