/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "put.h"

#include <endian.h>
#include <stdbool.h>

#define GROUPS 8

char *put_ipv4(char *to, const __u32 *address)
{
	const __u8 *bytes = (const __u8 *)address;

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		to = put_decimal(to, bytes[i]) + 1; /* the point */
	return to - 1;
}

/* Two hexadecimal digits as they stand in memory, in the lower bytes. */
static __u32 two_hex(__u32 byte)
{
	__u16 digits;

	memcpy(&digits, hexadecimals[byte], sizeof(digits));
	return le16toh(digits);
}

/*
 * Four hexadecimal digits in a word, the first byte first, from which leading
 * zeros are shifted out. Without a branch: the groups are of unlike lengths.
 */
static char *put_group(char *to, __u32 group)
{
	__u32 digits = two_hex(group >> 8) | two_hex(group & 0xff) << 16;
	const int zeros = __builtin_ctz((digits ^ 0x30303030) | 1U << 24) /
			  8; /* the last digit stays */

	digits = htole32(digits >> 8 * zeros);
	memcpy(to, &digits, sizeof(digits));
	return to + sizeof(digits) - zeros;
}

/* Groups that are 0. */
struct run {
	int begin, len;
};

/* The first one of the longest runs. One group is none: RFC 5952, 4.2.2. */
static struct run longest_run(const __u32 groups[GROUPS])
{
	struct run longest = { -1, 1 };
	int len = 0;

	for (int i = 0; i < GROUPS; i++) {
		len = groups[i] ? 0 : len + 1;
		if (len > longest.len)
			longest = (struct run){ i + 1 - len, len };
	}
	return longest;
}

/* ::ffff:192.0.2.1, and also ::192.0.2.1, which RFC 5952 does not ask for. */
static bool holds_ipv4(const __u32 groups[GROUPS], struct run zeros)
{
	return zeros.begin == 0 &&
	       (zeros.len == 6 || (zeros.len == 5 && groups[5] == 0xffff));
}

static char *put_groups(char *to, const __u32 *groups, int count)
{
	for (int i = 0; i < count; i++) {
		if (i)
			*to++ = ':';
		to = put_group(to, groups[i]);
	}
	return to;
}

char *put_ipv6(char *to, const __u32 *address)
{
	const __u8 *bytes = (const __u8 *)address;
	__u32 groups[GROUPS];
	struct run zeros;
	int end;

	for (int i = 0; i < GROUPS; i++)
		groups[i] = (__u32)bytes[2 * i] << 8 | bytes[2 * i + 1];
	zeros = longest_run(groups);
	if (zeros.begin < 0)
		return put_groups(to, groups, GROUPS);
	to = put_groups(to, groups, zeros.begin);
	to = PUT(to, "::");
	if (holds_ipv4(groups, zeros)) {
		if (zeros.len == 5)
			to = PUT(to, "ffff:");
		return put_ipv4(to, address + 3);
	}
	end = zeros.begin + zeros.len;
	return put_groups(to, groups + end, GROUPS - end);
}
