/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "community_id.h"

#include "ip.h"
#include "put.h"

#include <endian.h>
#include <nettle/sha1.h>
#include <stdbool.h>
#include <string.h>

/* What is digested has SHA-1's end mark and, at the end, its length in bits. */
#define IPV4_LENGTH 16
#define IPV6_LENGTH 40
#define END_MARK 0x80

typedef __u64 two_words __attribute__((vector_size(16)));

/* An address of IPv4 and a port. The lower number is digested first. */
static inline __u64 end_number(__u32 address, __u16 port)
{
	return (__u64)bpf_ntohl(address) << 16 | port;
}

/*
 * What is digested of IPv4: the seed, two bytes; the addresses; protocol and
 * padding; the ports. It is written at once: what reads 16 bytes waits long for
 * such as were written singly.
 */
static inline void put_ipv4_connection(__u8 *to, const struct event *event)
{
	const __u64 client = end_number(event->client[0], event->client_port);
	const __u64 server = end_number(event->server[0], event->server_port);
	const __u64 first = client < server ? client : server;
	const __u64 second = client < server ? server : client;
	const two_words all = {
		htobe64((first & ~0xffffULL) | second >> 32),
		htobe64(second >> 16 << 48 | (__u64)PROTO_TCP << 40 |
			(first & 0xffff) << 16 | (second & 0xffff)),
	};

	memcpy(to, &all, sizeof(all));
}

/* Whether the client comes before the server: by address, then by port. */
static bool is_client_first(const struct event *event)
{
	const int order =
		memcmp(event->client, event->server, sizeof(event->client));

	return order ? order < 0 : event->client_port < event->server_port;
}

/* Not inline: IPv4 would have to save the registers that this needs. */
static __attribute__((noinline)) void
put_ipv6_connection(__u8 *to, const struct event *event)
{
	const bool client_first = is_client_first(event);
	const __be16 client = bpf_htons(event->client_port);
	const __be16 server = bpf_htons(event->server_port);

	to[0] = to[1] = 0; /* the seed */
	memcpy(to + 2, client_first ? event->client : event->server, 16);
	memcpy(to + 18, client_first ? event->server : event->client, 16);
	to[34] = PROTO_TCP;
	to[35] = 0;
	memcpy(to + 36, client_first ? &client : &server, 2);
	memcpy(to + 38, client_first ? &server : &client, 2);
}

/*
 * The bytes, SHA-1's end mark and their length in bits fit into one block, so
 * that neither a context nor a second block is needed. What is the same for
 * each connection stays in the blocks.
 */
void community_digest(struct community_digest *digest,
		      const struct event *event)
{
	static const struct community_digest initial = {
		{ 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }
	};
	static __u8 ipv4[SHA1_BLOCK_SIZE] = { [IPV4_LENGTH] = END_MARK,
					      [SHA1_BLOCK_SIZE - 1] =
						      IPV4_LENGTH * 8 };
	static __u8 ipv6[SHA1_BLOCK_SIZE] = { [IPV6_LENGTH] = END_MARK,
					      [SHA1_BLOCK_SIZE - 2] =
						      IPV6_LENGTH * 8 >> 8,
					      [SHA1_BLOCK_SIZE - 1] =
						      IPV6_LENGTH * 8 & 0xff };

	*digest = initial;
	if (event->family == 6) {
		put_ipv6_connection(ipv6, event);
		nettle_sha1_compress(digest->words, ipv6);
	} else {
		put_ipv4_connection(ipv4, event);
		nettle_sha1_compress(digest->words, ipv4);
	}
}

/* The two characters of base64 for each 12 bits. */
static char base64_pairs[1 << 12][2];

/* Before main(), so that no call has to ask whether it was done. */
__attribute__((constructor)) static void fill_pairs(void)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (int i = 0; i < 1 << 12; i++) {
		base64_pairs[i][0] = base64[i >> 6];
		base64_pairs[i][1] = base64[i & 63];
	}
}

static inline char *put_pair(char *to, __u64 bits)
{
	return put_text(to, base64_pairs[bits & 0xfff], 2);
}

/* Of the lower 48 bits eight characters. */
static inline char *put_base64(char *to, __u64 bits)
{
	to = put_pair(to, bits >> 36);
	to = put_pair(to, bits >> 24);
	to = put_pair(to, bits >> 12);
	return put_pair(to, bits);
}

/* The last 16 of the digest's 160 bits end within the 27th character. */
char *put_community_id(char *to, const struct community_digest *digest)
{
	const uint32_t *words = digest->words;

	to = PUT(to, "1:");
	to = put_base64(to, (__u64)words[0] << 16 | words[1] >> 16);
	to = put_base64(to, (__u64)words[1] << 32 | words[2]);
	to = put_base64(to, (__u64)words[3] << 16 | words[4] >> 16);
	to = put_pair(to, words[4] >> 4);
	to = put_pair(to, words[4] << 8);
	return PUT(to - 1, "=");
}
