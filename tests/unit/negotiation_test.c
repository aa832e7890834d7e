/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a client's negotiation of telnet options does to a gathered greeting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "play.h"
#include "telnet.h"

#define LENGTH 256

static void add_part(const struct event *event, void *context)
{
	char *said = context;
	const size_t at = strlen(said);

	if (event->part == PART_END)
		strcat(said, "|");
	else
		snprintf(said + at, TEXT_MAX - at, "%u:%.*s ", event->offset,
			 (int)event->kept, (const char *)event->bytes);
}

#define OPTION "\xff\xfd\x03"
#define ENVIRON                                                                \
	"\xff\xfa\x18\x01VT100\xff\xff\xff\xf0" /* with an escaped IAC */

/* What is gathered of a greeting around what its client says. */
struct negotiation {
	const char *name;
	struct step steps[STEPS_MAX];
	const char *said; /* parts by offset; "|": the end */
};

#define SAYS(from, flags, seq, ack, payload)                                   \
	{                                                                      \
		true, from, TCP_ACK | (flags), seq, ack, payload,              \
			sizeof(payload) - 1, DIRECTION_NONE                    \
	}
#define GREETS                                                                  \
	{ true, false, TCP_SYN, 0, 0, "", 0, DIRECTION_NONE },                  \
		{ true, true, TCP_SYN | TCP_ACK, 0, 1, "", 0, DIRECTION_NONE }, \
		SAYS(true, 0, 1, 1, "abc")

static const struct negotiation negotiations[] = {
	{ "goes on between two segments",
	  { GREETS, SAYS(false, 0, 1, 4, OPTION), SAYS(true, 0, 4, 4, "def"),
	    SAYS(false, 0, 4, 7, OPTION ENVIRON), SAYS(true, 0, 7, 20, "ghi") },
	  "0:abc 3:def 6:ghi " },
	{ "is sent again",
	  { GREETS, SAYS(false, 0, 1, 4, OPTION), SAYS(false, 0, 1, 4, OPTION),
	    SAYS(true, 0, 4, 4, "def") },
	  "0:abc 3:def " },
	{ "the client then speaks",
	  { GREETS, SAYS(false, 0, 1, 4, OPTION), SAYS(false, 0, 4, 4, "me"),
	    SAYS(true, 0, 4, 6, "def") },
	  "0:abc |" },
	{ "text follows in the same segment",
	  { GREETS, SAYS(false, 0, 1, 4, OPTION "m"),
	    SAYS(true, 0, 4, 5, "def") },
	  "0:abc |" },
	{ "it ends in a command",
	  { GREETS, SAYS(false, 0, 1, 4, "\xff\xfd"),
	    SAYS(true, 0, 4, 3, "def") },
	  "0:abc |" },
	{ "IAC twice is text",
	  { GREETS, SAYS(false, 0, 1, 4, "\xff\xff"),
	    SAYS(true, 0, 4, 3, "def") },
	  "0:abc |" },
	{ "no more of it than was seen is acknowledged",
	  { GREETS, SAYS(false, 0, 1, 4, OPTION), SAYS(true, 0, 4, 5, "def") },
	  "0:abc |" },
	{ "bytes before it were missed",
	  { GREETS, SAYS(false, 0, 4, 4, OPTION), SAYS(true, 0, 4, 7, "def") },
	  "0:abc |" },
	{ "the client closes with it",
	  { GREETS, SAYS(false, TCP_FIN, 1, 4, OPTION),
	    SAYS(true, 0, 4, 5, "def") },
	  "0:abc |" },
};

static void play_one(const struct negotiation *test, struct isns isns,
		     bool ipv6)
{
	char said[TEXT_MAX] = "";
	struct engine native;

	assert_true(engine_open(&native, 16, LENGTH, add_part, said));
	native.settings.track.need = NEED_NONE;
	native.settings.track.gather = LENGTH;
	for (int i = 0; i < STEPS_MAX && test->steps[i].used; i++) {
		struct test_packet packet;
		struct segment segment;
		struct bytes bytes;

		step_packet(&packet, &test->steps[i], isns, 40000, ipv6);
		packet_build(&bytes, &packet);
		play_packet(&native, bytes.data, bytes.len, bytes.len, false,
			    1000, &segment);
	}
	engine_close(&native);
	assert_string_equal(said, test->said);
}

static void test_negotiation(void **state)
{
	for (size_t i = 0; i < test_isns_count; i++) {
		play_one(*state, test_isns[i], false);
		play_one(*state, test_isns[i], true);
	}
}

/* Where the capture has cut a segment, nobody knows what follows. */
static void test_cut(void **state)
{
	static const struct step steps[] = {
		GREETS, SAYS(false, 0, 1, 4, OPTION OPTION),
		SAYS(true, 0, 4, 7, "def")
	};
	char said[TEXT_MAX] = "";
	struct engine native;

	(void)state;
	assert_true(engine_open(&native, 16, LENGTH, add_part, said));
	native.settings.track.need = NEED_NONE;
	native.settings.track.gather = LENGTH;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct test_packet packet;
		struct segment segment;
		struct bytes bytes;
		size_t len;
		__u8 *cut;

		step_packet(&packet, &steps[i], test_isns[0], 40000, false);
		packet_build(&bytes, &packet);
		len = bytes.len - (i == 3 ? 3 : 0);
		cut = malloc(len); /* so that a read beyond it is found */
		assert_non_null(cut);
		memcpy(cut, bytes.data, len);
		play_packet(&native, cut, len, bytes.len, false, 1000,
			    &segment);
		free(cut);
	}
	engine_close(&native);
	assert_string_equal(said, "0:abc |");
}

/* The longest that negotiates, and one byte more. */
static void test_bound(void **state)
{
	__u8 bytes[NEGOTIATION_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 2 ? 241 : TELNET_IAC; /* NOP */
	assert_true(telnet_negotiates(bytes, NEGOTIATION_MAX));
	assert_false(telnet_negotiates(bytes, NEGOTIATION_MAX - 1));
	assert_false(telnet_negotiates(bytes, NEGOTIATION_MAX + 2));
	assert_false(telnet_negotiates(bytes, 0));
}

static void test_commands_before_text(void **state)
{
	static const struct {
		const char *text;
		size_t len, commands;
		bool begins;
	} texts[] = {
#define TEXT(text, commands, begins)                                           \
	{ text, sizeof(text) - 1, commands, begins }
		TEXT("", 0, false),
		TEXT("login: ", 0, false),
		TEXT(OPTION "login: ", 3, true),
		TEXT(OPTION OPTION, 6, true),
		TEXT(OPTION ENVIRON "x", 16, true),
		TEXT(ENVIRON "x", 13, true),
		TEXT("\xff\xf1"
		     "x",
		     2, false),			  /* NOP */
		TEXT(OPTION "\xff\xff", 3, true), /* a byte of text */
		TEXT(OPTION "\xff\xfd", 5, true), /* cut */
		TEXT(OPTION "\xff\xfa\x18", 6, true),
#undef TEXT
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const __u8 *bytes = (const __u8 *)texts[i].text;

		assert_int_equal(telnet_commands(bytes, texts[i].len),
				 texts[i].commands);
		assert_int_equal(telnet_begins(bytes, texts[i].len),
				 texts[i].begins);
	}
}

int main(void)
{
	enum { COUNT = sizeof(negotiations) / sizeof(*negotiations) };
	struct CMUnitTest tests[COUNT + 3] = {
		cmocka_unit_test(test_bound), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_commands_before_text)
	};

	for (int i = 0; i < COUNT; i++)
		tests[i + 3] = (struct CMUnitTest){
			.name = negotiations[i].name,
			.test_func = test_negotiation,
			.initial_state = (void *)&negotiations[i],
		};
	return cmocka_run_group_tests_name("negotiation", tests, NULL, NULL);
}
