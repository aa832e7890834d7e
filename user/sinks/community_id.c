/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "community_id.h"

#include "ip.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

_Static_assert(COMMUNITY_ID_LENGTH ==
		       2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE),
	       "the version and the digest");

/* One end of a connection, in network byte order. */
struct end {
	const __u32 *address;
	__be16 port;
};

/* Whether the one comes before the other: by address, then by port. */
static bool is_before(const struct end *one, const struct end *other,
		      size_t address_len)
{
	int order = memcmp(one->address, other->address, address_len);

	return order < 0 || (!order && memcmp(&one->port, &other->port, 2) < 0);
}

void community_id(char text[COMMUNITY_ID_LENGTH], const struct event *record)
{
	static const __u8 seed[2], protocol[2] = { PROTO_TCP };
	const size_t address_len = record->family == 6 ? 16 : 4;
	struct end first = { record->server, bpf_htons(record->server_port) };
	struct end second = { record->client, bpf_htons(record->client_port) };
	__u8 digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha1;

	if (is_before(&second, &first, address_len)) {
		const struct end server = first;

		first = second;
		second = server;
	}
	sha1_init(&sha1);
	sha1_update(&sha1, sizeof(seed), seed);
	sha1_update(&sha1, address_len, (const __u8 *)first.address);
	sha1_update(&sha1, address_len, (const __u8 *)second.address);
	sha1_update(&sha1, sizeof(protocol), protocol);
	sha1_update(&sha1, sizeof(first.port), (const __u8 *)&first.port);
	sha1_update(&sha1, sizeof(second.port), (const __u8 *)&second.port);
	sha1_digest(&sha1, sizeof(digest), digest);
	text[0] = '1';
	text[1] = ':';
	base64_encode_raw(text + 2, sizeof(digest), digest);
}
