/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What one connection showed about a server: the input of an inventory. */
#ifndef BANNERPROBE_OBSERVATION_H
#define BANNERPROBE_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum observed {
	OBSERVED_BANNER,   /* the server spoke first */
	OBSERVED_RESPONSE, /* the server spoke second */
	OBSERVED_OPEN,	   /* the server accepted; it has no bytes */
	OBSERVED_REQUEST,  /* the client spoke first */
};

struct address {
	uint8_t family;	  /* 4 or 6 */
	uint8_t byte[16]; /* network order; 4 of them for IPv4, the rest 0 */
};

/*
 * Makes an IPv4 address in IPv6's form, ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2),
 * the IPv4 address. False: it is none.
 */
static inline bool address_unmap(struct address *address)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	struct address ipv4 = { .family = 4 };

	if (address->family != 6 ||
	    memcmp(address->byte, prefix, sizeof(prefix)))
		return false;
	memcpy(ipv4.byte, address->byte + sizeof(prefix), 4);
	*address = ipv4;
	return true;
}

struct observation {
	uint64_t time;	    /* microseconds since 1970 */
	const char *sensor; /* the host that saw it; "" or NULL: this one */
	const char *tunnel; /* identifiers, "42" or "42/7"; "" or NULL: none */
	struct address server, client;
	uint16_t server_port, client_port;
	enum observed event;
	const uint8_t *bytes; /* of the side that spoke */
	size_t len;
	bool complete; /* false: cut, or the greeting may go on */
	/* The service's owner, escaped as in the log; "" or NULL: not known. */
	const char *unit, *container, *process;
};

#endif
