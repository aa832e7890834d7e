/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the keeper sends of a change is not relied on: any bytes are refused, or
 * become one line of plain ASCII that fits.
 */
#include "inventory/change_stream.h"
#include "sinks/format_change.h"

#include "chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 20000

static union {
	struct stream_change change;
	__u8 bytes[CHANGE_SIZE_MAX + 64];
} datagram;

static char line[LINE_MAX_BYTES];
static struct chance chance = { .state = 1 };

/* Lengths that are right add up to the size. */
static size_t fill(bool is_long)
{
	struct stream_change *change = &datagram.change;
	size_t size = sizeof(*change);

	for (size_t i = 0; i < sizeof(datagram); i++)
		datagram.bytes[i] = (__u8)below(&chance, 256);
	change->family = one_in(&chance, 2) ? 4 : 6;
	for (int side = 0; side < CHANGE_SIDES; side++) {
		for (int text = 0; text < CHANGE_TEXTS; text++) {
			const size_t most = change_text_max(text);

			change->len[side][text] =
				(__u16)(is_long ? most :
						  (size_t)below(&chance,
								(int)most + 1));
			size += change->len[side][text];
		}
	}
	change->tunnel_len = (__u16)below(&chance, CHANGE_TEXT_MAX + 1);
	return size + change->tunnel_len;
}

static void check_line(size_t len)
{
	assert_true(len > 1 && len <= sizeof(line));
	assert_int_equal(line[len - 1], '\n');
	for (size_t i = 0; i + 1 < len; i++)
		assert_true(line[i] >= ' ' && line[i] <= '~');
}

static void test_sound_ones_are_lines(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		const size_t size = fill(i == 0);

		assert_true(stream_change_is_sound(&datagram.change, size));
		check_line(format_change(FORMAT_TEXT, line, &datagram.change));
		check_line(format_change(FORMAT_JSON, line, &datagram.change));
		assert_int_equal(
			format_change(FORMAT_ZEEK, line, &datagram.change), 0);
	}
}

static void add(size_t *at, int side, int text, const char *said)
{
	const size_t len = strlen(said);

	datagram.change.len[side][text] = (__u16)len;
	memcpy(datagram.change.bytes + *at, said, len);
	*at += len;
}

/* Escaped once: by what sends the owner to the keeper. */
static void test_owners(void **state)
{
	static const char json[] =
		",\"old\":{\"banner\":\"hi\",\"owner\":\"a.service a\\\\x1b\"},"
		"\"new\":{\"owner\":\"\\\"\\\\x0a\"}}\n";
	static const char text[] = " 0.0.0.0:0 a.service a\\x1b -> \"\\x0a\n";
	size_t len = 0;

	(void)state;
	memset(&datagram, 0, sizeof(datagram));
	datagram.change.family = 4;
	datagram.change.kind = CHANGE_OWNER;
	datagram.change.is_there[CHANGE_OLD] = 1;
	add(&len, CHANGE_OLD, CHANGE_SAID, "hi");
	add(&len, CHANGE_OLD, CHANGE_OWNER_NAME, "a.service a\\x1b");
	add(&len, CHANGE_NEW_SIDE, CHANGE_OWNER_NAME, "\"\n");
	assert_true(stream_change_is_sound(&datagram.change,
					   sizeof(datagram.change) + len));
	len = format_change(FORMAT_JSON, line, &datagram.change);
	assert_memory_equal(line + len - strlen(json), json, strlen(json));
	len = format_change(FORMAT_TEXT, line, &datagram.change);
	assert_memory_equal(line + len - strlen(text), text, strlen(text));
}

static void test_others_are_refused(void **state)
{
	struct stream_change *change = &datagram.change;
	size_t size = fill(false);

	(void)state;
	for (size_t i = 0; i < sizeof(datagram); i++)
		assert_int_equal(stream_change_is_sound(change, i), i == size);
	change->family = 5;
	assert_false(stream_change_is_sound(change, size));
	change->family = 4;
	change->len[CHANGE_OLD][CHANGE_SERVICE] = CHANGE_TEXT_MAX + 1;
	for (size_t i = 0; i < sizeof(datagram); i++)
		assert_false(stream_change_is_sound(change, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_ones_are_lines),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
