/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "packet.h"

#include <assert.h>

static __u8 *put(struct bytes *bytes, size_t len)
{
	__u8 *at = bytes->data + bytes->len;

	assert(bytes->len + len <= PACKET_MAX);
	memset(at, 0, len);
	bytes->len += len;
	return at;
}

static void store16(__u8 *at, size_t value)
{
	at[0] = (__u8)(value >> 8);
	at[1] = (__u8)value;
}

static void store32(__u8 *at, __u32 value)
{
	store16(at, value >> 16);
	store16(at + 2, value & 0xffff);
}

static void put_ethernet(struct bytes *bytes, const struct test_packet *packet)
{
	store16(put(bytes, 14) + 12, 0);
	bytes->data[0] = bytes->data[6] = 2;
	for (int i = 0; i < 3 && packet->vlan[i]; i++) {
		store16(bytes->data + bytes->len - 2,
			packet->vlan_type ? packet->vlan_type :
					    ETHERTYPE_8021Q);
		store16(put(bytes, 4), packet->vlan[i]);
	}
	store16(bytes->data + bytes->len - 2,
		packet->ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
}

static size_t extension_size(struct test_extension extension)
{
	if (extension.kind == PROTO_FRAGMENT)
		return 8;
	if (extension.kind == PROTO_AUTH)
		return (extension.len + 2U) * 4;
	return (extension.len + 1U) * 8;
}

/* `next`: where the kind of the first of them, or TCP's number, goes. */
static void put_extensions(struct bytes *bytes,
			   const struct test_packet *packet, __u8 *next)
{
	for (int i = 0; i < packet->extension_count; i++) {
		struct test_extension extension = packet->extensions[i];
		__u8 *header = put(bytes, extension_size(extension));

		*next = extension.kind;
		header[1] = extension.len;
		if (extension.kind == PROTO_FRAGMENT)
			store16(header + 2, packet->fragment);
		next = header;
	}
	*next = PROTO_TCP;
}

static size_t put_ipv4(struct bytes *bytes, const struct test_packet *packet)
{
	size_t words = 5 + packet->ip_option_words;
	__u8 *ip = put(bytes, words * 4);

	ip[0] = (__u8)(0x40 |
		       (packet->ip_header_words ? packet->ip_header_words :
						  words));
	store16(ip + 6, packet->fragment);
	ip[8] = 64;
	memset(ip + 20, 1, words * 4 - 20); /* no-operation options */
	memcpy(ip + 12, "\xc0\x00\x02\x09\xc0\x00\x02\x0a", 8);
	if (packet->from_server)
		memcpy(ip + 12, "\xc0\x00\x02\x0a\xc0\x00\x02\x09", 8);
	put_extensions(bytes, packet, ip + 9);
	return (size_t)(ip - bytes->data) + 2;
}

static size_t put_ipv6(struct bytes *bytes, const struct test_packet *packet)
{
	__u8 *ip = put(bytes, 40);

	ip[0] = 0x60;
	ip[7] = 64;
	memcpy(ip + 8,
	       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
	       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a",
	       32);
	if (packet->from_server) {
		ip[23] = 0x0a;
		ip[39] = 0x09;
	}
	put_extensions(bytes, packet, ip + 6);
	return (size_t)(ip - bytes->data) + 4;
}

static void put_tcp(struct bytes *bytes, const struct test_packet *packet)
{
	size_t words = 5 + packet->tcp_option_words;
	__u8 *tcp = put(bytes, words * 4);

	store16(tcp, packet->from_server ? packet->server_port :
					   packet->client_port);
	store16(tcp + 2, packet->from_server ? packet->client_port :
					       packet->server_port);
	store32(tcp + 4, packet->seq);
	store32(tcp + 8, packet->ack);
	tcp[12] = (__u8)((packet->tcp_data_offset ? packet->tcp_data_offset :
						    words)
			 << 4);
	tcp[13] = packet->flags;
	store16(tcp + 14, 65535);
	memset(tcp + 20, 1, words * 4 - 20);
}

void packet_build(struct bytes *bytes, const struct test_packet *packet)
{
	size_t begin, length_at, ip_length;

	bytes->len = 0;
	if (!packet->raw_ip)
		put_ethernet(bytes, packet);
	begin = bytes->len;
	length_at = packet->ipv6 ? put_ipv6(bytes, packet) :
				   put_ipv4(bytes, packet);
	put_tcp(bytes, packet);
	if (packet->payload_len)
		memcpy(put(bytes, packet->payload_len), packet->payload,
		       packet->payload_len);

	ip_length = bytes->len - begin - (packet->ipv6 ? 40 : 0);
	ip_length += (size_t)packet->ip_length;
	store16(bytes->data + length_at,
		packet->ip_length_zero ? 0 : ip_length);
	memset(put(bytes, packet->padding), 'P', packet->padding);
}
