/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "put.h"

#include <arpa/inet.h>
#include <string.h>

const char hex_digits[] = "0123456789abcdef";

char *put_text(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

char *put_text_of(char *to, const char *text)
{
	return put_text(to, text, strlen(text));
}

char *put_number(char *to, __u64 value, int width)
{
	char digits[20];
	int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n < width)
		digits[n++] = '0';
	while (n)
		*to++ = digits[--n];
	return to;
}

char *put_timestamp(char *to, __u64 time)
{
	to = put_number(to, time / NS_PER_SECOND, 1);
	*to++ = '.';
	return put_number(to, time % NS_PER_SECOND / 1000, 6);
}

char *put_address(char *to, __u8 family, const __u32 *address)
{
	const __u8 *byte = (const __u8 *)address;

	if (family == 6) {
		inet_ntop(AF_INET6, address, to, INET6_ADDRSTRLEN);
		return to + strlen(to);
	}
	for (int i = 0; i < 4; i++) {
		if (i)
			*to++ = '.';
		to = put_number(to, byte[i], 1);
	}
	return to;
}

char *put_hex(char *to, __u8 byte)
{
	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex_digits[byte >> 4];
	*to++ = hex_digits[byte & 15];
	return to;
}

char *put_escaped(char *to, const __u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\\')
			to = PUT(to, "\\\\");
		else if (bytes[i] >= 0x20 && bytes[i] <= 0x7e)
			*to++ = (char)bytes[i];
		else
			to = put_hex(to, bytes[i]);
	}
	return to;
}

char *put_escaped_json(char *to, const __u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\\') {
			to = PUT(to, "\\\\\\\\");
		} else if (bytes[i] == '"') {
			to = PUT(to, "\\\"");
		} else if (bytes[i] >= 0x20 && bytes[i] <= 0x7e) {
			*to++ = (char)bytes[i];
		} else {
			*to++ = '\\';
			to = put_hex(to, bytes[i]);
		}
	}
	return to;
}
