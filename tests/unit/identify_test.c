/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests of the identification: each source, and hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "identify/identify.h"
#include "identify/literal.h"
#include "identify/candidates.h"
#include "identify/template.h"

#define PATH_ROOM 64

static char told[8192];

static void tell(const char *format, ...)
{
	const size_t len = strlen(told);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(told + len, sizeof(told) - len, format, arguments);
	va_end(arguments);
	strncat(told, "\n", sizeof(told) - strlen(told) - 1);
}

/* A file that holds the text; its path lasts as long as the test's process. */
static void make_file(const char *text, size_t len, char path[PATH_ROOM])
{
	const int file = memfd_create("source", 0);

	assert_true(file >= 0);
	assert_int_equal(write(file, text, len), len);
	snprintf(path, PATH_ROOM, "/proc/self/fd/%d", file);
}

enum kind { RULES, PROBES, RECOG };

static struct identifier *open_text(enum kind kind, const char *text)
{
	char path[PATH_ROOM];
	const char *files[] = { path, NULL };
	struct identify_sources sources = {};

	told[0] = '\0';
	make_file(text, strlen(text), path);
	if (kind == RULES)
		sources.rules = files;
	else if (kind == PROBES)
		sources.probes = files;
	else
		sources.recog = path;
	return identify_open(&sources, tell);
}

static const struct identified *ask(struct identifier *identifier,
				    const char *text)
{
	return identify(identifier, SAID_FIRST, 0, (const uint8_t *)text,
			strlen(text), true);
}

static const char *or_none(const char *field)
{
	return field ? field : "-";
}

/* "service|product|version|info|hostname|os|devicetype|cpe cpe" */
static const char *as_text(const struct identified *one)
{
	static char text[1024];
	size_t len;

	if (!one)
		return "nothing";
	len = (size_t)snprintf(text, sizeof(text), "%s|%s|%s|%s|%s|%s|%s|",
			       or_none(one->service), or_none(one->product),
			       or_none(one->version), or_none(one->info),
			       or_none(one->hostname), or_none(one->os),
			       or_none(one->devicetype));
	for (char **cpe = one->cpe; cpe && *cpe; cpe++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
					cpe == one->cpe ? "" : " ", *cpe);
	return text;
}

#define assert_answer(identity, expected)                                      \
	assert_string_equal(as_text(identity), expected)

/* --- nmap's file --------------------------------------------------------- */

#define NULL_PROBE "Probe TCP NULL q||\n"

static void assert_nmap_bytes(const char *rules, const char *said, size_t len,
			      const char *expected)
{
	char text[4096];
	struct identifier *identifier;

	snprintf(text, sizeof(text), NULL_PROBE "%s", rules);
	identifier = open_text(PROBES, text);
	assert_non_null(identifier);
	assert_answer(identify(identifier, SAID_FIRST, 0, (const uint8_t *)said,
			       len, true),
		      expected);
	identify_close(identifier);
}

static void assert_nmap(const char *rules, const char *said,
			const char *expected)
{
	assert_nmap_bytes(rules, said, strlen(said), expected);
}

static void test_nmap_rules(void **state)
{
	(void)state;
	assert_nmap("match ssh m|^SSH-([\\d.]+)-(\\w+)\\r\\n| p/$2/ i/protocol "
		    "$1/\n",
		    "SSH-2.0-Foo\r\n", "ssh|Foo|-|protocol 2.0|-|-|-|");
	/* The first in the file answers, softmatch or not. */
	assert_nmap("softmatch a m|^22|\nmatch b m|^220| p/B/\n", "220 x",
		    "a|-|-|-|-|-|-|");
	assert_nmap("match ssl/x m|^A|\n", "A", "x|-|-|-|-|-|-|");
	/* Delimiters are any byte. */
	assert_nmap("match x m=^a|b= p%Q/R% v|1| h?h.$1?\n", "b",
		    "x|Q/R|1|-|-|-|-|");
	assert_nmap(
		"match x m|^foo|is p/P/ d/router/ o/OS/ h/host/ cpe:/o:v:s/\n",
		"FOO", "x|P|-|-|host|OS|router|cpe:/o:v:s");
	assert_nmap("match x m|^(.)| cpe:|o:v:o| cpe:|h:v:h:$1| cpe:/a:v:a/a\n",
		    "Q", "x|-|-|-|-|-|-|cpe:/a:v:a cpe:/h:v:h:q cpe:/o:v:o");
	/* One that cannot be filled takes away the one before it. */
	assert_nmap("match x m|^A(b)?| cpe:/a:v:p/ cpe:/a:v:q:$1/\n", "A",
		    "x|-|-|-|-|-|-|");
	assert_nmap("match x m|^(.*)$|s cpe:/a:v:p:$1/\n", "A\r\tb ",
		    "x|-|-|-|-|-|-|cpe:/a:v:p:a__b_");
	assert_nmap("match x m|^(.*)$| cpe:/a:v:p:$1/\n", "A b:/1~",
		    "x|-|-|-|-|-|-|cpe:/a:v:p:a_b%3A%2F1~");
}

static void test_nmap_templates(void **state)
{
	(void)state;
	assert_nmap("match x m|^(a)?(b)| p/P$1/ v/$2/\n", "b",
		    "x|-|b|-|-|-|-|");
	assert_nmap("match x m|^(.*)$|s p/$P(1)/\n", "W\1O\2R",
		    "x|WOR|-|-|-|-|-|");
	assert_nmap("match x m|^(.*)$| v/$SUBST(1,\"_\",\".\")/\n", "1_2_3",
		    "x|-|1.2.3|-|-|-|-|");
	assert_nmap("match x m|^(..)| i/$I(1,\">\") $I(1,\"<\")/\n", "\1\2",
		    "x|-|-|258 513|-|-|-|");
	assert_nmap("match x m|^(.*)$|s p/$1, /\n", "a\x80\x7f z",
		    "x|a.. z|-|-|-|-|-|");
	assert_nmap_bytes("match x m|^(.*)$|s p/$1$1/ i/$P(1)/\n", "a\0b", 3,
			  "x|aa|-|ab|-|-|-|");
	assert_nmap("match x m|^(.*)$| p/$Q(1)/ v/$P(10)/ i/ok/\n", "a",
		    "x|-|-|ok|-|-|-|");
}

/* Arguments of a command in quotes, and what makes the command invalid. */
static void test_nmap_arguments(void **state)
{
	static const char *const none[] = {
		"$SUBST(1,\"\\q\",\"\")",
		"$SUBST(1,\"\\x4\",\"\")",
		"$SUBST(1,\"\\xg0\",\"\")",
		"$SUBST(1,\"_\")",
		"$SUBST(1,2,3)",
		"$SUBST(1,\"_\",\"-\"",
		"$SUBST(1,\"_",
		"$I(1,\"=\")",
		"$I(1)",
		"$P(\"1\")",
		"$P(x)",
	};

	(void)state;
	assert_nmap("match x m|^(.*)$| v|$SUBST(1,\"\\x5f\",\"\\x2D\")|\n",
		    "1_2_3", "x|-|1-2-3|-|-|-|-|");
	assert_nmap("match x m|^(.*)$|s v|$SUBST(1,\"\\t\",\"\\\"\")|\n",
		    "1\t2", "x|-|1\"2|-|-|-|-|");
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		char rule[128];

		snprintf(rule, sizeof(rule), "match x m|^(.*)$| v|%s| i/ok/\n",
			 none[i]);
		assert_nmap(rule, "1_2", "x|-|-|ok|-|-|-|");
	}
}

/* nmap has 80 bytes with a NUL, and after a variable wants one more free. */
static void test_nmap_lengths(void **state)
{
	static const char rule[] = "match x m|^(.*)$| p/$1/ v/v$1!/ o/$1/\n";
	char said[100], expected[512];

	(void)state;
	for (int len = 29; len <= 80; len++) {
		memset(said, 'a', sizeof(said));
		said[len] = '\0';
		snprintf(expected, sizeof(expected), "x|%s|%s%s%s|-|-|%s|-|",
			 len <= 78 ? said : "-", len <= 77 ? "v" : "",
			 len <= 77 ? said : "-", len <= 77 ? "!" : "",
			 len <= 30 ? said : "-");
		assert_nmap(rule, said, expected);
	}
}

/* Of several files the first that knows it answers. */
static void test_files_in_their_order(void **state)
{
	static const char *const texts[] = { NULL_PROBE "match a m|^X|\n",
					     NULL_PROBE "match b m|^[XY]|\n" };
	char paths[2][PATH_ROOM];
	const char *const files[] = { paths[0], paths[1], NULL };
	const struct identify_sources sources = { .probes = files };
	struct identifier *identifier;

	(void)state;
	for (int i = 0; i < 2; i++)
		make_file(texts[i], strlen(texts[i]), paths[i]);
	identifier = identify_open(&sources, tell);
	assert_non_null(identifier);
	assert_answer(ask(identifier, "X"), "a|-|-|-|-|-|-|");
	assert_answer(ask(identifier, "Y"), "b|-|-|-|-|-|-|");
	identify_close(identifier);
}

static void test_nmap_order_of_probes(void **state)
{
	static const char text[] =
		NULL_PROBE "match n m|^[XN]|\n"
			   "Probe UDP U q|a|\nmatch u m|^Y|\n"
			   "Probe TCP S q|a|\nsoftmatch s m|^[XVW]|\n"
			   "softmatch r m|^W|\n"
			   "Probe TCP T q|a|\nports 1\nmatch t m|^[XZ]|\n"
			   "match v m|^V|\n";
	static const struct {
		char said;
		const char *expected;
	} responses[] = {
		{ 'X', "t|-|-|-|-|-|-|" }, { 'Z', "t|-|-|-|-|-|-|" },
		{ 'V', "v|-|-|-|-|-|-|" }, { 'W', "s|-|-|-|-|-|-|" },
		{ 'N', "n|-|-|-|-|-|-|" }, { 'Y', "nothing" },
	};
	struct identifier *identifier = open_text(PROBES, text);

	(void)state;
	assert_non_null(identifier);
	assert_answer(ask(identifier, "X"), "n|-|-|-|-|-|-|");
	assert_answer(ask(identifier, "Z"), "nothing");
	assert_answer(ask(identifier, "Y"), "nothing");
	for (size_t i = 0; i < sizeof(responses) / sizeof(*responses); i++)
		assert_answer(identify(identifier, SAID_SECOND, 0,
				       (const uint8_t *)&responses[i].said, 1,
				       true),
			      responses[i].expected);
	identify_close(identifier);
}

static void test_nmap_wrong_lines(void **state)
{
	static const char text[] = NULL_PROBE "match a m|^(|\n"
					      "match b\n"
					      "match c m|x\n"
					      "match d m|x|q\n"
					      "match e m|x| p/x\n"
					      "match f m|x| q/x/\n"
					      "match g n|x|\n"
					      "match h m|^ok|\n";
	struct identifier *identifier = open_text(PROBES, text);

	(void)state;
	assert_non_null(identifier);
	for (int line = 2; line <= 8; line++) {
		char place[16], *at;

		snprintf(place, sizeof(place), ":%d: ", line);
		at = strstr(told, place);
		assert_non_null(at);
		assert_null(strstr(at + 1, place));
	}
	assert_null(strstr(told, ":9: "));
	assert_answer(ask(identifier, "ok"), "h|-|-|-|-|-|-|");
	assert_int_equal(identify_statistics(identifier)->refused, 7);
	assert_int_equal(identify_statistics(identifier)->rules, 1);
	identify_close(identifier);
}

static void test_no_such_source(void **state)
{
	static const char *const nowhere[] = { "/nonexistent/x", NULL };
	static const char *const zero[] = { "/dev/zero", NULL };
	const struct identify_sources missing = { .probes = nowhere };
	const struct identify_sources device = { .probes = zero };
	const struct identify_sources folder = { .recog = "/proc/self/task" };
	const struct identify_sources optional = { .rules = nowhere };
	struct identifier *identifier;

	(void)state;
	assert_null(open_text(PROBES, "what is this\n"));
	assert_non_null(strstr(told, "no nmap-service-probes"));
	told[0] = '\0';
	assert_null(identify_open(&missing, tell));
	assert_string_equal(told,
			    "/nonexistent/x: No such file or directory\n");
	assert_null(identify_open(&device, tell));
	assert_non_null(strstr(told, "/dev/zero: it is no file\n"));
	assert_null(identify_open(&folder, tell));
	identifier = identify_open(&optional, tell);
	assert_non_null(identifier);
	identify_close(identifier);
}

/* --- own rules ----------------------------------------------------------- */

static void test_own_rules(void **state)
{
	static const char text[] =
		"# comment\n\n"
		"x /^A\\/(\\d+) \"(.)\"/i product=\"P \\\"$2\\\"\" version=$1 "
		"cpe:/a:v:p cpe:/a:v:p:$1\n"
		"\t\"a/1 \\\"q\\\"\" product=\"P \\\"q\\\"\" version=1 "
		"cpe:/a:v:p:1\n"
		"http Server: /^Q(?:\\/(\\d))?$/ product=Q version=$1 "
		"cpe:/a:v:q cpe:/a:v:q:$1\n"
		"x /(/ product=X\nx y/\nx /a/ what=1\nx /b/ product=\"\n";
	struct identifier *identifier = open_text(RULES, text);

	(void)state;
	assert_non_null(identifier);
	assert_answer(ask(identifier, "a/7 \"z\""),
		      "x|P \"z\"|7|-|-|-|-|cpe:/a:v:p:7");
	assert_answer(ask(identifier, "HTTP/1.1 200 OK\r\nserver: Q/3\r\n\r\n"),
		      "http|Q|3|-|-|-|-|cpe:/a:v:q:3");
	assert_answer(ask(identifier, "HTTP/1.1 200 OK\r\nServer:  Q \r\n\r\n"),
		      "http|Q|-|-|-|-|-|");
	/* Not what a page says, and not of another protocol. */
	assert_answer(
		ask(identifier, "HTTP/1.1 200 OK\r\n\r\nServer: Q/3\r\n\r\n"),
		"http|-|-|-|-|-|-|");
	assert_answer(ask(identifier, "RTSP/1.0 200 OK\r\nServer: Q/3\r\n\r\n"),
		      "rtsp|Q|3|-|-|-|-|");
	for (int line = 6; line <= 9; line++) {
		char place[16];

		snprintf(place, sizeof(place), ":%d: ", line);
		assert_non_null(strstr(told, place));
	}
	assert_int_equal(identify_statistics(identifier)->refused, 4);
	identify_close(identifier);
}

static void test_cut_group_is_not_used(void **state)
{
	static const char rule[] =
		"/^A (\\d+)/ version=$1 cpe:/a:v:p cpe:/a:v:p:$1";
	char text[128];
	struct identifier *identifier;

	(void)state;
	snprintf(text, sizeof(text), "x %s\n", rule);
	identifier = open_text(RULES, text);
	assert_answer(identify(identifier, SAID_FIRST, 0,
			       (const uint8_t *)"A 12", 4, false),
		      "x|-|-|-|-|-|-|cpe:/a:v:p");
	assert_answer(identify(identifier, SAID_FIRST, 0,
			       (const uint8_t *)"A 12 ", 5, false),
		      "x|-|12|-|-|-|-|cpe:/a:v:p:12");
	assert_answer(ask(identifier, "A 12"), "x|-|12|-|-|-|-|cpe:/a:v:p:12");
	identify_close(identifier);
	/* nmap does not ask. */
	identifier =
		open_text(PROBES, NULL_PROBE "match x m|^A (\\d+)| v/$1/\n");
	assert_answer(identify(identifier, SAID_FIRST, 0,
			       (const uint8_t *)"A 12", 4, false),
		      "x|-|12|-|-|-|-|");
	identify_close(identifier);
}

/* --- the order of sources, cut texts, refusals, limits ------------------- */

static void test_refusal_is_no_product(void **state)
{
	struct identifier *identifier =
		open_text(RULES, "http Server: /^nginx/ product=nginx\n"
				 "x /^Exceeded/ product=Q\n"
				 "smtp /^421 / product=Q\n");

	(void)state;
	assert_non_null(identifier);
	assert_answer(ask(identifier, "HTTP/1.1 408 Request Time-out\r\n"
				      "Server: nginx\r\n\r\n"),
		      "http|-|-|-|-|-|-|");
	assert_answer(ask(identifier, "Exceeded MaxStartups\r\n"),
		      "ssh|-|-|-|-|-|-|");
	assert_answer(ask(identifier, "421 4.7.0 ESMTP Foo too busy\r\n"),
		      "smtp|-|-|-|-|-|-|");
	identify_close(identifier);
}

static void test_cut_text_has_no_end(void **state)
{
	struct identifier *identifier =
		open_text(RULES, "x /^(\\d+)$/ product=X version=$1\n");
	const uint8_t text[] = "12";

	(void)state;
	assert_non_null(identifier);
	assert_answer(identify(identifier, SAID_FIRST, 0, text, 2, false),
		      "nothing");
	assert_answer(identify(identifier, SAID_FIRST, 0, text, 2, true),
		      "x|X|12|-|-|-|-|");
	assert_answer(identify(identifier, SAID_FIRST, 0, text, 2, false),
		      "nothing");
	identify_close(identifier);
}

static void test_limits(void **state)
{
	char rules[8192] = "", text[64];
	struct identifier *identifier;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(rules, "x /^(?:a+)+[bc]{2}/ product=B\n");
	strcat(rules, "y /^aa/ product=A\n");
	identifier = open_text(RULES, rules);
	assert_non_null(identifier);
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	/* Each met its limit: what would have matched after 16 is not tried. */
	assert_answer(ask(identifier, text), "nothing");
	assert_int_equal(identify_statistics(identifier)->limits, 16);
	assert_int_equal(identify_statistics(identifier)->given_up, 1);
	/* Remembered. */
	assert_answer(ask(identifier, text), "nothing");
	assert_int_equal(identify_statistics(identifier)->limits, 16);
	assert_answer(ask(identifier, "aabc"), "x|B|-|-|-|-|-|");
	identify_close(identifier);
}

static void assert_limits(const char *rule, const char *said, unsigned int hits)
{
	struct identifier *identifier;
	char rules[256];

	snprintf(rules, sizeof(rules), "x %s product=X\ny /^aa/ product=Y\n",
		 rule);
	identifier = open_text(RULES, rules);
	assert_non_null(identifier);
	assert_answer(ask(identifier, said),
		      hits ? "y|Y|-|-|-|-|-|" : "x|X|-|-|-|-|-|");
	assert_int_equal(identify_statistics(identifier)->limits, hits);
	assert_int_equal(identify_statistics(identifier)->given_up, 0);
	identify_close(identifier);
}

/* 2^18 ways are more than 50,000, and less than PCRE2's own limit. */
static void test_a_limit_is_no_match(void **state)
{
	char deep[1400];

	(void)state;
	assert_limits("/^(?:(?:a+)+[bc]{2}|a+d)/", "aaaaaaaaaaaaaaaaaad", 1);
	assert_limits("/^(?:(?:a+)+[bc]{2}|a+d)/", "aaaaaaaad", 0);
	memset(deep, 'a', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	assert_limits("/^(?:(a)|b)*$/", deep, 1);
	deep[300] = '\0';
	assert_limits("/^(?:(a)|b)*$/", deep, 0);
}

/* --- Recog --------------------------------------------------------------- */

#define FINGERPRINTS(kind, inner)                                              \
	"<?xml version='1.0'?><fingerprints matches='" kind                    \
	"' protocol='p'>" inner "</fingerprints>"

static void test_recog(void **state)
{
	static const char text[] = FINGERPRINTS(
		"ftp.banner",
		"<fingerprint pattern='^(\\S+) Foo ready\\.$'/>"
		"<fingerprint pattern='^(\\S+) Foo (?:v([\\d.]+) )?ok\\.$' "
		"flags='REG_ICASE'>"
		"<param pos='1' name='host.name'/>"
		"<param pos='0' name='service.product' value='Foo'/>"
		"<param pos='2' name='service.version'/>"
		"<param pos='0' name='service.cpe23' "
		"value='cpe:/a:v:foo:{service.version}'/>"
		"<param pos='0' name='os.product' value='{_tmp.x}'/>"
		"</fingerprint>");
	struct identifier *identifier = open_text(RECOG, text);

	(void)state;
	assert_non_null(identifier);
	assert_answer(ask(identifier, "220-h\r\n220 h foo v1.2 OK.\r\n"),
		      "nothing");
	assert_answer(ask(identifier, "220 ftp.x FTP foo ok.\r\n"),
		      "ftp|-|-|-|-|-|-|");
	assert_answer(identify(identifier, SAID_FIRST, 21,
			       (const uint8_t *)"220 h foo v1.2 OK.\r\n", 20,
			       true),
		      "ftp|Foo|1.2|-|h|-|-|cpe:/a:v:foo:1.2");
	assert_answer(identify(identifier, SAID_FIRST, 21,
			       (const uint8_t *)"220 h Foo ok.\r\n", 15, true),
		      "ftp|Foo|-|-|h|-|-|cpe:/a:v:foo:-");
	/* Known to say nothing. */
	assert_answer(identify(identifier, SAID_FIRST, 21,
			       (const uint8_t *)"220 h Foo ready.\r\n", 18,
			       true),
		      "ftp|-|-|-|-|-|-|");
	identify_close(identifier);
}

static void test_recog_hostile(void **state)
{
	static const char bomb[] =
		"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>"
		"<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
		"<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
		"<fingerprints matches='ssh.banner'><fingerprint "
		"pattern='&b;&e;'/></fingerprints>";
	static const char broken[] =
		FINGERPRINTS("ssh.banner", "<fingerprint pattern='('>"
					   "</fingerprint><fingerprint "
					   "pattern='^ok$'><param pos='0' "
					   "name='service.product' "
					   "value='OK'/></fingerprint>");
	struct identifier *identifier;

	(void)state;
	assert_null(open_text(RECOG, bomb));
	assert_non_null(strstr(told, "document type"));
	assert_null(open_text(RECOG, "<fingerprints><fingerprint pattern="));
	assert_null(open_text(RECOG, "<other/>"));
	assert_null(open_text(RECOG, ""));
	identifier = open_text(RECOG, broken);
	assert_non_null(identifier);
	assert_non_null(strstr(told, ":1: "));
	assert_answer(ask(identifier, "SSH-2.0-ok\r\n"), "ssh|OK|-|-|-|-|-|");
	identify_close(identifier);
}

/* --- structure ----------------------------------------------------------- */

static const struct {
	const char *said;
	size_t len; /* where there are zeros in it */
	uint16_t port;
	const char *expected;
	bool is_cut;
	enum said who;
} structures[] = {
	{ "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", 0, 22,
	  "ssh|OpenSSH|9.2p1 Debian-2+deb12u3|-|-|-|-|", false, SAID_FIRST },
	{ "hello\r\nSSH-2.0-Foo-1.5 bar\r\n\1\2", 0, 22,
	  "ssh|Foo|1.5|bar|-|-|-|", false, SAID_FIRST },
	{ "SSH-2.0-OpenSSH_9.2", 0, 22, "ssh|-|-|-|-|-|-|", true, SAID_FIRST },
	{ "SSH-2.0-9.29 FlowSsh\r\n", 0, 22, "ssh|-|9.29|FlowSsh|-|-|-|", false,
	  SAID_FIRST },
	{ "220 a.example.com ESMTP\r\n", 0, 9999,
	  "smtp|-|-|-|a.example.com|-|-|", false, SAID_FIRST },
	{ "220 ftp.example.com ESMTP\r\n", 0, 21,
	  "smtp|-|-|-|ftp.example.com|-|-|", false, SAID_FIRST },
	{ "220 smtp.example.com FTP server ready\r\n", 0, 25,
	  "ftp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "220 a.example.com LMTP\r\n", 0, 25, "lmtp|-|-|-|a.example.com|-|-|",
	  false, SAID_FIRST },
	{ "220 hello\r\n", 0, 2121, "ftp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "220 hello\r\n", 0, 2525, "smtp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "220 hello\r\n", 0, 9999, "nothing", false, SAID_FIRST },
	{ "220 hello\r\n", 0, 119, "nothing", false, SAID_FIRST },
	{ "220x hello FTP\r\n", 0, 21, "nothing", false, SAID_FIRST },
	{ "554 a.example.com ESMTP not now\r\n", 0, 25, "smtp|-|-|-|-|-|-|",
	  false, SAID_FIRST },
	{ "421 Too many users\r\n", 0, 21, "ftp|-|-|-|-|-|-|", false,
	  SAID_FIRST },
	{ "200 news.example.com InterNetNews ready\r\n", 0, 1119,
	  "nntp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "200 ok\r\n", 0, 119, "nntp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "200 no posting\r\n", 0, 21, "nothing", false, SAID_FIRST },
	{ "200 ok\r\n", 0, 80, "nothing", false, SAID_FIRST },
	{ "+OK\r\n", 0, 9999, "pop3|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "+OK\r\n", 0, 6379, "redis|-|-|-|-|-|-|", false, SAID_SECOND },
	{ "+OK\r\n", 0, 9999, "nothing", false, SAID_SECOND },
	{ "-DENIED Redis is running in protected mode\r\n", 0, 9999,
	  "redis|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "* OK ready\r\n", 0, 143, "imap|-|-|-|-|-|-|", false, SAID_FIRST },
	/* A host's name is no evidence, wherever it stands; a version is none.
	 */
	{ "220 Welcome to ftp.example.com ESMTP\r\n", 0, 2500,
	  "smtp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "220-Hello\r\n220 mail-ftp.example.com ESMTP\r\n", 0, 2500,
	  "smtp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "220 at ftp.example.com\r\n", 0, 2500, "nothing", false, SAID_FIRST },
	{ "220 host (Version wuftpd-2.6.1)\r\n", 0, 2500, "ftp|-|-|-|-|-|-|",
	  false, SAID_FIRST },
	/* A line without its end may go on; a prompt is complete. */
	{ "SSH-2.0-Op", 0, 22, "ssh|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "SSH-2.0-OpenSSH_9.", 0, 22, "ssh|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "Hello\nSSH-2.0-Op", 0, 22, "ssh|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "SSH-2.0-Op\n", 0, 22, "ssh|Op|-|-|-|-|-|", false, SAID_FIRST },
	{ "220 mx.example.co", 0, 25, "smtp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "@RSYNCD: 31", 0, 873, "rsync|-|-|-|-|-|-|", false, SAID_FIRST },
	/* A refusal has no version, not even the protocol's. */
	{ "RFB 003.003\n\0\0\0\0\0\0\0\4Busy", 24, 5900, "vnc|-|-|-|-|-|-|",
	  false, SAID_FIRST },
	{ "-BUSY Redis is busy\r\n", 0, 7000, "redis|-|-|-|-|-|-|", false,
	  SAID_SECOND },
	{ "-BUS\0\r\n", 7, 7000, "nothing", false, SAID_SECOND },
	{ "RFB 003.008\n", 0, 5900, "vnc|-|-|protocol 3.8|-|-|-|", false,
	  SAID_FIRST },
	{ "RFB 004.001\n", 0, 5900, "vnc|-|-|protocol 4.1|-|-|-|", false,
	  SAID_FIRST },
	{ ":irc.example.net NOTICE * :*** Looking up\r\n", 0, 6667,
	  "irc|-|-|-|irc.example.net|-|-|", false, SAID_FIRST },
	{ "\xff\xfd\x18\xff\xfd ", 0, 23, "telnet|-|-|-|-|-|-|", false,
	  SAID_FIRST },
	{ "\xff\xfa\x18\x01\xff\xf0hello", 0, 2323, "telnet|-|-|-|-|-|-|",
	  false, SAID_FIRST },
	{ "login: ", 0, 23, "telnet|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "login: ", 0, 24, "nothing", false, SAID_FIRST },
	{ "HTTP/1.1 200 OK\r\nServer: Foo/1.2 (Bar)\r\n\r\n", 0, 80,
	  "http|Foo|1.2|Bar|-|-|-|", false, SAID_SECOND },
	{ "HTTP/1.1 200 OK\r\nServer: Foo/1.2", 0, 80, "http|-|-|-|-|-|-|",
	  true, SAID_SECOND },
	{ "@RSYNCD: 31.0\n", 0, 873, "rsync|-|-|protocol 31.0|-|-|-|", false,
	  SAID_FIRST },
	{ "\x10\0\0\0\n8.0.36-foo\0\1\2\3\4", 20, 3306,
	  "mysql|MySQL|8.0.36-foo|-|-|-|-|", false, SAID_FIRST },
	{ "\x1c\0\0\0\n5.5.5-10.11.6-MariaDB-1\0\1\2\3", 32, 3306,
	  "mysql|MariaDB|10.11.6-MariaDB-1|-|-|-|-|", false, SAID_FIRST },
	{ "\x20\0\0\0\n8.0", 8, 3306, "mysql|-|-|-|-|-|-|", true, SAID_FIRST },
	{ "\x20\0\0\0\n8.0", 8, 3306, "nothing", false, SAID_FIRST },
	{ "\x0c\0\0\0\xff\x10\x04Too many!", 16, 3306, "mysql|-|-|-|-|-|-|",
	  false, SAID_FIRST },
	{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	  "\0\x1d\1\4\0\2",
	  22, 179, "bgp|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "\x15\3\1\0\2\2\x28", 7, 443, "ssl|-|-|-|-|-|-|", false, SAID_FIRST },
	{ "", 0, 22, "nothing", false, SAID_FIRST },
};

static void test_structure(void **state)
{
	const struct identify_sources sources = {};
	struct identifier *identifier = identify_open(&sources, tell);

	(void)state;
	assert_non_null(identifier);
	for (size_t i = 0; i < sizeof(structures) / sizeof(*structures); i++) {
		const size_t len = structures[i].len ?
					   structures[i].len :
					   strlen(structures[i].said);
		/* Its own, so that ASan sees a byte too far. */
		uint8_t *bytes = malloc(len);

		memcpy(bytes, structures[i].said, len);
		print_message("# %s\n", structures[i].expected);
		assert_answer(identify(identifier, structures[i].who,
				       structures[i].port, bytes, len,
				       !structures[i].is_cut),
			      structures[i].expected);
		free(bytes);
	}
	identify_close(identifier);
}

/* --- literals, the prefilter --------------------------------------------- */

static const struct {
	const char *regex;
	const char *literals; /* with commas; ?: not understood */
} literals[] = {
	{ "^220 foo", "220 foo" },
	{ "^220 .*Foo ready", "220 ,foo ready" },
	{ "abc?def", "ab,def" },
	{ "abc*def", "ab,def" },
	{ "abc{0,2}def", "ab,def" },
	{ "abc{2}def", "abc,def" },
	{ "abc+def", "abc,def" },
	{ "ab{x", "ab{x" },
	{ "abc|def", "" },
	{ "ab(?:cd|ef)gh", "ab,gh" },
	{ "ab(cd)gh", "ab,cd,gh" },
	{ "ab(cd)?gh", "ab,gh" },
	{ "ab(?!cd)gh", "ab,gh" },
	{ "ab(?i)CD", "ab,cd" },
	{ "a\\.b\\/c\\r\\n\\x41\\0x", "a.b/c\r\na\0x" },
	{ "ab[cd]ef[]x]gh[^]x]ij", "ab,ef,gh,ij" },
	{ "ab[[:alpha:]x]cd", "ab,cd" },
	{ "ab\\dcd\\bef", "ab,cd,ef" },
	{ "(ab)\\1cd", "ab,cd" },
	{ "ab(?#x)cd", "?" },
	{ "ab(?x) cd", "?" },
	{ "(*UTF)ab", "?" },
	{ "\\Qab\\E", "?" },
	{ "ab{,3}", "?" },
	{ "ab)", "?" },
	{ "(ab", "?" },
	{ "[ab", "?" },
	{ "ab\\", "?" },
};

static void test_literals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		struct literals found;
		char text[256] = "";
		size_t len = 0;

		if (!literals_of(literals[i].regex, strlen(literals[i].regex),
				 &found))
			text[len++] = '?';
		for (int j = 0; j < found.count; j++) {
			if (j)
				text[len++] = ',';
			memcpy(text + len, found.all[j].bytes,
			       found.all[j].len);
			len += found.all[j].len;
		}
		print_message("# %s\n", literals[i].regex);
		assert_memory_equal(text, literals[i].literals, len);
		assert_int_equal(text[len], 0);
	}
}

static void test_prefilter(void **state)
{
	static const char *const patterns[] = { "^220 foo", "bar", "Foob.*quux",
						"(", "quuxfoobarb" };
	const struct text text = { (const uint8_t *)"x FOOBAR 220 FOO", 16,
				   true };
	struct prefilter *prefilter = prefilter_new();
	const int expected[] = { 0, 1, 2, 3, -1 };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(prefilter_add(prefilter, patterns[i],
					       strlen(patterns[i])),
				 i == 3);
	assert_int_equal(prefilter_build(prefilter), 0);
	assert_int_equal(prefilter_scan(prefilter, &text), 0);
	for (int i = 0, at = 0; i < 5; i++) {
		at = prefilter_next(prefilter, (unsigned int)at);
		assert_int_equal(at, expected[i]);
		at++;
	}
	prefilter_free(prefilter);
}

/* So many servers of a network are asked for their rules once only. */
static void test_cache_remembers(void **state)
{
	const struct identify_sources sources = {};
	struct identifier *identifier = identify_open(&sources, tell);
	const struct identified *answer = NULL;
	int remembered = 0;
	char said[32];

	(void)state;
	assert_non_null(identifier);
	for (int i = 0; i < 2000; i++) {
		snprintf(said, sizeof(said), "SSH-2.0-F_%d.0\r\n", i % 1000);
		if (i < 1000)
			ask(identifier, said);
		else if (identify_remembers(identifier, SAID_FIRST, 0,
					    (const uint8_t *)said, strlen(said),
					    true, &answer))
			remembered += answer && answer->product;
	}
	assert_true(remembered > 950);
	assert_false(identify_remembers(identifier, SAID_SECOND, 0,
					(const uint8_t *)said, strlen(said),
					true, &answer));
	assert_false(identify_remembers(identifier, SAID_FIRST, 0, NULL, 0,
					true, &answer));
	identify_close(identifier);
}

static void test_cache_keeps_apart(void **state)
{
	const struct identify_sources sources = {};
	struct identifier *identifier = identify_open(&sources, tell);
	char said[32];

	(void)state;
	assert_non_null(identifier);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 2000; i++) {
			snprintf(said, sizeof(said), "SSH-2.0-F_%d.0\r\n", i);
			snprintf(told, sizeof(told), "ssh|F|%d.0|-|-|-|-|", i);
			assert_answer(ask(identifier, said), told);
		}
	}
	identify_close(identifier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nmap_rules),
		cmocka_unit_test(test_nmap_templates),
		cmocka_unit_test(test_nmap_arguments),
		cmocka_unit_test(test_nmap_lengths),
		cmocka_unit_test(test_files_in_their_order),
		cmocka_unit_test(test_nmap_order_of_probes),
		cmocka_unit_test(test_nmap_wrong_lines),
		cmocka_unit_test(test_no_such_source),
		cmocka_unit_test(test_own_rules),
		cmocka_unit_test(test_refusal_is_no_product),
		cmocka_unit_test(test_cut_text_has_no_end),
		cmocka_unit_test(test_cut_group_is_not_used),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_a_limit_is_no_match),
		cmocka_unit_test(test_recog),
		cmocka_unit_test(test_recog_hostile),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_prefilter),
		cmocka_unit_test(test_cache_remembers),
		cmocka_unit_test(test_cache_keeps_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
