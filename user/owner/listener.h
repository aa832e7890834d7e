/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A listening TCP socket, and the endpoint of a connection to a server. */
#ifndef BANNERPROBE_LISTENER_H
#define BANNERPROBE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

/* The address and port of a server. */
struct endpoint {
	uint32_t address[4]; /* network byte order; IPv4 in [0] */
	uint16_t port;	     /* host byte order */
	uint8_t family;	     /* 4 or 6 */
	/*
	 * Index of the interface in the server's namespace that the connection
	 * uses; 0: not known.
	 */
	uint32_t ifindex;
};

struct listener {
	struct endpoint bound; /* address 0: to all; ifindex 0: to none */
	uint64_t cookie;       /* 0: not known */
	uint64_t cgroup;       /* cgroup v2 id; 0: not known */
	uint32_t inode;
	uint32_t uid; /* LISTENER_UID_UNKNOWN: not known */
	bool v6only;
};

#define LISTENER_UID_UNKNOWN 0xffffffff

#endif
