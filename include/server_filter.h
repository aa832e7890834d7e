/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The server filter: by port, by network, and by whether the server is this
 * host. Portable C without a helper call, like segment.h: the caller looks up
 * the sets that contain an address.
 */
#ifndef BANNERPROBE_SERVER_FILTER_H
#define BANNERPROBE_SERVER_FILTER_H

#include "platform.h"
#include "segment.h"

#define PORT_WORDS 1024 /* a bit for each port, 64 in a word */

#define FAMILY_BITS 32 /* bits of a prefix before those of the address */

/* The active filters; 0: every server passes. */
enum filter_by {
	FILTER_BY_PORT = 1 << 0,
	FILTER_BY_NET = 1 << 1,	    /* in a network of --net */
	FILTER_BY_NOT_NET = 1 << 2, /* in no network of --not-net */
	FILTER_LOCAL = 1 << 3,	    /* on this host */
	FILTER_REMOTE = 1 << 4,	    /* not on this host */
	FILTER_BY_ADDRESS = FILTER_BY_NET | FILTER_BY_NOT_NET | FILTER_LOCAL |
			    FILTER_REMOTE,
};

/* The sets of networks that may contain an address. */
enum address_set {
	SET_NET = 1 << 0,
	SET_NOT_NET = 1 << 1,
	SET_LOCAL = 1 << 2, /* this host's own */
	SET_PEER = 1 << 3,  /* --decap-from: tunnels from it are accepted */
};

/* The filter that a set of networks makes active; 0: none. */
static __always_inline __u32 filter_of_set(__u32 set)
{
	switch (set) {
	case SET_NET:
		return FILTER_BY_NET;
	case SET_NOT_NET:
		return FILTER_BY_NOT_NET;
	default: /* not a set of servers */
		return 0;
	}
}

/* A net, or an address: the key of an LPM trie. */
struct net {
	__u32 prefix_len; /* bits of the following members, at least FAMILY_BITS
			   */
	__u32 family;	  /* 4 or 6 */
	__u32 address[4]; /* network byte order, 0 beyond the prefix; IPv4 in
			   * [0] */
};

/* The server of a segment. The address points into the segment. */
struct server {
	const __u32 *address;
	__u16 port; /* host byte order */
};

static __always_inline bool port_matches(const volatile __u64 *ports,
					 __u16 port)
{
	return ports[port >> 6 & (PORT_WORDS - 1)] >> (port & 63) & 1;
}

static __always_inline bool address_matches(__u32 filter_by, __u32 sets)
{
	if (filter_by & FILTER_BY_NET && !(sets & SET_NET))
		return false;
	if (filter_by & FILTER_BY_NOT_NET && sets & SET_NOT_NET)
		return false;
	if (filter_by & FILTER_LOCAL && !(sets & SET_LOCAL))
		return false;
	return !(filter_by & FILTER_REMOTE && sets & SET_LOCAL);
}

/* The server of a segment; `to_server`: the server is the destination. */
static __always_inline struct server
server_of_segment(const struct segment *segment, bool to_server)
{
	if (to_server)
		return (struct server){ segment->destination,
					segment->destination_port };
	return (struct server){ segment->source, segment->source_port };
}

/*
 * Whether a segment with SYN is sent to the server: a SYN is, a SYN-ACK is not.
 */
static __always_inline bool syn_is_to_server(const struct segment *segment)
{
	return segment->flags & TCP_SYN && !(segment->flags & TCP_ACK);
}

/* An address as the key of a lookup in an LPM trie. */
static __always_inline void net_of_address(struct net *net,
					   const __u32 address[4], __u8 family)
{
	net->prefix_len = FAMILY_BITS + (family == 4 ? 32 : 128);
	net->family = family;
	net->address[0] = address[0];
	net->address[1] = address[1];
	net->address[2] = address[2];
	net->address[3] = address[3];
}

/*
 * The sender of the outermost tunnel with addresses around a segment. False:
 * there is none.
 */
static __always_inline bool outermost_peer(const struct segment *segment,
					   struct net *net)
{
#ifdef __bpf__
#pragma clang loop unroll(full)
#endif
	for (int i = 0; i < TUNNELS_MAX; i++) {
		const struct tunnel *tunnel = &segment->tunnels[i];

		if (i >= segment->tunnel_count)
			break;
		if (!tunnel->family)
			continue;
		net_of_address(net, tunnel->source, tunnel->family);
		return true;
	}
	return false;
}

#endif
