/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which servers are wanted, as the command line says. */
#ifndef BANNERPROBE_SERVER_LIST_H
#define BANNERPROBE_SERVER_LIST_H

#include "nets.h"

/* All zero: every server is wanted. */
struct server_list {
	__u32 by; /* enum filter_by */
	__u64 ports[PORT_WORDS];
	struct nets nets; /* enum address_mark: of each its own, not those of
			   * nets around it; of this host's addresses none */
};

/* Adds "22,25,8000-8100". False where that is no list of ports. */
bool server_list_add_ports(struct server_list *wanted, const char *list);

/*
 * Adds an address or a net (192.0.2.0/24, 2001:db8::/32), by its mark. False
 * where it is none, or without memory.
 */
bool server_list_add_net(struct server_list *wanted, const char *net, __u32 mark);

void server_list_free(struct server_list *wanted);

/* Whether a server is wanted. */
bool server_list_has(const struct server_list *wanted, const struct server *server,
		__u8 family);

#endif
