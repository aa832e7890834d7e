/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pieces of a line, each against a slow way to write the same. What is read
 * is as long as it says, so that the sanitizer finds a byte read behind it.
 */
#include "sinks/community_id.h"
#include "sinks/format.h"
#include "sinks/format_parts.h"
#include "sinks/put.h"

#include "chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>

#define MOST 4096

static struct chance chance = { .state = 1 };

/* --- escapes ------------------------------------------------------------- */

static size_t escape_slowly(char *to, const __u8 *bytes, size_t len, bool json)
{
	char *const from = to;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\\')
			to += sprintf(to, json ? "\\\\\\\\" : "\\\\");
		else if (bytes[i] == '"' && json)
			to += sprintf(to, "\\\"");
		else if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			to += sprintf(to, json ? "\\\\x%02x" : "\\x%02x",
				      bytes[i]);
		else
			*to++ = (char)bytes[i];
	}
	return (size_t)(to - from);
}

/* Writes where no more room is than put.h asks for. */
static void check_escapes(const __u8 *bytes, size_t len)
{
	char *expected = malloc(5 * MOST + 8);
	__u8 *exact = malloc(len ? len : 1);

	if (len)
		memcpy(exact, bytes, len);
	for (int json = 0; json < 2; json++) {
		const size_t wanted = escape_slowly(expected, bytes, len, json);
		char *found = malloc(wanted + PUT_SPARE);
		const char *end = json ? put_escaped_json(found, exact, len) :
					 put_escaped(found, exact, len);

		assert_int_equal(end - found, wanted);
		assert_memory_equal(found, expected, wanted);
		free(found);
	}
	free(exact);
	free(expected);
}

/* Sixteen bytes are looked at together: each byte at each place of them. */
static void test_each_byte_at_each_place(void **state)
{
	__u8 bytes[40];

	(void)state;
	for (int value = 0; value < 256; value++) {
		for (size_t at = 0; at < sizeof(bytes); at++) {
			memset(bytes, 'a', sizeof(bytes));
			bytes[at] = (__u8)value;
			check_escapes(bytes, sizeof(bytes));
			check_escapes(bytes, at + 1);
		}
	}
}

/* With a line's end behind it, and with a half of one. */
static void check_lines(const __u8 *bytes, size_t len)
{
	__u8 line[MOST];

	check_escapes(bytes, len);
	memcpy(line, bytes, len);
	memcpy(line + len, "\r\n", 2);
	check_escapes(line, len + 2);
	check_escapes(line, len + 1);
	line[len] = '\n';
	check_escapes(line, len + 1);
	check_escapes(line, len + 2);
}

static void test_each_length(void **state)
{
	__u8 clean[70], dirty[70], mixed[70];

	(void)state;
	memset(clean, '~', sizeof(clean));
	memset(dirty, 0xff, sizeof(dirty));
	for (size_t i = 0; i < sizeof(mixed); i++)
		mixed[i] = i % 17 ? (__u8)('a' + i % 26) : '\\';
	for (size_t len = 0; len <= sizeof(clean); len++) {
		check_lines(clean, len);
		check_lines(dirty, len);
		check_lines(mixed, len);
		check_lines(mixed + 70 - len, len);
	}
}

/* Of all bytes, of few that need an escape, and of one. */
static void test_as_many_bytes_as_there_can_be(void **state)
{
	static const char *const texts[] = { "\xc0\x80 \xed\xa0\x80\xff\xfe",
					     "a\"b\\c\r\n", "\\", "\"", " " };
	__u8 bytes[MOST] = {};

	(void)state;
	check_escapes(bytes, MOST);
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < MOST; i++)
			bytes[i] = (__u8)below(&chance, 256);
		check_escapes(bytes, (size_t)below(&chance, MOST + 1));
	}
	for (size_t text = 0; text < sizeof(texts) / sizeof(*texts); text++) {
		const size_t len = strlen(texts[text]);

		for (size_t i = 0; i < MOST; i++)
			bytes[i] = (__u8)texts[text][i % len];
		check_escapes(bytes, MOST);
	}
}

/* --- numbers, times ------------------------------------------------------ */

static void check_number(__u64 value)
{
	char found[24 + PUT_SPARE], expected[24];

	*put_number(found, value) = '\0';
	snprintf(expected, sizeof(expected), "%llu", value);
	assert_string_equal(found, expected);
}

static void test_numbers(void **state)
{
	__u64 power = 1;

	(void)state;
	for (__u64 value = 0; value < 100000; value++)
		check_number(value);
	for (int i = 0; i < 20; i++, power *= 10) {
		for (__u64 near = power - 1; near <= power + 1; near++)
			check_number(near);
	}
	check_number(~0ULL);
}

static void test_base_62(void **state)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";
	char found[11];

	(void)state;
	for (int round = 0; round < 100000; round++) {
		__u64 value = round < 4000 ? (__u64)round :
			      round < 8000 ? ~(__u64)round :
					     draw(&chance);

		assert_ptr_equal(put_base_62(found, value), found + 11);
		for (int i = 0; i < 11; i++, value /= 62)
			assert_int_equal(found[i], digits[value % 62]);
	}
}

/* Also after 2038, and after 2106, when 32 bits are too few. */
static const __u64 times[] = {
	0,
	999,
	1000,
	1999999999,
	2000000000,
	1795434834048122999,
	2000000000,
	2147483648 * NS_PER_SECOND - 1,
	2147483648 * NS_PER_SECOND,
	4294967296 * NS_PER_SECOND - 1,
	4294967296 * NS_PER_SECOND,
	4294967296 * NS_PER_SECOND + 123456789,
	~0ULL,
};

static void test_times(void **state)
{
	char found[64], expected[64];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		*put_timestamp(found, times[i]) = '\0';
		snprintf(expected, sizeof(expected), "%llu.%06llu",
			 times[i] / NS_PER_SECOND,
			 times[i] % NS_PER_SECOND / 1000);
		assert_string_equal(found, expected);
	}
}

static void test_microseconds(void **state)
{
	char found[8 + PUT_SPARE], expected[16];

	(void)state;
	for (__u32 value = 0; value < 1000000; value += 1 + value % 7) {
		*put_microseconds(found, value * 1000ULL + 999) = '\0';
		snprintf(expected, sizeof(expected), ".%06u", value);
		assert_string_equal(found, expected);
	}
}

static void test_local_times(void **state)
{
	char found[64], expected[64];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		const time_t second = (time_t)(times[i] / NS_PER_SECOND);
		struct tm calendar;
		size_t len;

		localtime_r(&second, &calendar);
		len = strftime(expected, sizeof(expected), "%F %T", &calendar);
		snprintf(expected + len, sizeof(expected) - len, ".%06llu",
			 times[i] % NS_PER_SECOND / 1000);
		*put_local_time(found, times[i]) = '\0';
		assert_string_equal(found, expected);
	}
}

/* --- connections --------------------------------------------------------- */

static void check_address(int family, const __u32 address[4])
{
	char *found = malloc(INET6_ADDRSTRLEN + PUT_SPARE);
	char expected[INET6_ADDRSTRLEN];

	*put_address(found, family == AF_INET ? 4 : 6, address) = '\0';
	inet_ntop(family, address, expected, sizeof(expected));
	assert_string_equal(found, expected);
	free(found);
}

/* IPv6: each choice of groups that are 0, and groups of each length. */
static void test_addresses(void **state)
{
	static const __u16 masks[] = { 0xffff, 0xfff, 0xff, 0xf };
	__u16 groups[8];
	__u32 address[4];

	(void)state;
	for (int round = 0; round < 256 * 64; round++) {
		for (int i = 0; i < 8; i++) {
			const __u16 some = masks[below(&chance, 4)];

			groups[i] = round >> i & 1 ?
					    htons((draw(&chance) & some) | 1) :
					    0;
			if (one_in(&chance, 8) && groups[i])
				groups[i] = 0xffff;
		}
		memcpy(address, groups, sizeof(address));
		check_address(AF_INET6, address);
		address[0] = (__u32)draw(&chance);
		check_address(AF_INET, address);
	}
}

static void add_end(struct sha1_ctx *sha1, const __u32 *address, size_t size)
{
	sha1_update(sha1, size, (const uint8_t *)address);
}

/* Digests the parts one after the other, as the specification has them. */
static void identify_slowly(char text[COMMUNITY_ID_LENGTH],
			    const struct event *event)
{
	const size_t size = event->family == 6 ? 16 : 4;
	const __u16 server = htons(event->server_port);
	const __u16 client = htons(event->client_port);
	int order = memcmp(event->client, event->server, size);
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha1;
	bool swap;

	if (!order)
		order = memcmp(&client, &server, sizeof(client));
	swap = order > 0;
	sha1_init(&sha1);
	sha1_update(&sha1, 2, (const uint8_t *)"\0");
	add_end(&sha1, swap ? event->server : event->client, size);
	add_end(&sha1, swap ? event->client : event->server, size);
	sha1_update(&sha1, 2, (const uint8_t *)"\6");
	sha1_update(&sha1, 2, (const uint8_t *)(swap ? &server : &client));
	sha1_update(&sha1, 2, (const uint8_t *)(swap ? &client : &server));
	sha1_digest(&sha1, sizeof(digest), digest);
	memcpy(text, "1:", 2);
	base64_encode_raw(text + 2, sizeof(digest), digest);
}

static void check_community_id(const struct event *event)
{
	char found[COMMUNITY_ID_LENGTH + PUT_SPARE];
	char expected[COMMUNITY_ID_LENGTH];
	struct community_digest digest;

	community_digest(&digest, event);
	assert_ptr_equal(put_community_id(found, &digest),
			 found + COMMUNITY_ID_LENGTH);
	identify_slowly(expected, event);
	assert_memory_equal(found, expected, COMMUNITY_ID_LENGTH);
}

/* Also between ends of which only the last bytes differ, or only the ports. */
static void test_community_ids(void **state)
{
	struct event event = {};

	(void)state;
	for (int round = 0; round < 20000; round++) {
		event.family = one_in(&chance, 2) ? 4 : 6;
		for (int i = 0; i < 4; i++) {
			event.server[i] = (__u32)draw(&chance);
			event.client[i] = one_in(&chance, 2) ?
						  event.server[i] :
						  (__u32)draw(&chance);
		}
		event.server_port = (__u16)draw(&chance);
		event.client_port = one_in(&chance, 4) ? event.server_port :
							 (__u16)draw(&chance);
		check_community_id(&event);
	}
}

static void check_mac(const __u8 server[MAC_LENGTH],
		      const __u8 client[MAC_LENGTH])
{
	static char line[LINE_MAX_BYTES];
	const struct source source = { .name = "eth0" };
	struct event event = { .family = 4 };
	char expected[128];
	size_t len;

	memcpy(event.server_mac, server, MAC_LENGTH);
	memcpy(event.client_mac, client, MAC_LENGTH);
	len = (size_t)snprintf(
		expected, sizeof(expected),
		"\"server_mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\","
		"\"client_mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",",
		server[0], server[1], server[2], server[3], server[4],
		server[5], client[0], client[1], client[2], client[3],
		client[4], client[5]);
	assert_non_null(
		memmem(line, format_record(FORMAT_JSON, line, &event, &source),
		       expected, len));
}

static void test_link_layer_addresses(void **state)
{
	__u8 bytes[256 + 2 * MAC_LENGTH];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (__u8)i;
	for (int i = 0; i < 256; i++)
		check_mac(bytes + i, bytes + i + MAC_LENGTH);
}

/* --- names --------------------------------------------------------------- */

static void check_name(const char *name)
{
	static const char key[] = ",\"iface\":\"";
	static char line[LINE_MAX_BYTES], expected[1024];
	const struct event event = { .family = 4 };
	const struct source source = { .name = name };
	const size_t len =
		escape_slowly(expected, (const __u8 *)name, strlen(name), true);
	const size_t size = format_record(FORMAT_JSON, line, &event, &source);
	const char *found = memmem(line, size, key, strlen(key));

	assert_non_null(found);
	assert_memory_equal(found + strlen(key), expected, len);
	assert_int_equal(found[strlen(key) + len], '"');
}

/* A name is remembered: of each length, after itself and after another one. */
static void test_names(void **state)
{
	char plain[130] = "", escaped[130] = "";

	(void)state;
	for (size_t len = 0; len < sizeof(plain); len++) {
		memset(plain, 'a', len);
		memset(escaped, '"', len);
		check_name(plain);
		check_name(plain);
		check_name(escaped);
		check_name(escaped);
		check_name("eth0");
		check_name("eth1");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte_at_each_place),
		cmocka_unit_test(test_each_length),
		cmocka_unit_test(test_as_many_bytes_as_there_can_be),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_base_62),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_microseconds),
		cmocka_unit_test(test_local_times),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_community_ids),
		cmocka_unit_test(test_link_layer_addresses),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
