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

static __u8 *put_bytes(__u8 *to, const void *bytes, size_t len)
{
	memcpy(to, bytes, len);
	return to + len;
}

void community_id(char text[COMMUNITY_ID_LENGTH], const struct event *record)
{
	static const __u8 seed[2], protocol[2] = { PROTO_TCP };
	const size_t address_len = record->family == 6 ? 16 : 4;
	struct end first = { record->server, bpf_htons(record->server_port) };
	struct end second = { record->client, bpf_htons(record->client_port) };
	__u8 digest[SHA1_DIGEST_SIZE];
	__u8 bytes[2 + 2 * 16 + 2 + 2 * 2], *at = bytes;
	struct sha1_ctx sha1;

	if (is_before(&second, &first, address_len)) {
		const struct end server = first;

		first = second;
		second = server;
	}
	at = put_bytes(at, seed, sizeof(seed));
	at = put_bytes(at, first.address, address_len);
	at = put_bytes(at, second.address, address_len);
	at = put_bytes(at, protocol, sizeof(protocol));
	at = put_bytes(at, &first.port, sizeof(first.port));
	at = put_bytes(at, &second.port, sizeof(second.port));
	sha1_init(&sha1);
	sha1_update(&sha1, (size_t)(at - bytes), bytes);
	sha1_digest(&sha1, sizeof(digest), digest);
	text[0] = '1';
	text[1] = ':';
	base64_encode_raw(text + 2, sizeof(digest), digest);
}
