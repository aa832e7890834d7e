/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tunnels that are opened: their kinds, what is reported of each, and the
 * options that choose them. tunnels.h opens them.
 */
#ifndef BANNERPROBE_TUNNEL_H
#define BANNERPROBE_TUNNEL_H

#include "platform.h"

/*
 * Each kind of tunnel: its name for the user, the parse result for a packet of
 * this kind that is not opened, and the function in tunnel_headers.h that reads
 * its header.
 */
#define TUNNELS(X)                                                             \
	X(VXLAN, "vxlan", PARSE_VXLAN, open_vxlan)                             \
	X(GENEVE, "geneve", PARSE_GENEVE, open_geneve)                         \
	X(GRE, "gre", PARSE_GRE, open_gre)                                     \
	X(ERSPAN, "erspan", PARSE_GRE, open_erspan)                            \
	X(IPIP, "ipip", PARSE_IP_IN_IP, open_ipip)                             \
	X(MPLS, "mpls", PARSE_MPLS, open_mpls)                                 \
	X(PPPOE, "pppoe", PARSE_PPPOE, open_pppoe)

enum tunnel_kind {
#define TUNNEL_ENUM(id, name, unopened, opener) TUNNEL_##id,
	TUNNELS(TUNNEL_ENUM)
#undef TUNNEL_ENUM
		TUNNEL_KINDS,
	TUNNEL_NONE = TUNNEL_KINDS,
};

#define TUNNEL_BIT(kind) (1U << (kind))
#define TUNNELS_ALL (TUNNEL_BIT(TUNNEL_KINDS) - 1)

#define TUNNELS_MAX 4 /* layers of tunnels around one packet */

/* One tunnel around a packet, as it is reported. */
struct tunnel {
	__u32 source[4];      /* as struct segment has it; all 0 where the */
	__u32 destination[4]; /* layer has no addresses */
	__u32 id;	      /* VNI, GRE key, ERSPAN session; 0: none */
	__u8 kind;	      /* enum tunnel_kind */
	__u8 family;	      /* of the addresses: 4, 6, or 0 without */
	__u8 reserved[2];
};

#define DECAP_PORTS 4
#define PORT_VXLAN 4789	      /* RFC 7348 */
#define PORT_VXLAN_LINUX 8472 /* the default of Linux */
#define PORT_VXLAN_GPE 4790
#define PORT_GENEVE 6081 /* RFC 8926 */

/* The --decap options. All zero: nothing is opened. */
struct decap {
	__u32 kinds; /* TUNNEL_BIT() of each that is opened */
	/* UDP ports, 0 where there are fewer. */
	__u16 vxlan_ports[DECAP_PORTS];
	__u16 geneve_ports[DECAP_PORTS];
	bool by_peer; /* only from addresses in SET_PEER (server_filter.h) */
};

/* The UDP ports of tunnels unless others are given. */
static inline void decap_default_ports(struct decap *decap)
{
	decap->vxlan_ports[0] = PORT_VXLAN;
	decap->vxlan_ports[1] = PORT_VXLAN_LINUX;
	decap->geneve_ports[0] = PORT_GENEVE;
}

#endif
