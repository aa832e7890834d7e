/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "not_opened.h"

#include "system/message.h"

#include <stdio.h>

#define NEARLY_ALL 90 /* percent */

static const struct {
	const char *what, *remedy;
	__u32 tunnels; /* TUNNEL_BIT() of those that --decap opens */
	const char *option;
} kinds[COUNTER_MAX] = {
	[COUNT_NOT_OPENED_PPPOE] = { "PPPoE",
				     "capture on the PPP device (ppp0)",
				     TUNNEL_BIT(TUNNEL_PPPOE), "pppoe" },
	[COUNT_NOT_OPENED_MPLS] = { "MPLS",
				    "capture where the labels are taken off",
				    TUNNEL_BIT(TUNNEL_MPLS), "mpls" },
	[COUNT_NOT_OPENED_GRE] = { "GRE", "capture on the tunnel's device",
				   TUNNEL_BIT(TUNNEL_GRE) |
					   TUNNEL_BIT(TUNNEL_ERSPAN),
				   "gre,erspan" },
	[COUNT_NOT_OPENED_IP_IN_IP] = { "IP in IP",
					"capture on the tunnel's device",
					TUNNEL_BIT(TUNNEL_IPIP), "ipip" },
	[COUNT_NOT_OPENED_THIRD_TAG] = { .what = "behind more than two VLAN "
						 "tags",
					 .remedy =
						 "capture on a VLAN's device" },
	[COUNT_NOT_OPENED_LLC] = { .what = "LLC without SNAP",
				   .remedy = "capture on a device that "
					     "carries IP" },
	[COUNT_NOT_OPENED_VXLAN] = { "VXLAN", "capture on the tunnel's device",
				     TUNNEL_BIT(TUNNEL_VXLAN), "vxlan" },
	[COUNT_NOT_OPENED_GENEVE] = { "Geneve",
				      "capture on the tunnel's device",
				      TUNNEL_BIT(TUNNEL_GENEVE), "geneve" },
	[COUNT_NOT_OPENED_WIFI_PROTECTED] = { .what = "encrypted 802.11 data",
					      .remedy = "decrypt them first "
							"(airdecap-ng)" },
	[COUNT_NOT_OPENED_WIFI_AMSDU] = { .what = "802.11 A-MSDUs",
					  .remedy = "capture behind the access "
						    "point" },
	[COUNT_NOT_OPENED_GTP] = { .what = "GTP",
				   .remedy = "capture behind the gateway (SGi, "
					     "N6)" },
	[COUNT_NOT_OPENED_L2TP] = { .what = "L2TP",
				    .remedy = "capture on the PPP device "
					      "(ppp0)" },
	[COUNT_NOT_OPENED_TEREDO] = { .what = "Teredo",
				      .remedy = "capture on the tunnel's "
						"device" },
	[COUNT_NOT_OPENED_IPSEC] = { .what = "IPsec",
				     .remedy = "capture behind the gateway, "
					       "where it is decrypted" },
	[COUNT_NOT_OPENED_LINK_TYPE] = { .remedy =
						 "capture on an Ethernet or IP "
						 "device" },
};

void not_opened_report(const char *name, __u64 packets,
		       const __u64 counters[COUNTER_MAX], __u32 link_type,
		       const struct decap *decap)
{
	char what[64], remedy[64];

	for (int i = COUNT_FIRST_NOT_OPENED; i <= COUNT_LAST_NOT_OPENED; i++) {
		if (!counters[i] || counters[i] * 100 < packets * NEARLY_ALL)
			continue;
		if (i == COUNT_NOT_OPENED_LINK_TYPE)
			snprintf(what, sizeof(what), "of link type %u",
				 link_type);
		else
			snprintf(what, sizeof(what), "%s", kinds[i].what);
		if (kinds[i].tunnels & ~decap->kinds)
			snprintf(remedy, sizeof(remedy), "--decap=%s opens it",
				 kinds[i].option);
		else
			snprintf(remedy, sizeof(remedy), "%s", kinds[i].remedy);
		message("%s: %llu of %llu packets are %s, which is not opened: "
			"%s",
			name, counters[i], packets, what, remedy);
	}
}
