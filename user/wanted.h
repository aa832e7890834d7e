/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which servers are wanted, as the command line says. */
#ifndef BANNERPROBE_USER_WANTED_H
#define BANNERPROBE_USER_WANTED_H

#include "nets.h"

/* All zero: every server is wanted. */
struct wanted {
	__u32 by; /* enum wanted_by */
	__u64 ports[PORT_WORDS];
	struct nets nets; /* enum address_mark: of each its own, not those of
			   * nets around it; of this host's addresses none */
};

/* Adds "22,25,8000-8100". False where that is no list of ports. */
bool wanted_add_ports(struct wanted *wanted, const char *list);

/*
 * Adds an address or a net (192.0.2.0/24, 2001:db8::/32), by its mark. False
 * where it is none, or without memory.
 */
bool wanted_add_net(struct wanted *wanted, const char *net, __u32 mark);

void wanted_free(struct wanted *wanted);

/* Whether a server is wanted. */
bool wanted_has(const struct wanted *wanted, const struct server *server,
		__u8 family);

#endif
