/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a server says where it does not serve the client: a form, but not what
 * the service is.
 */
#include "structure.h"

#define BGP_MARKER 16
#define BGP_TYPE 18
#define BGP_NOTIFICATION 3
#define RFB_LINE 12
#define POSTGRESQL_FIELDS 5

bool greeting_has_code(const struct greeting *g, size_t at)
{
	return greeting_is_digit(g, at) && greeting_is_digit(g, at + 1) &&
	       greeting_is_digit(g, at + 2) && at + 3 < g->len &&
	       (g->bytes[at + 3] == ' ' || g->bytes[at + 3] == '-' ||
		g->bytes[at + 3] == '\r' || g->bytes[at + 3] == '\n');
}

/* "-ERR ", "-DENIED ": POP3's errors and Redis's, whatever the word. */
static bool is_minus_word(const struct greeting *g)
{
	size_t at = 1;

	if (!g->len || g->bytes[0] != '-')
		return false;
	while (at < g->len && g->bytes[at] >= 'A' && g->bytes[at] <= 'Z')
		at++;
	return at > 3 && at < g->len && strchr(" \r\n", g->bytes[at]) &&
	       g->bytes[at];
}

/* RFC 6143, 7.1.2: no type of security, then the reason. */
static bool is_of_vnc(const struct greeting *g)
{
	static const uint8_t failed[4];

	return g->len >= RFB_LINE + sizeof(failed) &&
	       greeting_has(g, 0, "RFB 00") &&
	       !memcmp(g->bytes + RFB_LINE, failed, sizeof(failed));
}

static bool is_of_bgp(const struct greeting *g)
{
	if (g->len <= BGP_TYPE || g->bytes[BGP_TYPE] != BGP_NOTIFICATION)
		return false;
	for (size_t at = 0; at < BGP_MARKER; at++) {
		if (g->bytes[at] != 0xff)
			return false;
	}
	return true;
}

static bool is_of_postgresql(const struct greeting *g)
{
	return greeting_has(g, 0, "E") &&
	       (greeting_has(g, POSTGRESQL_FIELDS, "SFATAL") ||
		greeting_has(g, POSTGRESQL_FIELDS, "SERROR"));
}

bool structure_refuses(const struct greeting *g)
{
	static const char *const beginnings[] = { "* BYE", "@ERROR",
						  "ERROR :", "Too many",
						  "NOAUTH" };

	if (greeting_has_code(g, 0))
		return g->bytes[0] == '4' || g->bytes[0] == '5';
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (greeting_has(g, 0, beginnings[i]))
			return true;
	}
	return is_minus_word(g) || is_of_vnc(g) || is_of_bgp(g) ||
	       is_of_postgresql(g);
}
