/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "community_id.h"

#include "ip.h"
#include "put.h"

#include <endian.h>
#include <nettle/sha1.h>
#include <string.h>

/* Whether the client comes before the server: by address, then by port. */
static inline bool is_client_first(const struct event *event, int words)
{
	for (int i = 0; i < words; i++) {
		if (event->client[i] != event->server[i])
			return bpf_ntohl(event->client[i]) <
			       bpf_ntohl(event->server[i]);
	}
	return event->client_port < event->server_port;
}

static inline void put_port(__u8 *to, __u16 port)
{
	const __be16 bytes = bpf_htons(port);

	memcpy(to, &bytes, sizeof(bytes));
}

/*
 * Fills in what is digested, but for what is 0: the seed, two bytes; the
 * addresses and, behind protocol and padding, the ports, each in two places of
 * which the first end takes the first. Returns the number of bytes.
 */
static __always_inline size_t put_connection(__u8 *to,
					     const struct event *event,
					     int words)
{
	const size_t size = 4 * (size_t)words;
	const size_t server = is_client_first(event, words), client = !server;
	__u8 *const addresses = to + 2, *const protocol = addresses + 2 * size;
	__u8 *const ports = protocol + 2;

	memcpy(addresses + size * server, event->server, size);
	memcpy(addresses + size * client, event->client, size);
	*protocol = PROTO_TCP;
	put_port(ports + 2 * server, event->server_port);
	put_port(ports + 2 * client, event->client_port);
	return (size_t)(ports + 4 - to);
}

/*
 * The bytes, SHA-1's end mark and their length in bits fit into one block, so
 * that neither a context nor a second block is needed.
 */
void community_digest(struct community_digest *digest,
		      const struct event *event)
{
	static const struct community_digest initial = {
		{ 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }
	};
	__u8 block[SHA1_BLOCK_SIZE] = {};
	const size_t len = event->family == 6 ?
				   put_connection(block, event, 4) :
				   put_connection(block, event, 1);

	block[len] = 0x80;
	block[SHA1_BLOCK_SIZE - 2] = (__u8)(len * 8 >> 8);
	block[SHA1_BLOCK_SIZE - 1] = (__u8)(len * 8);
	*digest = initial;
	nettle_sha1_compress(digest->words, block);
}

/* Distributes the lower 48 bits over eight bytes: six to each. */
static __u64 spread(__u64 bits)
{
	bits = (bits << 8 & 0x00ffffff00000000) | (bits & 0x0000000000ffffff);
	bits = (bits << 4 & 0x0fff00000fff0000) | (bits & 0x00000fff00000fff);
	return (bits << 2 & 0x3f003f003f003f00) | (bits & 0x003f003f003f003f);
}

/* Base64 has A to Z, a to z, 0 to 9, + and /: of 16 characters at once. */
static inline char *put_base64(char *to, __u64 first_48_bits, __u64 next_48)
{
	typedef __u64 words __attribute__((vector_size(16)));
	typedef signed char characters __attribute__((vector_size(16)));
	characters sixes = (characters)(words){ htobe64(spread(first_48_bits)),
						htobe64(spread(next_48)) };

	sixes += 'A' + (('a' - 'Z' - 1) & (sixes > 25)) -
		 (('z' + 1 - '0') & (sixes > 51)) -
		 (('9' + 1 - '+') & (sixes > 61)) +
		 (('/' - '+' - 1) & (sixes > 62));
	memcpy(to, &sixes, sizeof(sixes));
	return to + sizeof(sixes);
}

/* The digest ends within the 27th character. */
char *put_community_id(char *to, const struct community_digest *digest)
{
	const __u64 first = (__u64)digest->words[0] << 32 | digest->words[1];
	const __u64 middle = (__u64)digest->words[2] << 32 | digest->words[3];
	const __u64 last = digest->words[4];

	to = PUT(to, "1:");
	to = put_base64(to, first >> 16, first << 32 | middle >> 32);
	to = put_base64(to, middle << 16 | last >> 16, last << 32);
	return PUT(to - 32 + 27, "=");
}
