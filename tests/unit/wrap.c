/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "wrap.h"

#include <assert.h>

#define ETHERNET 14
#define IP 20
#define UDP 8

static void store16(__u8 *at, size_t value)
{
	at[0] = (__u8)(value >> 8);
	at[1] = (__u8)value;
}

/* Makes room in front of what is at `at`. */
static __u8 *insert(struct bytes *bytes, size_t at, size_t len)
{
	assert(bytes->len + len <= PACKET_MAX);
	memmove(bytes->data + at + len, bytes->data + at, bytes->len - at);
	memset(bytes->data + at, 0, len);
	bytes->len += len;
	return bytes->data + at;
}

/* An IPv4 header behind the frame's, around all that follows. */
static void put_ip(struct bytes *bytes, __u8 protocol)
{
	static const __u8 ends[] = { 192, 0, 2, 1, 192, 0, 2, 2 };
	__u8 *ip = insert(bytes, ETHERNET, IP);

	ip[0] = 0x45;
	store16(ip + 2, bytes->len - ETHERNET);
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, ends, sizeof(ends));
	store16(bytes->data + 12, ETHERTYPE_IPV4);
}

static void put_udp(struct bytes *bytes, __u16 port)
{
	__u8 *udp = insert(bytes, ETHERNET, UDP);

	store16(udp, 54321);
	store16(udp + 2, port);
	store16(udp + 4, bytes->len - ETHERNET);
	put_ip(bytes, PROTO_UDP);
}

/* Another frame's header: what follows is the inner frame from then on. */
static void put_frame(struct bytes *bytes)
{
	insert(bytes, 0, ETHERNET);
	memcpy(bytes->data, bytes->data + ETHERNET, ETHERNET);
}

static void put_vxlan(struct bytes *bytes, __u16 port, bool is_gpe)
{
	__u8 *vxlan;

	put_frame(bytes);
	vxlan = insert(bytes, ETHERNET, 8);
	vxlan[0] = is_gpe ? 0x0c : 0x08;
	vxlan[3] = is_gpe ? 3 : 0;
	vxlan[6] = WRAP_ID;
	put_udp(bytes, port);
}

static void put_geneve(struct bytes *bytes)
{
	__u8 *geneve;

	put_frame(bytes);
	geneve = insert(bytes, ETHERNET, 8 + 12);
	geneve[0] = 3;
	store16(geneve + 2, ETHERTYPE_ETHERNET);
	geneve[6] = WRAP_ID;
	put_udp(bytes, PORT_GENEVE);
}

/* `kind`: 1 to 3; 0: GRE with a key around IP. */
static void put_gre(struct bytes *bytes, int kind)
{
	static const __u8 sizes[] = { 8, 4, 8 + 8, 8 + 12 + 8 };
	const __u16 ethertype = (__u16)(bytes->data[12] << 8 | bytes->data[13]);
	__u8 *gre;

	if (kind)
		put_frame(bytes);
	gre = insert(bytes, ETHERNET, sizes[kind]);
	gre[0] = kind == 1 ? 0 : kind ? 0x10 : 0x20;
	store16(gre + 2, kind == 0 ? ethertype :
			 kind == 3 ? ETHERTYPE_ERSPAN_3 :
				     ETHERTYPE_ERSPAN);
	if (kind == 0)
		gre[7] = WRAP_ID;
	if (kind >= 2) {
		gre[8] = kind == 2 ? 0x10 : 0x20;
		gre[11] = WRAP_ID;
	}
	if (kind == 3)
		gre[8 + 11] = 1; /* with a subheader */
	put_ip(bytes, PROTO_GRE);
}

static void put_pppoe(struct bytes *bytes)
{
	const bool ipv6 = bytes->data[ETHERNET] >> 4 == 6;
	__u8 *pppoe = insert(bytes, ETHERNET, 8);

	pppoe[0] = 0x11;
	store16(pppoe + 4, bytes->len - ETHERNET - 6);
	store16(pppoe + 6, ipv6 ? 0x0057 : 0x0021);
	store16(bytes->data + 12, ETHERTYPE_PPPOE);
}

static void put_mpls(struct bytes *bytes)
{
	__u8 *labels = insert(bytes, ETHERNET, 8);

	labels[1] = 7;
	labels[6] = 1; /* the last */
	store16(bytes->data + 12, ETHERTYPE_MPLS);
}

void wrap(struct bytes *bytes, enum wrap kind)
{
	switch (kind) {
	case WRAP_VXLAN:
		put_vxlan(bytes, PORT_VXLAN, false);
		break;
	case WRAP_GPE:
		put_vxlan(bytes, PORT_VXLAN_GPE, true);
		break;
	case WRAP_GENEVE:
		put_geneve(bytes);
		break;
	case WRAP_GRE:
	case WRAP_ERSPAN_1:
	case WRAP_ERSPAN_2:
	case WRAP_ERSPAN_3:
		put_gre(bytes, (int)kind - WRAP_GRE);
		break;
	case WRAP_IPIP:
		put_ip(bytes, bytes->data[ETHERNET] >> 4 == 6 ? PROTO_IPV6 :
								PROTO_IPIP);
		break;
	case WRAP_MPLS:
		put_mpls(bytes);
		break;
	case WRAP_PPPOE:
		put_pppoe(bytes);
		break;
	default:
		break;
	}
}

void wrap_track(struct track_options *track)
{
	track->decap.kinds = TUNNELS_ALL;
	track->key.tunnels = true;
	decap_default_ports(&track->decap);
}
