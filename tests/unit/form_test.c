/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests of forms: wild parts of greetings, by structure and by learning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/learn.h"
#include "inventory/looks.h"
#include "inventory/match.h"
#include "inventory/skeleton.h"
#include "inventory/structure.h"
#include "inventory/times.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
/* 2026-09-21 14:13:20 UTC, a Monday */
#define NOW 1790000000000000ULL

static char text[FORM_TEXT_MAX];

static void make(struct form *form, const char *said, size_t len, uint16_t port)
{
	const struct observation seen = {
		.time = NOW,
		.server_port = port,
		.client_port = 50123,
		.client = { 4, { 198, 51, 100, 7 } },
		.bytes = (const uint8_t *)said,
		.len = len,
		.complete = true,
	};

	structure_form(form, &seen);
	form_to_text(form, text);
}

/* --- as text ----------------------------------------------------------- */

static void test_text_is_read_back(void **state)
{
	static const char *const texts[] = {
		"",
		"a",
		"\\\\",
		"\\x00\\xff\\x0d\\x0a",
		"\\{time}",
		"SSH \\{number}-\\{hex} x\\{bytes:16}\\x00",
		"\\{bytes:1}",
	};
	struct form form;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(form_from_text(&form, texts[i], strlen(texts[i])));
		form_to_text(&form, text);
		assert_string_equal(text, texts[i]);
	}
}

static void test_text_that_is_none(void **state)
{
	static const char *const texts[] = {
		"\\",
		"\\q",
		"\\x0",
		"\\x0G",
		"\\{time",
		"\\{nothing}",
		"\\{}",
		"\x1b",
		"\\{bytes:}",
		"\\{bytes:0}",
		"\\{bytes:99999}",
		"\\{bytes:x}",
		"\xc3\xa4",
	};
	struct form form;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(form_from_text(&form, texts[i], strlen(texts[i])));
}

/* --- times ------------------------------------------------------------- */

static void check_times_of_now(const char *const *now, size_t count)
{
	size_t end;

	for (size_t i = 0; i < count; i++) {
		print_message("# %s\n", now[i]);
		assert_int_equal(time_at((const uint8_t *)now[i],
					 strlen(now[i]), 0, NOW, &end),
				 TIME_NOW);
		assert_int_equal(end, strlen(now[i]));
	}
}

static void test_times(void **state)
{
	static const char *const now[] = {
		"Mon, 21 Sep 2026 14:13:20 +0000",
		"Mon, 21 Sep 2026 14:13:20 +0000 (UTC)",
		"Mon Sep 21 14:13:20 2026",
		"Mon Sep 21 14:13:20 CEST 2026",
		"Monday, 21-Sep-26 14:13:20 GMT",
		"21-Sep-2026 14:13:20 +0200",
		"21 September 2026",
		"September 21, 2026 2:13:20 PM",
		"Sep 21st, 2026 at 14:13",
		"2026-09-21T14:13:20Z",
		"2026-09-21T14:13:20.123456+02:00",
		"2026-09-21 14:13:20",
		"2026/09/21 14:13",
		"20260921T141320Z",
		"20260921141320",
		"09/21/2026 02:13:20 PM",
		"21.09.2026 14:13:20",
		"21.9.2026",
		"26-09-21 14:13:20",
		"Sep 21 14:13:20",
		"14:13:20",
		"2:13 pm",
		"14:13",
		"1790000000",
		"1790000000.123",
		"1790000000123",
		"1790000000123456",
		"Monday",
		/* As date(1) writes it in other languages, and in full. */
		"Mo 21. Sep 14:13:20 CEST 2026",
		"Montag, 21. September 2026 um 14:13:20",
		"lun. 21 sept. 2026 14:13:20 CEST",
		"lundi 21 septembre 2026 14:13",
		"lun 21 sep 2026 14:13:20 CEST",
		"lunes, 21 de septiembre de 2026 14:13:20",
		"lun 21 set 2026, 14:13:20, CEST",
		"seg 21 set 2026 14:13:20 WEST",
		"21 de setembro de 2026",
		"ma 21 sep 2026 14:13:20 CEST",
		/* Tuesday or March: tomorrow is near, too. */
		"mar. 22 sept. 2026 14:13:20",
		"mar, 22 sep 2026 14:13:20",
	};

	(void)state;
	check_times_of_now(now, COUNT(now));
}

static void test_days_of_the_year_and_russian_times(void **state)
{
	static const char *const now[] = {
		/* The day of the year. */
		"2026-264",
		"2026264",
		"2026-264T14:13:20Z",
		"2026-265 14:13:20",
		/* Russian, in UTF-8, */
		"\xd0\x9f\xd0\xbd 21 \xd1\x81\xd0\xb5\xd0\xbd 2026 14:13:20",
		"\xd0\x9f\xd0\xbd. \xd1\x81\xd0\xb5\xd0\xbd\xd1\x82. 21 "
		"14:13:20 "
		"MSK 2026",
		"21 "
		"\xd1\x81\xd0\xb5\xd0\xbd\xd1\x82\xd1\x8f\xd0\xb1\xd1\x80\xd1"
		"\x8f 2026 \xd0\xb3. 14:13:20",
		"21 "
		"\xd0\xa1\xd0\x95\xd0\x9d\xd0\xa2\xd0\xaf\xd0\x91\xd0\xa0\xd0"
		"\xaf 2026 \xd0\xb2 14:13",
		"\xd0\xbf\xd0\xbe\xd0\xbd\xd0\xb5\xd0\xb4\xd0\xb5\xd0\xbb\xd1"
		"\x8c"
		"\xd0\xbd\xd0\xb8\xd0\xba, 21 "
		"\xd1\x81\xd0\xb5\xd0\xbd\xd1\x82\xd1"
		"\x8f\xd0\xb1\xd1\x80\xd1\x8f 2026",
		/* in KOI8-R, and in Windows-1251. */
		"\xf0\xce 21 \xd3\xc5\xce 2026 14:13:20",
		"21 \xd3\xc5\xce\xd4\xd1\xc2\xd2\xd1 2026 \xc7. 14:13:20",
		"\xcf\xed 21 \xf1\xe5\xed 2026 14:13:20",
		"21 \xf1\xe5\xed\xf2\xff\xe1\xf0\xff 2026 \xe3., 14:13:20",
	};

	(void)state;
	check_times_of_now(now, COUNT(now));
}

/* In Chinese, Japanese and Korean a mark follows each number. */
static void test_marked_times(void **state)
{
	static const char *const now[] = {
		"2026\xe5\xb9\xb4"
		"9\xe6\x9c\x88"
		"21\xe6\x97\xa5 14\xe6\x99\x82"
		"13\xe5\x88\x86"
		"20\xe7\xa7\x92",
		"2026\xeb\x85\x84 9\xec\x9b\x94 21\xec\x9d\xbc "
		"14\xec\x8b\x9c 13\xeb\xb6\x84",
		/* In EUC-KR, Shift JIS, EUC-JP, GBK and Big5 */
		"2026\xb3\xe2 9\xbf\xf9 21\xc0\xcf 14\xbd\xc3 13\xba\xd0",
		"2026\x94N9\x8c\x8e"
		"21\x93\xfa 14\x8e\x9e"
		"13\x95\xaa"
		"20\x95"
		"b",
		"2026\xc7\xaf"
		"9\xb7\xee"
		"21\xc6\xfc",
		"2026\xc4\xea"
		"9\xd4\xc2"
		"21\xc8\xd5 14\xca\xb1"
		"13\xb7\xd6",
		"2026\xa6~9\xa4\xeb"
		"21\xa4\xe9",
	};
	size_t end;

	(void)state;
	for (size_t i = 0; i < COUNT(now); i++) {
		assert_int_equal(time_at((const uint8_t *)now[i],
					 strlen(now[i]), 0, NOW, &end),
				 TIME_NOW);
		assert_int_equal(end, strlen(now[i]));
	}
	assert_int_equal(time_at((const uint8_t *)"2001\xe5\xb9\xb4"
						  "12\xe6\x9c\x88"
						  "3\xe6\x97\xa5",
				 16, 0, NOW, &end),
			 TIME_OTHER);
	assert_int_equal(
		time_at((const uint8_t *)"13\xe6\x9c\x88", 5, 0, NOW, &end),
		TIME_NONE);
}

static void test_rarer_times(void **state)
{
	static const char *const now[] = {
		"21SEP26",
		"21Sep2026 1413Z",
		"2026-W39-1",
		"2026-W39-2",
		"2026.264 14.13.20",
		"14.13.20 21-09-2026",
		"21.09.2026 14.13.20",
		"2026-09-21,141320",
		"20260921_141320",
		"210926 14:13:20",
		"260921141320",
		"21/09/2026 \xc3\xa0 14h13",
		"September 21, 2026 2:13 p.m.",
		"2:13 a.m. September 21, 2026",
		"pon, 21 wrz 2026, 14:13:20 CEST",
		"\xc5\x9bro, 23 wrz 2026, 14:13:20",
		"m\xc3\xa5n 21 sep 2026 14:13:20 CEST",
		"man 21 sep 14:13:20 CEST 2026",
		"Po 21. z\xc3\xa1\xc5\x99\xc3\xad 2026, 14:13:20",
		"\xc3\x9at 22. z\xc3\xa1\xc5\x99 2026, 14:13:20 CEST",
		"21 Eyl 2026 Pts 14:13:20",
		"ma 21.9.2026 14.13.20",
		"2026. 09. 21. (\xec\x9b\x94) 14:13:20 KST",
		"2026\xe5\xb9\xb4  9\xe6\x9c\x88 21\xe6\x97\xa5 "
		"\xe6\x9c\x88\xe6\x9b\x9c\xe6\x97\xa5 14:13:20 JST",
		"2026\xe5\xb9\xb4 09\xe6\x9c\x88 21\xe6\x97\xa5 "
		"\xe6\x98\x9f\xe6\x9c\x9f\xe4\xb8\x80 14:13:20",
		"2026\xeb\x85\x84 9\xec\x9b\x94 21\xec\x9d\xbc (\xec\x9b\x94) "
		"\xec\x98\xa4\xed\x9b\x84 2:13:20",
		"21/Sep/2026:14:13:20 +0000",
		"21.09.26 14:13:20",
		"21.09.26, 14:13",
		"21.09.26 um 14:13",
		"21.09.26-14:13",
		"21.09.26 klo 14.13",
		"21.09.26 10.13.20",
		"10.13.20 21.09.26",
		"26/09/21. 14.13.20",
		"260921141320S",
		"21.09.2026, 15.13",
		"21 September 2026 om 16.13",
		"21. syyskuuta 2026 klo 16.13",
		"21.9.2026 v 15.13",
		"2026. szeptember 21., 15.13",
		"21.9.2026 15.13",
		"21/09/2026 15.13",
		"21. 9. 2026 v 15.13",
		"9.21.2026 3.13 PM",
		"21.9.2026, v 15.13",
		"21/09/2026, \xc3\xa0s 11h13min20s",
		"21/09/2026 11h13m20",
	};

	(void)state;
	check_times_of_now(now, COUNT(now));
}

/* A day of one digit: the form must not depend on the day. */
static void test_short_days(void **state)
{
	static const char *const now[] = { "26.10.1 14:13", "1.10.26 9:13",
					   "26/10/1. 14.13.20",
					   "2026. 10. 1. 9:13" };
	const uint64_t october = NOW + 10 * 86400000000ULL;
	size_t end;

	(void)state;
	for (size_t i = 0; i < COUNT(now); i++) {
		print_message("# %s\n", now[i]);
		assert_int_equal(time_at((const uint8_t *)now[i],
					 strlen(now[i]), 0, october, &end),
				 TIME_NOW);
		assert_int_equal(end, strlen(now[i]));
	}
	time_at((const uint8_t *)"26.10.1 x", 9, 0, october, &end);
	assert_int_equal(end, 0);
}

static void test_what_is_no_rarer_time(void **state)
{
	static const struct {
		const char *said;
		enum spelled_time found;
	} others[] = {
		{ "14.13.20", TIME_NONE },
		{ "14.13.20 5.3.2024", TIME_NONE },
		{ "14.13.20 1.2.3", TIME_NONE },
		{ "14.13.20 2.0.10", TIME_NONE },
		{ "14h13 31.40.99", TIME_NONE },
		{ "14h13", TIME_NONE },
		{ "210926", TIME_NONE },
		{ "210926 go", TIME_NONE },
		{ "2026.264", TIME_NONE },
		{ "2026-W12-1", TIME_NONE },
		{ "12DEC2014", TIME_OTHER },
		{ "12 gru 2014", TIME_OTHER },
		{ "gru 21 2026", TIME_NONE },
		{ "Pro 21", TIME_NONE },
		{ "Tor 0.4.7", TIME_NONE },
		{ "21SEP", TIME_NONE },
		{ "2026. 13. 21.", TIME_NONE },
		{ "141320", TIME_NONE },
		{ "21.09.26", TIME_NONE },
		{ "5.3.24 14:13", TIME_NONE },
		{ "15.13", TIME_NONE },
		{ "260921141320X", TIME_NONE },
		{ "260921141320SU", TIME_NONE },
		{ "2026. build 21.", TIME_NONE },
		{ "11h13min20s", TIME_NONE },
	};
	static const char *const releases[] = {
		"2026-09-21 10.11",
		"21 Sep 2026 v 10.11",
		"Sep 21 2026, 10.11",
		"2026.09.21 10.11",
	};
	size_t end;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		print_message("# %s\n", others[i].said);
		assert_int_equal(time_at((const uint8_t *)others[i].said,
					 strlen(others[i].said), 0, NOW, &end),
				 others[i].found);
	}
	/* A release, behind its day */
	for (size_t i = 0; i < COUNT(releases); i++) {
		print_message("# %s\n", releases[i]);
		time_at((const uint8_t *)releases[i], strlen(releases[i]), 0,
			NOW, &end);
		assert_true(end < strlen(releases[i]) - strlen("10.11"));
	}
	/* Within a date only a weekday is passed over. */
	time_at((const uint8_t *)"21 Sep 2026 Tor 0.4", 19, 0, NOW, &end);
	assert_int_equal(end, strlen("21 Sep 2026"));
}

static void test_what_is_no_time_of_now(void **state)
{
	static const struct {
		const char *said;
		enum spelled_time found;
	} others[] = {
		{ "Mon Dec 3 15:26:19 EST 2001", TIME_OTHER },
		{ "Thu Jan  1 00:00:42 1970", TIME_OTHER },
		{ "12-Mar-09", TIME_OTHER },
		{ "2019-03-05 10:00:00", TIME_OTHER },
		{ "5.3.2024", TIME_NONE },
		{ "20230316", TIME_NONE },
		{ "2.3.7", TIME_NONE },
		{ "192.0.2.10", TIME_NONE },
		{ "Sun", TIME_NONE },
		{ "May", TIME_NONE },
		{ "Mars", TIME_NONE },
		{ "doc 3 2001", TIME_NONE },
		{ "dec 3 2001", TIME_OTHER },
		{ "do 21", TIME_NONE },
		{ "so 14:13:20", TIME_NONE },
		{ "ago 14:13:20", TIME_NONE },
		{ "d\xc3\xa9"
		  "c. 3 2001",
		  TIME_OTHER },
		{ "3 f\xe9vr. 2001", TIME_OTHER },
		{ "2 de marzo de 2001", TIME_OTHER },
		{ "mi\xc3\xa9 2 ago 2001", TIME_OTHER },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9 2 2001", TIME_NONE },
		{ "2026", TIME_NONE },
		{ "21", TIME_NONE },
		{ "1:2", TIME_NONE },
		{ "25:61:00", TIME_NONE },
		{ "00:11:22:33:44:55", TIME_NONE },
		{ "1690000000", TIME_NONE },
		{ "2026-263-1", TIME_NONE },
		{ "2026-331", TIME_NONE },
		{ "2026-331 14:13:20", TIME_OTHER },
		{ "2026-000", TIME_NONE },
		{ "2026-2640", TIME_NONE },
		{ "2026264.1", TIME_NONE },
		{ "21 \xd0\xbc\xd0\xb0\xd1\x8f 2001", TIME_OTHER },
		{ "21 \xd0\xbc\xd0\xb0\xd1\x8f\xd0\xba 2026", TIME_NONE },
		{ "\xd0\x9f\xd0\xbd", TIME_NONE },
		{ "\xd0", TIME_NONE },
		{ "21 \xd1\x81\xd0\xb5\xd0", TIME_NONE },
	};
	size_t end;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(time_at((const uint8_t *)others[i].said,
					 strlen(others[i].said), 0, NOW, &end),
				 others[i].found);
}

/* --- versions ---------------------------------------------------------- */

static bool looks(const char *said, const char *part, enum looks_version least)
{
	uint8_t version[FORM_MAX];
	struct form form;
	const char *at = strstr(said, part);

	assert_non_null(at);
	assert_true(form_from_text(&form, said, strlen(said)));
	looks_mark_versions(&form, version);
	for (size_t i = 0; i < strlen(part); i++) {
		if (version[(size_t)(at - said) + i] < (int)least)
			return false;
	}
	return true;
}

static bool has_version(const char *said, const char *part)
{
	return looks(said, part, LOOKS_DECIMAL);
}

/* A word and a tab before a number */
static void test_version_behind_tab(void **state)
{
	static const char said[] = "version\t1.10 x\n";
	uint8_t version[FORM_MAX];
	struct form form;

	(void)state;
	make(&form, said, sizeof(said) - 1, 23);
	looks_mark_versions(&form, version);
	assert_int_equal(version[strlen("version\t")], LOOKS_VERSION);
}

/* What may be a measured value, and is wild if it always differs. */
static void test_decimals(void **state)
{
	(void)state;
	assert_false(looks("load: 0.52 x", "0.52", LOOKS_VERSION));
	assert_false(looks("[0.52, 40.5 KB", "40.5", LOOKS_VERSION));
	assert_false(looks("temp=36.6C x", "36.6C", LOOKS_VERSION));
	assert_true(looks("load: 0.52 x", "0.52", LOOKS_DECIMAL));
	assert_false(looks("user 100.436688 x", "100.436688", LOOKS_VERSION));
	assert_false(looks("up\\x0a86000.82 x", "86000.82", LOOKS_VERSION));
	/* With a unit it is measured. */
	assert_false(looks("UPS 216.0V x", "216.0", LOOKS_DECIMAL));
	assert_false(looks("disk 40.5% of 9", "40.5", LOOKS_DECIMAL));
	assert_false(looks("disk 1.2 GB of 9", "1.2", LOOKS_DECIMAL));
	assert_false(looks("used:43.67MiB x", "43.67", LOOKS_DECIMAL));
	assert_false(looks("S S   123.55 g\\x0d", "123.55", LOOKS_DECIMAL));
	assert_false(looks("1(001234.567*kWh)", "001234.567", LOOKS_DECIMAL));
	assert_false(looks("36.758,40 kg", "36.758", LOOKS_DECIMAL));
	assert_true(looks("Foo 36.75,40 x", "36.75", LOOKS_VERSION));
	assert_true(looks("Foo 4.96 game", "4.96", LOOKS_VERSION));
	assert_false(looks("VAL=\"13.29\" x", "13.29", LOOKS_VERSION));
	assert_true(looks("version=\"13.29\" x", "13.29", LOOKS_VERSION));
	assert_true(looks("<version>1.10</x", "1.10", LOOKS_VERSION));
	/* Behind a name it may be a version nevertheless. */
	assert_true(looks("Foo 2.4g x", "2.4g", LOOKS_DECIMAL));
	assert_true(looks("Foo 1.2v x", "1.2v", LOOKS_DECIMAL));
	assert_true(looks("Foo 6.4 US x", "6.4", LOOKS_DECIMAL));
	assert_false(looks("Foo 6.4 us x", "6.4", LOOKS_DECIMAL));
	assert_true(looks("Foo 6.4 g x", "6.4", LOOKS_DECIMAL));
	assert_true(looks("Foo 12.04 V x", "12.04", LOOKS_DECIMAL));
	assert_false(looks("Foo: 12.04 V x", "12.04", LOOKS_DECIMAL));
	assert_false(looks("Foo 12.04 GB x", "12.04", LOOKS_DECIMAL));
	assert_false(looks("Foo: 2.4g x", "2.4", LOOKS_DECIMAL));
	assert_false(looks("Foo 124.5g x", "124.5", LOOKS_DECIMAL));
	assert_false(looks("cpu 0.38 0.63 x", "0.38", LOOKS_VERSION));
	assert_false(looks("cpu 0.38 0.63 x", "0.63", LOOKS_VERSION));
	assert_false(looks("min/max: 0/0.81/310 x", "0.81", LOOKS_VERSION));
	assert_false(looks("min/max: 0/0.81/310 x", "310", LOOKS_DECIMAL));
	assert_true(looks("Foo 4.96b x", "4.96b", LOOKS_VERSION));
	assert_true(looks("Foo 1.2 vacation", "1.2", LOOKS_VERSION));
	assert_true(looks("Foo/0.81/310 x", "0.81", LOOKS_VERSION));
	assert_false(looks("Foo 1.2 on x", "on", LOOKS_RELEASE));
	assert_true(looks("Exim 4.96 #2", "4.96", LOOKS_VERSION));
	assert_true(looks("Foo/4.96 #2", "4.96", LOOKS_VERSION));
	assert_true(looks("Foo (4.96)", "4.96", LOOKS_VERSION));
	assert_true(looks("4.96 x", "4.96", LOOKS_VERSION));
	assert_true(looks("load: 0.5.2 x", "0.5.2", LOOKS_VERSION));
	assert_true(looks("is: 9.2p1 x", "9.2p1", LOOKS_VERSION));
	assert_true(looks("version: 4.96 x", "4.96", LOOKS_VERSION));
	assert_true(looks("x, 4.96+deb12u3", "4.96+deb12u3", LOOKS_VERSION));
}

static void test_versions(void **state)
{
	(void)state;
	assert_true(has_version("SSH-2.0-OpenSSH_9.2p1 x", "OpenSSH_9.2p1"));
	assert_true(has_version("Exim 4.96 #2", "4.96"));
	assert_true(has_version("Sendmail 8.17.1.9/8.17.1.9/Debian-2; x",
				"Debian-2"));
	assert_true(has_version("INN 2.7.1 (x)", "2.7.1"));
	assert_true(has_version("x 1.2-0+deb12u3 y", "0+deb12u3"));
	assert_true(has_version("kernel-5.el8 x", "kernel-5.el8"));
	assert_true(has_version("FreeBSD-20230316 x", "FreeBSD-20230316"));
	assert_true(has_version("Version 5 x", "5"));
	assert_true(has_version("build: 8f3a2b1 x", "8f3a2b1"));
	assert_true(has_version("game v5 x", "v5"));
	assert_true(has_version("FTP CS V2R4 at h", "V2R4"));
	assert_true(has_version("(PowerMTA v5r7)", "v5r7"));
	assert_true(has_version("HP-UX h B.11.31 U", "B.11.31"));
	assert_true(has_version("POP3 h v2007e.104 x", "v2007e.104"));
	assert_true(has_version("POP3 Server 10.2.0.2 x", "10.2.0.2"));
	assert_true(has_version("\"git_commit\":\"5e1a4b4\"", "5e1a4b4"));
	assert_false(has_version("ready at 10.2.0.2 x", "10.2.0.2"));
	assert_false(has_version("220 10.2.0.2 x", "10.2.0.2"));
	assert_false(has_version("id 12345 x", "12345"));
	assert_false(has_version("at 192.168.1.7 x", "192.168.1.7"));
	/* RFC 5321 writes an address so, whatever its range is. */
	assert_false(has_version("220 [52.1.27.93] x", "52.1.27.93"));
	assert_true(has_version("220 [52.1.27] x", "52.1.27"));
	assert_true(has_version("220 (8.17.1.9) x", "8.17.1.9"));
	assert_false(has_version("<1896.697170952@h>", "1896.697170952"));
	assert_false(has_version("a fc958a1e842fa0 x", "fc958a1e842fa0"));
	assert_false(has_version("m12si27512845e9.45 x", "m12si27512845e9.45"));
}

/* --- by structure ------------------------------------------------------ */

struct structured {
	const char *said, *stable;
	uint16_t port;
};

static void check_structured(const struct structured *greetings, size_t count)
{
	struct form form;

	for (size_t i = 0; i < count; i++) {
		make(&form, greetings[i].said, strlen(greetings[i].said),
		     greetings[i].port);
		assert_string_equal(text, greetings[i].stable);
	}
}

static void test_structure(void **state)
{
	static const struct structured greetings[] = {
		{ "220 h ESMTP Exim 4.96 Mon, 21 Sep 2026 14:13:20 +0000\r\n",
		  "220 h ESMTP Exim 4.96 \\{time}\\x0d\\x0a", 25 },
		{ "+OK POP3 ready <1896.697170952@h>\r\n",
		  "+OK POP3 ready <\\{id}@h>\\x0d\\x0a", 110 },
		{ "220 You are user number 5 of 50 allowed.\r\n",
		  "220 You are user number \\{counter} of 50 "
		  "allowed.\\x0d\\x0a",
		  21 },
		{ "SSH-2.0-x_1.2\r\n\1\2\3", "SSH-2.0-x_1.2\\x0d\\x0a", 22 },
		{ "220 hi 198.51.100.7:50123\r\n",
		  "220 hi \\{client}:\\{port}\\x0d\\x0a", 25 },
		{ "220 hi host-198-51-100-7.isp.example\r\n",
		  "220 hi \\{client}\\x0d\\x0a", 25 },
		{ "554 no [7.100.51.198.bl.example]\r\n",
		  "554 no [\\{client}]\\x0d\\x0a", 25 },
		{ "220 x smtpd[4711]: ready\r\n",
		  "220 x smtpd[\\{pid}]: ready\\x0d\\x0a", 25 },
		{ "220 mx.google.com ESMTP 5b1f17b18-47a5si275e9.45 - "
		  "gsmtp\r\n",
		  "220 mx.google.com ESMTP \\{id} - gsmtp\\x0d\\x0a", 25 },
		{ "220 v1.4.2 players here\r\n",
		  "220 v1.4.2 players here\\x0d\\x0a", 25 },
		{ "FreeBSD/amd64 (box) (pts/17)\r\n",
		  "FreeBSD/amd64 (box) (pts/\\{counter})\\x0d\\x0a", 23 },
		{ "220-[ 71 of 100 users online ]\r\n220 x\r\n",
		  "220-[ \\{counter} of 100 users online ]\\x0d\\x0a"
		  "220 x\\x0d\\x0a",
		  21 },
		{ "400 load at 24.55, try later\r\n",
		  "400 load at \\{duration}, try later\\x0d\\x0a", 119 },
		{ "220 7 of 9 parts\r\n", "220 7 of 9 parts\\x0d\\x0a", 21 },
		/* A date may be just behind the code. */
		{ "220-2026-09-21 14:13:20\r\n220 x\r\n",
		  "220-\\{time}\\x0d\\x0a220 x\\x0d\\x0a", 21 },
		{ "220-x\r\n220-14:13 h\r\n220 x\r\n",
		  "220-x\\x0d\\x0a220-\\{time} h\\x0d\\x0a220 x\\x0d\\x0a",
		  21 },
		/* The day of a release is no process. */
		{ "220 System (163com[20141201])\r\n",
		  "220 System (163com[20141201])\\x0d\\x0a", 25 },
		{ "220 System (163com[20149901])\r\n",
		  "220 System (163com[\\{pid}])\\x0d\\x0a", 25 },
		{ "HTTP/1.1 200 OK\r\nServer: cam/2.1 (2026-09-21 14:13:20)"
		  "\r\n\r\n",
		  "HTTP/1.1 \\{status}Server: cam/2.1 (\\{time})\\x0d\\x0a"
		  "\\{headers}",
		  80 },
		{ "PING :A0B1\r\n", "PING :\\{id}\\x0d\\x0a", 6667 },
	};

	(void)state;
	check_structured(greetings, COUNT(greetings));
}

static void test_what_is_around_wild_parts(void **state)
{
	static const struct structured greetings[] = {
		{ "220 mx7.free.fr ready\n", "220 \\{node}.free.fr ready\\x0a",
		  25 },
		{ "hi [mx7.free.fr] there\n",
		  "hi [\\{node}.free.fr] there\\x0a", 25 },
		{ "hi {mx7.free.fr} there\n", "hi {mx7.free.fr} there\\x0a",
		  25 },
		{ "hi mx7.free.fr. there\n", "hi mx7.free.fr. there\\x0a", 25 },
		{ "x session=ab+/=_-9 y\n", "x session=\\{id} y\\x0a", 25 },
		{ "x session=ab=9.1 y\n", "x session=ab=9.1 y\\x0a", 25 },
		{ "x nonce: ab9c y\n", "x nonce: \\{id} y\\x0a", 25 },
		{ "+OK <-12.34@h>\n", "+OK <\\{id}@h>\\x0a", 110 },
		{ "+OK < 12.34@h>\n", "+OK < 12.34@h>\\x0a", 110 },
		{ "+OK <x<12.34@h>\n", "+OK <x<\\{id}@h>\\x0a", 110 },
		{ "200 5b1f17a1 - gsmtp\n", "200 \\{id} - gsmtp\\x0a", 25 },
		{ "200 5b1f17a - gsmtp\n", "200 5b1f17a - gsmtp\\x0a", 25 },
		{ "at 703.2 UTC(NIST)\n", "at \\{duration} UTC(NIST)\\x0a",
		  13 },
		{ "onsdag 21. september 2026\n", "\\{time}\\x0a", 13 },
		/* Without its accent this weekday is none at a beginning. */
		{ "ut 21. 9. 2026\n", "ut \\{time}\\x0a", 13 },
		{ "\xc3\x9at 21. 9. 2026\n", "\\{time}\\x0a", 13 },
	};

	(void)state;
	check_structured(greetings, COUNT(greetings));
}

static void test_words_of_ftp(void **state)
{
	static const struct {
		const char *said;
		bool is_ftp; /* on another port than FTP's */
		bool on_21;
	} greetings[] = {
		{ "220 FTP ready\n", true, true },
		{ "220-(vsFTPd 3.0.3)\n", false, true },
		{ "220-ProFTPD Server\n", true, true },
		{ "220 wuftpd-2.6.1\n", true, true },
		{ "220 mail.smtp.example FTP\n", true, true },
		{ "220 ftp.example.org FTP\n", true, true },
		{ "220 ftp.example.org ESMTP\n", false, false },
		{ "220 ftp.example.org\n", false, true },
		{ "220 SFTP here\n", false, true },
		{ "220 ESMTP, no FTP\n", false, false },
		{ "200 FTP\n", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(greetings); i++) {
		const uint8_t *said = (const uint8_t *)greetings[i].said;
		const size_t len = strlen(greetings[i].said);

		print_message("# %s", greetings[i].said);
		assert_int_equal(structure_is_ftp(said, len, 4242),
				 greetings[i].is_ftp);
		assert_int_equal(structure_is_ftp(said, len, 21),
				 greetings[i].on_21);
	}
}

static void test_words_of_mail(void **state)
{
	static const struct {
		const char *said;
		bool known;
	} greetings[] = {
		{ "220 x SMTP\n", true },	 { "220 smtp.example\n", true },
		{ "220 x ESMTP\n", true },	 { "220 x (LMTP)\n", true },
		{ "200 NNTP\n", true },		 { "200 xSMTP\n", false },
		{ "200 x NNT P\n", false },	 { "hi SMTP\n", false },
		{ "220 x8SMTP there\n", false }, { "+OK x\n", true },
	};
	struct form form;

	(void)state;
	for (size_t i = 0; i < COUNT(greetings); i++) {
		print_message("# %s", greetings[i].said);
		make(&form, greetings[i].said, strlen(greetings[i].said), 4242);
		assert_int_equal(form.known, greetings[i].known);
	}
}

static void test_russian_dates_and_fix(void **state)
{
	static const struct structured greetings[] = {
		/* Not the day's name alone, which would differ tomorrow. */
		{ "\xd0\x9f\xd0\xbd 21 \xd1\x81\xd0\xb5\xd0\xbd 2026 14:13:20 "
		  "h "
		  "ready\r\n",
		  "\\{time} h ready\\x0d\\x0a", 23 },
		{ "220 ftp.example.ru FTP server ready, \xf0\xce 21 "
		  "\xd3\xc5\xce 2026 14:13:20\r\n",
		  "220 ftp.example.ru FTP server ready, \\{time}\\x0d\\x0a",
		  21 },
		{ "8=FIX.4.4\1"
		  "9=97\1"
		  "35=5\1"
		  "34=12\1"
		  "49=SRV\1"
		  "52=20260921-14:13:20.123\1"
		  "56=CLI-7\1"
		  "58=closed\1"
		  "10=087\1",
		  "8=FIX.4.4\\x019=\\{length}\\x0135=5\\x0134=\\{counter}\\x01"
		  "49=SRV\\x0152=\\{time}\\x0156=\\{client}\\x0158=closed\\x01"
		  "10=\\{id}\\x01",
		  9878 },
		{ "8=FIX.4.2\1"
		  "9=\1"
		  "35",
		  "8=FIX.4.2\\x019=\\x0135", 9878 },
	};

	(void)state;
	check_structured(greetings, COUNT(greetings));
}

static void test_idioms(void **state)
{
	static const struct structured greetings[] = {
		{ "220-Sie sind Benutzer 2 von 50\r\n",
		  "220-Sie sind Benutzer \\{counter} von 50\\x0d\\x0a", 23 },
		{ "220-Vous etes l'utilisateur 2 sur les 50\r\n",
		  "220-Vous etes l'utilisateur \\{counter} sur les 50"
		  "\\x0d\\x0a",
		  23 },
		{ "$471\r\n# Server\r\n",
		  "$\\{number}\\x0d\\x0a# Server\\x0d\\x0a", 23 },
		{ "$471 off\r\n", "$471 off\\x0d\\x0a", 23 },
	};

	(void)state;
	check_structured(greetings, COUNT(greetings));
}

static void test_durations(void **state)
{
	static const struct structured greetings[] = {
		{ "up 3 days, 4:05\r\n", "up \\{duration}\\x0d\\x0a", 23 },
		{ "timeout 15 minutes\r\n", "timeout 15 minutes\\x0d\\x0a",
		  23 },
		{ "System uptime  : 1 days, 02h:33m:22s\r\n",
		  "System uptime  : \\{duration}\\x0d\\x0a", 23 },
		{ "Up Time : 1 Days 2 Hours 3 Minutes\r\n",
		  "Up Time : \\{duration}\\x0d\\x0a", 23 },
		{ "Uptime: 2 08:12\r\n", "Uptime: \\{duration}\\x0d\\x0a", 23 },
		{ "up 3 days,  9:05,  2 users\r\n",
		  "up \\{duration},  \\{counter} users\\x0d\\x0a", 23 },
		{ "up 3 days, 19:05, 2 users\r\n",
		  "up \\{duration}, \\{counter} users\\x0d\\x0a", 23 },
		{ "signup: 3 days\r\n", "signup: 3 days\\x0d\\x0a", 23 },
		{ "up: 12\r\n", "up: 12\\x0d\\x0a", 23 },
		{ "<6>[12345.586645] eth0 up\r\n",
		  "<6>[\\{duration}] eth0 up\\x0d\\x0a", 23 },
		{ "[    5.586645] eth0 up\r\n",
		  "[    \\{duration}] eth0 up\\x0d\\x0a", 23 },
		{ "Foo [5.586645] up\r\n", "Foo [5.586645] up\\x0d\\x0a", 23 },
		{ "[5.58664] up\r\n", "[5.58664] up\\x0d\\x0a", 23 },
		{ "seit 11 Tagen, 13 Stunden x\n", "seit \\{duration} x\\x0a",
		  23 },
		{ "depuis 11 jour(s) et 13 heure(s) x\n",
		  "depuis \\{duration} x\\x0a", 23 },
		{ "hace 11 d\xc3\xad"
		  "as y 13 horas x\n",
		  "hace \\{duration} x\\x0a", 23 },
		{ "RunTime: 1weeks 4days x\n", "RunTime: \\{duration} x\\x0a",
		  23 },
		{ "up 3 day(s), 4 hour(s), 5 minute(s) x\n",
		  "up \\{duration} x\\x0a", 23 },
		/* Of one of each, too, as an hour later */
		{ "hace 1 hora y 1 minuto x\n", "hace \\{duration} x\\x0a",
		  23 },
		{ "depuis 1 heure et 1 seconde x\n",
		  "depuis \\{duration} x\\x0a", 23 },
		{ "seit 1 Woche, 1 Sekunde x\n", "seit \\{duration} x\\x0a",
		  23 },
		{ "hace 1 d\xc3\xad"
		  "a x\n",
		  "hace \\{duration} x\\x0a", 23 },
		{ "da 1 minuto e 2 secondi x\n", "da \\{duration} x\\x0a", 23 },
		{ "panda 2 ore x\n", "panda 2 ore x\\x0a", 23 },
		{ "Runtime 1.8 s x\n", "Runtime 1.8 s x\\x0a", 23 },
	};

	(void)state;
	check_structured(greetings, COUNT(greetings));
}

/*
 * Where a server negotiates depends on the client, and on who is faster. Its
 * first command does not.
 */
static void test_telnet(void **state)
{
	static const struct structured greetings[] = {
		{ "\xff\xfd\x18"
		  "host login: ",
		  "\\xff\\xfd\\x18\\{options}host login: ", 23 },
		{ "\xff\xfd\x18\xff\xfb\x03\xff\xfa\x18\x01\xff\xf0host "
		  "\xff\xfb\x01login: ",
		  "\\xff\\xfd\\x18\\{options}host login: ", 23 },
		{ "\xff\xfd\x18host login: \xff\xfb\x03\xff\xfb",
		  "\\xff\\xfd\\x18\\{options}host login: ", 23 },
		{ "\xff\xfd\x18"
		  "at\r\n220 7 users\xff\xff\r\n",
		  "\\xff\\xfd\\x18\\{options}at\\x0d\\x0a220 \\{counter} "
		  "users\\xff\\xff\\x0d\\x0a",
		  23 },
		{ "\xff\xfb\x01", "\\xff\\xfb\\x01\\{options}", 23 },
		{ "\xff\xff\xff\xff", "\\xff\\xff\\xff\\xff", 23 },
	};

	(void)state;
	check_structured(greetings, COUNT(greetings));
}

/* How much an IRC server looks up before its client speaks is chance. */
static void test_irc(void **state)
{
	static const struct structured greetings[] = {
		{ "NOTICE * :*** Looking up your hostname\r\n",
		  "NOTICE * :*** Looking up your hostname\\x0d\\x0a", 6667 },
		{ "NOTICE * :*** Looking up your hostname\r\n"
		  "NOTICE * :*** Found your hostname: x.example\r\n",
		  "NOTICE * :*** Looking up your hostname\\x0d\\x0a", 6667 },
		{ ":h NOTICE AUTH :*** Looking up\r\n"
		  ":h NOTICE AUTH :*** No Ident\r\n"
		  ":h 001 x :Hi\r\n",
		  ":h NOTICE AUTH :*** Looking up\\x0d\\x0a"
		  ":h 001 x :Hi\\x0d\\x0a",
		  6667 },
		{ ":h NOTICE * :Hello\r\n:h NOTICE * :*** x\r\n",
		  ":h NOTICE * :Hello\\x0d\\x0a:h NOTICE * :*** x\\x0d\\x0a",
		  6667 },
		{ ":h\r\n:h NOTICE\r\n", ":h\\x0d\\x0a:h NOTICE\\x0d\\x0a",
		  6667 },
	};

	(void)state;
	check_structured(greetings, COUNT(greetings));
}

static void test_mysql(void **state)
{
	static const char handshake[] = "\x4a\0\0\0\x0a"
					"8.0.36\0"
					"\x09\0\0\0"
					"saltsalt\0"
					"\xff\xff\xff\x02\0\xff\xdf\x15"
					"\0\0\0\0\0\0\0\0\0\0"
					"saltsaltsalt\0"
					"caching_sha2_password";
	static const char refused[] =
		"\x3f\0\0\0\xff\x6a\x04Host '198.51.100.7' is not allowed";
	struct form form;

	(void)state;
	make(&form, handshake, sizeof(handshake), 3306);
	assert_string_equal(
		text,
		"J\\x00\\x00\\x00\\x0a8.0.36\\x00\\{id}\\{salt}\\x00\\xff\\xff"
		"\\xff\\{status}\\xff\\xdf\\x15\\x00\\x00\\x00\\x00\\x00\\x00"
		"\\x00\\x00\\x00\\x00\\{salt}caching_sha2_password\\x00");
	assert_true(form.whole && !form.refusal);
	make(&form, refused, sizeof(refused) - 1, 3306);
	assert_string_equal(text, "\\{length}\\x00\\xffj\\x04Host '\\{client}' "
				  "is not allowed");
	assert_true(form.refusal);
}

/* A length before a text, as in EPP (RFC 5734): the rest is text. */
static void test_framed_text(void **state)
{
	static const char big[] = "\0\0\0\x18{\"id\":7,\"t\": 1790000000}",
			  little[] = "\x1b\0at 2026-09-21T14:13:20Z up\n",
			  binary[] = "\0\0\0\x08\x01\x02 2026\0",
			  other[] = "\0\0\0\x30 2026-09-21T14:13:20Z\n";
	struct form form;

	(void)state;
	make(&form, big, sizeof(big) - 1, 700);
	assert_string_equal(text, "\\{length}{\"id\":7,\"t\": \\{time}}");
	assert_true(form.whole && !form.binary);
	assert_int_equal(form.at[1], 4);
	make(&form, little, sizeof(little) - 1, 700);
	assert_string_equal(text, "\\{length}at \\{time} up\\x0a");
	assert_true(form.whole && !form.binary);
	make(&form, binary, sizeof(binary) - 1, 700);
	assert_string_equal(text, "\\{length}\\x01\\x02 2026\\x00");
	assert_true(form.binary);
	/* Among binary bytes only a date with a clock is one. */
	make(&form, other, sizeof(other) - 1, 700);
	assert_string_equal(text, "\\x00\\x00\\x000 \\{time}\\x0a");
	assert_true(form.binary);
	make(&form, "\1\0\2 2026-09-21\0", 15, 700);
	assert_string_equal(text, "\\x01\\x00\\x02 2026-09-21\\x00");
}

/* Lines in an encoding of one or two bytes are text. */
static void test_foreign_encodings(void **state)
{
	static const char russian[] = "\x82\xe0\xa5\xac\xef: 14:13, "
				      "\xa8\xa3\xe0\xae\xaa\xae\xa2 5\r\n",
			  cut[] = "\x82\xe0\xa5\xac\xef \xa8\xa3\xe0\xae\xaa",
			  line[] = "\x82\xe0\xa5\xac\xef: 14:13, "
				   "\xa8\xa3\xe0\xae\xaa\xae\xa2 5\r\n"
				   "\x82\xe0\xa5",
			  long_line[] = "\x82\xe0\xa5\xac\xef: 14:13, "
					"\xa8\xa3\xe0\xae\xaa\xae\xa2 5; "
					"\xa8\xa3\xe0\xae\xaa\xae\xa2",
			  random[] = "\x82\xe0\x01\xac\xef\x03\xa8\xa3"
				     "\xe0\xae\xaa\xae\xa2\x08\x88\x99\n";
	struct form form;

	(void)state;
	make(&form, russian, sizeof(russian) - 1, 23);
	assert_true(form.whole && !form.binary);
	assert_non_null(strstr(text, ": \\{time}, "));
	/* It is cut within a line, which differs with the packets. */
	make(&form, line, sizeof(line) - 1, 23);
	assert_false(form.binary);
	assert_non_null(strstr(text, ": \\{time}, "));
	make(&form, long_line, sizeof(long_line) - 1, 23);
	assert_false(form.binary);
	assert_non_null(strstr(text, ": \\{time}, "));
	make(&form, cut, sizeof(cut) - 1, 23);
	assert_true(form.binary);
	make(&form, random, sizeof(random) - 1, 23);
	assert_true(form.binary);
}

/* What refuses in any protocol, and what only resembles it. */
static void test_refusals(void **state)
{
	static const char bgp[] = "\xff\xff\xff\xff\xff\xff\xff\xff"
				  "\xff\xff\xff\xff\xff\xff\xff\xff\0\x15";
	static const struct {
		const char *said;
		size_t len;
		bool refusal;
	} cases[] = {
		{ "421 Too many\r\n", 14, true },
		{ "220 Too many\r\n", 14, false },
		{ "-ERR max number of clients reached\r\n", 36, true },
		{ "-BUSY Redis is busy\r\n", 21, true },
		{ "-NOPERM x\r\n", 11, true },
		{ "-ok then\r\n", 10, false },
		{ "- OK\r\n", 6, false },
		{ "-AB x\r\n", 7, false },
		{ "-DENIED", 7, false },
		{ "RFB 003.003\n\0\0\0\0\0\0\0\4Busy", 24, true },
		{ "RFB 003.008\n", 12, false },
		{ "RFB 003.003\n\0\0\0\2", 16, false },
		{ "E\0\0\0\x18SFATAL\0C53300\0Mbusy\0\0", 25, true },
		{ "R\0\0\0\x08\0\0\0\3", 9, false },
	};
	char notification[22];
	struct form form;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %s\n", cases[i].said);
		make(&form, cases[i].said, cases[i].len, 5000);
		assert_int_equal(form.refusal, cases[i].refusal);
	}
	memcpy(notification, bgp, sizeof(bgp));
	for (char type = 1; type <= 4; type++) {
		notification[18] = type;
		make(&form, notification, 21, 179);
		assert_int_equal(form.refusal, type == 3);
	}
}

/* An alert refuses, a ServerHello does not; what is neither is no TLS. */
static void test_tls(void **state)
{
	static const char alert[] = "\x15\x03\x03\0\x02\x02\x28",
			  hello[] = "\x16\x03\x03\0\x7a\x02\0\0\x76",
			  client[] = "\x16\x03\x01\0\x7a\x01\0\0\x76",
			  long_alert[] = "\x15\x03\x03\0\x03\x02\x28\0",
			  version[] = "\x16\x03\x05\0\x7a\x02\0\0\x76";
	struct form form;

	(void)state;
	make(&form, alert, sizeof(alert) - 1, 443);
	assert_string_equal(text, "\\x15\\x03\\{tls}");
	assert_true(form.whole && form.binary && form.refusal);
	make(&form, hello, sizeof(hello) - 1, 443);
	assert_string_equal(text, "\\x16\\x03\\{tls}");
	assert_true(form.whole && form.binary && !form.refusal);
	make(&form, client, sizeof(client) - 1, 443);
	assert_null(strstr(text, "tls"));
	make(&form, long_alert, sizeof(long_alert) - 1, 443);
	assert_null(strstr(text, "tls"));
	make(&form, version, sizeof(version) - 1, 443);
	assert_null(strstr(text, "tls"));
	make(&form, hello, 5, 443);
	assert_null(strstr(text, "tls"));
}

static void test_what_is_whole(void **state)
{
	static const struct {
		const char *said;
		bool whole;
	} greetings[] = {
		{ "220 ready\r\n", true },
		{ "220 rea", false },
		{ "220-more\r\n", false },
		{ "220-a\r\n220 b\r\n", true },
		{ "SSH-2.0-x", false },
		{ "SSH-2.0-x\n", true },
		{ "login: ", false },
		{ "\xff\xfd\x18", false },
		{ "\xff\xfd\x18\xff", false },
		{ "\xff\xfd\x18hello\r\n", true },
		{ "HTTP/1.1 200 OK\r\n", false },
		{ "", false },
	};
	struct form form;

	(void)state;
	for (size_t i = 0; i < COUNT(greetings); i++) {
		make(&form, greetings[i].said, strlen(greetings[i].said), 99);
		assert_int_equal(form.whole, greetings[i].whole);
	}
}

/* --- learning ---------------------------------------------------------- */

static struct learn learn;

/* What was learned: the form, "same", or "another". */
static const char *said_of(enum learned learned)
{
	form_to_text(&learn.wider, text);
	return learned == LEARNED_NOT  ? "another" :
	       learned == LEARNED_SAME ? "same" :
					 text;
}

/* The form after greetings of two connections; NULL: two forms. */
static const char *learned(enum learn_how how, const char *was, const char *is)
{
	struct form a, b;
	const struct learn_side one = { .form = &a }, other = { .form = &b };

	make(&a, was, strlen(was), 99);
	make(&b, is, strlen(is), 99);
	switch (learn_form(&learn, how, &one, &other, (const uint8_t *)is)) {
	case LEARNED_NOT:
		return "another";
	case LEARNED_SAME:
		return "same";
	case LEARNED_WIDER:
		break;
	}
	form_to_text(&learn.wider, text);
	/* It is what both are of. */
	assert_true(form_matches(&learn.wider, &a));
	assert_true(form_matches(&learn.wider, &b));
	return text;
}

struct pair {
	const char *was, *is, *becomes;
};

static void check_pairs(const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		print_message("# %s", pairs[i].is);
		assert_string_equal(
			learned(LEARN_PAIR, pairs[i].was, pairs[i].is),
			pairs[i].becomes);
	}
}

static void test_pairs(void **state)
{
	static const struct pair pairs[] = {
		{ "OK 9 go\n", "OK 10 go\n", "OK \\{number} go\\x0a" },
		{ "OK ff go\n", "OK 100 go\n", "OK \\{hex} go\\x0a" },
		/* Without a digit it has further letters, too. */
		{ "ID AAAB go\n", "ID AAAC go\n", "ID \\{token} go\\x0a" },
		{ "OK x9z3q go\n", "OK a1b2c go\n", "OK \\{token} go\\x0a" },
		{ "220 mx1.example.org\r\n", "220 mx12.example.org\r\n",
		  "220 mx\\{number}.example.org\\x0d\\x0a" },
		{ "220 h Foo 1.2.3\r\n", "220 h Foo 1.2.4\r\n", "another" },
		{ "220 h Foo v5\r\n", "220 h Foo v6\r\n", "another" },
		{ "220 h build 5\r\n", "220 h build 6\r\n", "another" },
		{ "token=BxVKClMi2gBhU93d x\n", "token=lfkaDZIbAdTryf78 x\n",
		  "token=\\{token} x\\x0a" },
		{ "OK AbCdEfGh1jKl0g== x\n", "OK QrStUvWx2yZa3Q== x\n",
		  "OK \\{token} x\\x0a" },
		/* Two bytes that are equal by chance, at another place. */
		{ "b7:71:3a:8e x go\n", "6d:46:14:71 x go\n",
		  "\\{word} x go\\x0a" },
		/* ClMi and XTAR look like words, but not their neighbours. */
		{ "OK BxVK-ClMi go on\n", "OK YZ5m-XTAR go on\n",
		  "OK \\{token}-\\{token} go on\\x0a" },
		{ "OK ClMi-BxVK go on\n", "OK XTAR-YZ5m go on\n",
		  "OK \\{token}-\\{token} go on\\x0a" },
		{ "OK smtp1-alpha go on\n", "OK smtp2-gamma go on\n",
		  "another" },
		{ "OK BxVK-orange go on\n", "OK YZ5m-yellow go on\n",
		  "another" },
		{ "220 h FTP ready\r\n", "220 h SFTP ready\r\n", "another" },
		{ "220 h ESMTP ready\r\n", "220 h SMTP ready\r\n", "another" },
		{ "OK Gimap ready\r\n", "OK Gimap2 ready\r\n", "another" },
		{ "220 smtp2-x.org\r\n", "220 smtp-x.org\r\n", "another" },
		{ "220 alpha ready\r\n", "220 gamma ready\r\n", "another" },
		{ "220 h ready\r\n", "220 h STARTTLS ready\r\n", "another" },
		{ "220 h ready\r\n", "250 h ready\r\n", "another" },
		{ "SSH-2.0-x_1\r\n", "SSH-2.0-x_2\r\n", "another" },
		{ "one two three four\n", "five six seven eight\n", "another" },
		{ "same\n", "same\n", "same" },
	};

	(void)state;
	check_pairs(pairs, COUNT(pairs));
}

/* A year, a patch's number and the like are not wild in a pair. */
static void test_what_belongs_to_a_version(void **state)
{
	static const struct pair pairs[] = {
		{ "(c) 1993-2023 Foo\n", "(c) 1993-2024 Foo\n", "another" },
		{ "IBM, 1982, 2017.\n", "IBM, 1982, 2021.\n", "another" },
		{ "Camera 5.50 (2014) on\n", "Camera 5.50 (2015) on\n",
		  "another" },
		{ "released 2023/04/01 x\n", "released 2023/05/02 x\n",
		  "another" },
		{ "built 2017-11-22 x\n", "built 2017-11-23 x\n", "another" },
		{ "Foo 9.0.1FP10 HF197 x\n", "Foo 9.0.1FP10 HF212 x\n",
		  "another" },
		{ "Exim 4.96 #2 ready\n", "Exim 4.96 #3 ready\n", "another" },
		{ "Process V5.5(16) at\n", "Process V5.5(17) at\n", "another" },
		{ "ftpd-2.6.1(PHNE_38578) x\n", "ftpd-2.6.1(PHNE_40774) x\n",
		  "another" },
		{ "version V6.11 (151030) x\n", "version V6.11 (151031) x\n",
		  "another" },
		{ "Couch (Erlang OTP/24) x\n", "Couch (Erlang OTP/25) x\n",
		  "another" },
		/* These only resemble it. */
		{ "Foo 1.2(40571395) go\n", "Foo 1.2(90112233) go\n",
		  "Foo 1.2(\\{number}) go\\x0a" },
		{ "OK 1999 go\n", "OK 17 go\n", "OK \\{number} go\\x0a" },
		{ "terminal dev/24 go\n", "terminal dev/25 go\n",
		  "terminal dev/\\{number} go\\x0a" },
		{ "OK 1 2003-77 go\n", "OK 1 2004-78 go\n",
		  "OK 1 \\{number}-\\{number} go\\x0a" },
	};

	(void)state;
	check_pairs(pairs, COUNT(pairs));
}

static void test_a_known_form_learns_no_more(void **state)
{
	(void)state;
	assert_string_equal(learned(LEARN_GROW, "OK 9 go\n", "OK 10 go\n"),
			    "another");
	assert_string_equal(learned(LEARN_SETTLED, "OK 9 go\n", "OK 10 go\n"),
			    "another");
	assert_string_equal(learned(LEARN_THIRD, "the sunny day here\n",
				    "the rainy day here\n"),
			    "the \\{token} day here\\x0a");
	assert_string_equal(learned(LEARN_THIRD, "the 1.2 day here\n",
				    "the 1.3 day here\n"),
			    "another");
}

static void test_growth(void **state)
{
	static const struct {
		const char *form, *is, *becomes;
	} grown[] = {
		{ "OK \\{number} go\\x0a", "OK 1000 go\n", "same" },
		/* A counter comes through the years. */
		{ "OK 1\\{number} go\\x0a", "OK 2003 go\n",
		  "OK \\{number} go\\x0a" },
		{ "OK \\{number} go\\x0a", "OK 1a go\n", "OK \\{hex} go\\x0a" },
		{ "OK a\\{number} go\\x0a", "OK b7c go\n",
		  "OK \\{hex} go\\x0a" },
		{ "220 mx\\{number}.org\\x0d\\x0a", "220 smtp1.org\r\n",
		  "another" },
		{ "OK \\{token} go\\x0a", "OK 1.2 go\n", "another" },
		{ "OK T=\\{number} go\\x0a", "OK T=-7 go\n",
		  "OK T=\\{token} go\\x0a" },
		{ "OK T=\\{token} go\\x0a", "OK T=-7 go\n", "same" },
		{ "OK a\\{number} go\\x0a", "OK a-7 go\n", "another" },
		{ "OK T=\\{number} go\\x0a", "OK T=- go\n", "another" },
		{ "OK \\{number} go\\x0a", "OK 1 run\n", "another" },
		{ "OK \\{number} go\\x0a", "OK go\n", "another" },
		{ "up \\{number}-5.60\\x0a", "up 7-5.61\n", "another" },
		/* The digits of a number on the other side of its point */
		{ "at 2,\\{number} kg\\x0a", "at 0,35 kg\n",
		  "at \\{number},\\{number} kg\\x0a" },
		{ "at \\{number}.8 kg\\x0a", "at 17.3 kg\n",
		  "at \\{number}.\\{number} kg\\x0a" },
		{ "at 2,\\{number} x\\x0a", "at 3,35 x\n",
		  "at \\{number},\\{number} x\\x0a" },
		{ "at 2,\\{number} kg\\x0a", "at 3,351 kg\n",
		  "at \\{number},\\{number} kg\\x0a" },
		/* A version, and a process id behind it */
		{ "Foo 2,\\{number} x\\x0a", "Foo 3,351 x\n", "another" },
		{ "Foo-\\{number},2 x\\x0a", "Foo-51734,351 x\n", "another" },
		{ "at \\{number},8,3 x\\x0a", "at 17,9,3 x\n", "another" },
		{ "at 1,8,\\{number} x\\x0a", "at 1,9,3 x\n", "another" },
		{ "Foo 1.8.\\{number} x\\x0a", "Foo 1.9.3 x\n", "another" },
	};
	struct form a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(grown); i++) {
		const struct learn_side one = { .form = &a },
					other = { .form = &b };
		enum learned found;

		assert_true(form_from_text(&a, grown[i].form,
					   strlen(grown[i].form)));
		make(&b, grown[i].is, strlen(grown[i].is), 99);
		found = learn_form(&learn, LEARN_SETTLED, &one, &other,
				   (const uint8_t *)grown[i].is);
		assert_string_equal(said_of(found), grown[i].becomes);
	}
}

/* Of binary greetings, in the order that they came. */
static void test_binary_learning(void **state)
{
#define SAID(text)                                                             \
	{                                                                      \
		text, sizeof(text) - 1                                         \
	}
	static const struct {
		enum learn_how how;
		const struct {
			const char *bytes;
			size_t len;
		} was, is;
		const char *becomes;
	} pairs[] = {
		/* A number, and a date, in a text among other bytes. */
		{ LEARN_PAIR, SAID("\1\0id 95\0Foo\n"),
		  SAID("\1\0id 96\0Foo\n"),
		  "\\x01\\x00id \\{number}\\x00Foo\\x0a" },
		{ LEARN_PAIR, SAID("\1\0id 99\0Foo\n"),
		  SAID("\1\0id 100\0Foo\n"),
		  "\\x01\\x00id \\{number}\\x00Foo\\x0a" },
		{ LEARN_PAIR, SAID("\1\0at 2025-09-21 14:13:20\0Foo"),
		  SAID("\1\0at 2025-09-21 14:14:29\0Foo"),
		  "\\x01\\x00at \\{time}\\x00Foo" },
		{ LEARN_PAIR, SAID("\1\0id 0x00ff\0Foo\n"),
		  SAID("\1\0id 0x00fe\0Foo\n"),
		  "\\x01\\x00id 0x\\{bytes:4}\\x00Foo\\x0a" },
		{ LEARN_PAIR, SAID("\1\0Foo\0001"), SAID("\1\0Foo\0002"),
		  "\\x01\\x00Foo\\x00\\{bytes:1}" },
		/* A length that was equal in the first pair. */
		{ LEARN_SETTLED, SAID("\1\0\7Foo \xff\xfe\0\2"),
		  SAID("\1\0\7Foo \xff\xfe\0\2"), "same" },
		{ LEARN_SETTLED, SAID("E\0\0\x10 host 198.51.100.7 no\0"),
		  SAID("E\0\0\x10 host 198.51.100.7 no\0"), "same" },
		{ LEARN_GROW, SAID("E\0\0\x14 host a no\0"),
		  SAID("E\0\0\x15 host a no\0"), "another" },
		/* A digit is a part of a text. */
		{ LEARN_GROW, SAID("\1\0 5\0Foo x\0\1"),
		  SAID("\1\0 6\0Foo xy\0\1"), "another" },
	};
	struct form a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const struct learn_side one = { .form = &a,
						.latest_len =
							pairs[i].was.len },
					other = { .form = &b };

		print_message("# %zu\n", i);
		make(&a, pairs[i].was.bytes, pairs[i].was.len, 99);
		make(&b, pairs[i].is.bytes, pairs[i].is.len, 99);
		assert_string_equal(
			said_of(learn_form(&learn, pairs[i].how, &one, &other,
					   (const uint8_t *)pairs[i].is.bytes)),
			pairs[i].becomes);
	}
#undef SAID
}

/*
 * The client's address is longer, and so is the packet: only its length
 * differs.
 */
static void test_length_that_grows(void **state)
{
	static const char is[] = "E\0\0\x1aShost \"198.51.100.7\" no\0";
	/* A counter that is the length of the rest, now. */
	static const char chance[] = "\0\x0d\0\0\0\x2d\1\x2b\7TM221";
	static const char counter[] = "\\x00\\{bytes:1}\\x00\\x00\\x00-"
				      "\\x01+\\x07TM221";
	static const char was[] = "E\\x00\\x00\\x19Shost \"\\{client}\" "
				  "no\\x00";
	struct form a, b;
	const struct learn_side one = { .form = &a,
					.latest_len = sizeof(is) - 2 },
				same = { .form = &a,
					 .latest_len = sizeof(is) - 1 },
				other = { .form = &b };

	(void)state;
	assert_true(form_from_text(&a, was, strlen(was)));
	a.binary = true;
	make(&b, is, sizeof(is) - 1, 5432);
	assert_true(b.binary);
	assert_string_equal(said_of(learn_form(&learn, LEARN_SETTLED, &one,
					       &other, (const uint8_t *)is)),
			    "E\\x00\\x00\\{bytes:1}Shost \"\\{client}\" "
			    "no\\x00");
	assert_string_equal(said_of(learn_form(&learn, LEARN_SETTLED, &same,
					       &other, (const uint8_t *)is)),
			    "another");
	assert_true(form_from_text(&a, counter, strlen(counter)));
	a.binary = true;
	make(&b, chance, sizeof(chance) - 1, 502);
	assert_int_equal(b.symbol[0], SYMBOL_WILD + WILD_LENGTH);
	assert_string_equal(
		said_of(learn_form(&learn, LEARN_SETTLED, &one, &other,
				   (const uint8_t *)chance)),
		"same");
}

#define DAY 86400000000ULL

/* Two dates are by one clock, wrong as it may be, or they are of two builds. */
static void test_dates_and_the_time_between(void **state)
{
	static const struct {
		const char *was, *is;
		uint64_t elapsed;
		enum learn_how how;
		const char *becomes;
	} pairs[] = {
		{ "at Thu Jan  1 00:00:42 1970 x\n",
		  "at Thu Jan  1 00:05:42 1970 x\n", 300000000, LEARN_PAIR,
		  "at \\{time} x\\x0a" },
		{ "at Thu Jan  1 00:00:42 1970 x\n",
		  "at Sat Jan 10 00:00:42 1970 x\n", 9 * DAY, LEARN_PAIR,
		  "at \\{time} x\\x0a" },
		{ "h (Fri Sep 5 12:10:54 GMT 2008) x\n",
		  "h (Thu Jul 8 08:12:04 GMT 2010) x\n", 300000000, LEARN_PAIR,
		  "another" },
		{ "h (Fri Sep 5 12:10:54 GMT 2008) x\n",
		  "h (Fri Sep 5 11:09:53 GMT 2008) x\n", 9 * DAY, LEARN_PAIR,
		  "another" },
		/* The clock is not known to have been wrong. */
		{ "h (Fri Sep 5 12:10:54 GMT 2008) x\n",
		  "h (Sun Sep 20 12:10:54 GMT 2026) x\n", DAY, LEARN_SETTLED,
		  "another" },
	};
	struct form a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const struct learn_side one = { .form = &a, .time = NOW },
					other = { .form = &b,
						  .time = NOW +
							  pairs[i].elapsed };

		print_message("# %s", pairs[i].is);
		make(&a, pairs[i].was, strlen(pairs[i].was), 21);
		make(&b, pairs[i].is, strlen(pairs[i].is), 21);
		assert_string_equal(
			said_of(learn_form(&learn, pairs[i].how, &one, &other,
					   (const uint8_t *)pairs[i].is)),
			pairs[i].becomes);
	}
}

/* A number of bytes that follows the clock, whatever its unit. */
static void test_numbers_that_follow_the_clock(void **state)
{
	static const struct {
		const char *form, *was, *is;
		bool same;
	} pairs[] = {
		/* Seconds; 1000 of them are between the two. */
		{ "\\xf9\\xbe\\{bytes:1}\\xb1\\xb1\\x6a\\x00\\x07",
		  "\xf9\xbe\x20\xb1\xb1\x6a\0\7",
		  "\xf9\xbe\x08\xb5\xb1\x6a\0\7", true },
		{ "\\xf9\\xbe\\{bytes:1}\\xb1\\xb1\\x6a\\x00\\x07",
		  "\xf9\xbe\x20\xb1\xb1\x6a\0\7",
		  "\xf9\xbe\x08\xb9\xb1\x6a\0\7", false },
		/* The same, most significant byte first. */
		{ "\\xf9\\x6a\\xb1\\xb1\\{bytes:1}\\x00\\x07\\x08",
		  "\xf9\x6a\xb1\xb1\x20\0\7\x08",
		  "\xf9\x6a\xb1\xb5\x08\0\7\x08", true },
		/* 100 ns, in Windows: 10^10 of them. */
		{ "\\{bytes:4}\\xd3\\x49\\xdd\\x01",
		  "\0\x10\x20\x30\xd3\x49\xdd\1",
		  "\0\xf4\x2b\x84\xd5\x49\xdd\1", true },
		{ "\\{bytes:4}\\xd3\\x49\\xdd\\x01",
		  "\0\x10\x20\x30\xd3\x49\xdd\1",
		  "\0\xf4\x2b\x84\xd6\x49\xdd\1", false },
	};
	struct form a, b;

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const struct learn_side one = {
			.form = &a,
			.latest = (const uint8_t *)pairs[i].was,
			.latest_len = 8,
			.time = NOW,
		};
		const struct learn_side other = { .form = &b,
						  .time = NOW + 1000000000 };

		print_message("# %s\n", pairs[i].form);
		assert_true(form_from_text(&a, pairs[i].form,
					   strlen(pairs[i].form)));
		a.binary = true;
		make(&b, pairs[i].is, 8, 8333);
		assert_true(b.binary && b.len == 8);
		assert_int_equal(learn_form(&learn, LEARN_SETTLED, &one, &other,
					    (const uint8_t *)pairs[i].is),
				 pairs[i].same ? LEARNED_WIDER : LEARNED_NOT);
	}
}

/* A NUL at its end makes no text binary, nor unfinished. */
static void test_text_with_a_nul(void **state)
{
	static const char stomp[] = "CONNECTED\nsession:a-95\n\n\0\n",
			  short_one[] = "AB\0\0",
			  within[] = "CONNECTED\0id 9\0";
	struct form form;

	(void)state;
	make(&form, stomp, sizeof(stomp) - 1, 61613);
	assert_true(form.whole && !form.binary);
	make(&form, stomp, sizeof(stomp) - 2, 61613);
	assert_true(form.whole && !form.binary);
	make(&form, short_one, sizeof(short_one) - 1, 61613);
	assert_true(form.binary);
	make(&form, within, sizeof(within) - 1, 61613);
	assert_true(form.binary);
}

/* Wild parts stay wild in the form after an upgrade. */
static void test_inheritance(void **state)
{
	static const char was[] = "Foo 1.2 id \\{token} ready\\x0a",
			  is[] = "Foo 1.3 id 9x8y7z ready\n";
	struct form a, b;
	const struct learn_side one = { .form = &a }, other = { .form = &b };

	(void)state;
	assert_true(form_from_text(&a, was, strlen(was)));
	make(&b, is, strlen(is), 99);
	learn_inherit(&learn, &one, &other, (const uint8_t *)is);
	form_to_text(&learn.wider, text);
	assert_string_equal(text, "Foo 1.3 id \\{token} ready\\x0a");
}

/* What random bytes fit now and then, and what they do not. */
static void test_nearly_all_wild(void **state)
{
	static const struct {
		const char *form;
		bool faint;
	} forms[] = {
		{ "\\{bytes:40}", true },
		{ "\\{bytes}", true },
		{ "\\{bytes:36}\\x14\\{bytes:3}", true },
		{ "\\x14\\{bytes:39}", true },
		{ "\\{bytes:9}\\x14\\{bytes:9}\\x15\\{bytes:9}", true },
		{ "\\x01\\x00\\{bytes:256}", false },
		{ "\\x01\\{bytes:256}\\x02", false },
		{ "\\{length}\\{bytes:40}", false },
		{ "\\{bytes:128}\\x6a\\xb1\\x02\\{bytes:1}", false },
		{ "Foo \\{token}", false },
		{ "\\{time}", false },
		{ "", false },
	};
	struct form form;

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		print_message("# %s\n", forms[i].form);
		assert_true(form_from_text(&form, forms[i].form,
					   strlen(forms[i].form)));
		assert_int_equal(form_is_faint(&form), forms[i].faint);
	}
}

/* Any bytes: nothing breaks, and each greeting matches its own form. */
static void test_random_greetings(void **state)
{
	static const char alphabet[] = "0123456789abcdef ABxyz.:-/<>@[]\r\n\\";
	static struct form a, b;
	const struct learn_side one = { .form = &a }, other = { .form = &b };
	char said[2][300];

	(void)state;
	srand(1);
	for (int round = 0; round < 3000; round++) {
		size_t len[2];

		for (int i = 0; i < 2; i++) {
			len[i] = (size_t)rand() % sizeof(said[i]);
			for (size_t j = 0; j < len[i]; j++)
				said[i][j] =
					round & 1 ? (char)rand() :
						    alphabet[(size_t)rand() %
							     (sizeof(alphabet) -
							      1)];
		}
		make(&a, said[0], len[0], 99);
		make(&b, said[1], len[1], 99);
		for (int how = LEARN_GROW; how <= LEARN_THIRD; how++)
			learn_form(&learn, (enum learn_how)how, &one, &other,
				   (const uint8_t *)said[1]);
		assert_int_equal(learn_form(&learn, LEARN_SETTLED, &other,
					    &other, (const uint8_t *)said[1]),
				 LEARNED_SAME);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_read_back),
		cmocka_unit_test(test_text_that_is_none),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_days_of_the_year_and_russian_times),
		cmocka_unit_test(test_marked_times),
		cmocka_unit_test(test_rarer_times),
		cmocka_unit_test(test_short_days),
		cmocka_unit_test(test_what_is_no_rarer_time),
		cmocka_unit_test(test_what_is_no_time_of_now),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_version_behind_tab),
		cmocka_unit_test(test_decimals),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_what_is_around_wild_parts),
		cmocka_unit_test(test_words_of_ftp),
		cmocka_unit_test(test_words_of_mail),
		cmocka_unit_test(test_russian_dates_and_fix),
		cmocka_unit_test(test_idioms),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_telnet),
		cmocka_unit_test(test_irc),
		cmocka_unit_test(test_mysql),
		cmocka_unit_test(test_framed_text),
		cmocka_unit_test(test_foreign_encodings),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_what_is_whole),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_what_belongs_to_a_version),
		cmocka_unit_test(test_a_known_form_learns_no_more),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_binary_learning),
		cmocka_unit_test(test_length_that_grows),
		cmocka_unit_test(test_dates_and_the_time_between),
		cmocka_unit_test(test_numbers_that_follow_the_clock),
		cmocka_unit_test(test_text_with_a_nul),
		cmocka_unit_test(test_inheritance),
		cmocka_unit_test(test_nearly_all_wild),
		cmocka_unit_test(test_random_greetings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
